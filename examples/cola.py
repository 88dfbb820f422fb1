"""CoLA from its raw files to a Matthews correlation: no header, four columns, quotes are data.

python examples/cola.py cola/in_domain_train.tsv cola/in_domain_dev.tsv cola/out_of_domain_dev.tsv
"""

from __future__ import annotations

import sys
from pathlib import Path

from fastbert import Predictor, api
from fastbert.config import split_options
from fastbert.inference.evaluation import evaluate_table
from fastbert.training.callbacks import ProgressBar


def main(train: Path, in_domain: Path, out_of_domain: Path, out: Path, **options: object) -> dict[str, float]:
    """Train with the defaults; a tenth of the training file chooses the weights to keep. Return both MCCs."""
    data, config = split_options({"text": "3", "labels": "1", "header": False, **options})
    result = api.train(
        api.Tables(train, test=in_domain),
        out,
        data=data,
        config=config,
        overwrite=True,
        callbacks=[ProgressBar()],
        on_view=print,
    )
    result.learner.plot_history(out.with_suffix(".png"))
    model = Predictor.load(result.bundle.folder)
    scores = {path.stem: evaluate_table(model, path, data).scores["mcc"] for path in (in_domain, out_of_domain)}
    for name, score in scores.items():
        print(f"{name}: MCC {score:.3f}")
    for text in ("The book was read by the boys.", "The book was read by boys the."):
        print(text, "->", model([text])[0].scores)
    return scores


if __name__ == "__main__":
    main(*(Path(name) for name in sys.argv[1:4]), out=Path("cola-model"))
