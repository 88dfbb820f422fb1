"""Train the embedded encoder on the project's own sample, and ask it. Run by `make demo`."""

from __future__ import annotations

import sys
from pathlib import Path

from fastbert import Predictor, api
from fastbert.display import label_score_rows
from fastbert.training.callbacks import ProgressBar

DATA = Path(__file__).parent / "data" / "feedback"
TEXTS = [
    "Since the update the app crashes whenever I attach a photo.",
    "Please add an export to Excel for the weekly dashboard.",
    "Nobody answered my ticket for nine days, and then you raised the price.",
]


def main(out: Path) -> None:
    """Train on the sample, print the scores of the test rows, a few answers, and where the report lies."""
    tables = api.Tables(DATA / "train.csv", DATA / "val.csv", DATA / "test.csv")
    result = api.train(tables, out, overwrite=True, callbacks=[ProgressBar()], on_view=print)
    print()
    scores = result.bundle.scores["test"]
    print("\nHeld-out test rows: " + ", ".join(f"{name} {scores[name]:.3f}" for name in ("f1_micro", "f1_macro")))
    print(label_score_rows(result.learner.evaluate_labels("test")).to_text())
    model = Predictor.load(result.bundle.folder)
    print()
    for text, prediction in zip(TEXTS, model(TEXTS), strict=True):
        print(f"  {text}\n    -> {', '.join(prediction.labels) or '(no label)'}")
    print(f"\nmodel   {out}\nreport  {out / 'report.html'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("demo-model"))
