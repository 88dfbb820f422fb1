"""A metric of your own: a function of predictions and examples. It appears in scores, log and report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from fastbert import DataBunch, Learner, Prediction, TextExample

DATA = Path(__file__).parent / "data" / "feedback"
COST_MISSED_BUG, COST_FALSE_ALARM = 10.0, 1.0


def cost_per_row(predictions: Sequence[Prediction], examples: Sequence[TextExample]) -> float:
    """Return what our mistakes about bugs cost, per row: a missed one is ten times a false alarm."""
    total = 0.0
    for prediction, example in zip(predictions, examples, strict=True):
        said, true = "Bugs" in prediction.labels, "Bugs" in (example.labels or ())
        total += COST_MISSED_BUG * (true and not said) + COST_FALSE_ALARM * (said and not true)
    return total / len(examples)


def main(out: Path, *, encoder: str = "minilm", epochs: float = 12) -> Learner:
    """Train; the metric is computed at every evaluation and saved with the scores."""
    data = DataBunch.from_files(DATA / "train.csv", DATA / "val.csv", DATA / "test.csv")
    learner = Learner(data, encoder=encoder, metrics=[cost_per_row])
    learner.fit(epochs=epochs)
    print(f"cost per row: {learner.evaluate('test')['cost_per_row']:.2f}")
    learner.save(out, overwrite=True)
    return learner


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("own-metric-model"))
