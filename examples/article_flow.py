"""The flow of the original FastBERT article: DataBunch, Learner, fit, save, predict in both ways.

python examples/article_flow.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from fastbert import DataBunch, Learner, Predictor
from fastbert.training.callbacks import ProgressBar

DATA = Path(__file__).parent / "data" / "feedback"
TEXTS = ["The export button does nothing.", "Great value, it replaced three tools for us."]


def main(out: Path, *, encoder: str = "minilm", epochs: float = 12) -> Learner:
    """Train with a chosen schedule, then answer by the learner and by a Predictor."""
    data = DataBunch.from_files(
        train=DATA / "train.csv",
        valid=DATA / "val.csv",
        test=DATA / "test.csv",
        text="text",
        labels=DATA / "labels.csv",
    )
    print(data)

    learner = Learner(data, encoder=encoder, callbacks=[ProgressBar()])
    print(learner)  # the encoder, the learning rate to come, and the loop with its callbacks
    learner.fit(epochs=epochs, lr=2e-4, schedule="warmup_cosine", optimizer="adamw")
    print({name: round(score, 3) for name, score in learner.evaluate("test").items()})
    print(learner.top_losses(3))

    # by batch, with the model in memory
    for text, prediction in zip(TEXTS, learner.predict(TEXTS), strict=True):
        print(text, "->", prediction.labels)

    # by a Predictor, from the saved folder
    learner.save(out, overwrite=True)
    for text, prediction in zip(TEXTS, Predictor.load(out)(TEXTS), strict=True):
        print(text, "->", prediction.labels)
    return learner


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("article-model"))
