"""Let the encoder read text without labels first, then train on the rows that have some."""

from __future__ import annotations

import sys
from pathlib import Path

import fastbert
from fastbert import AdaptConfig, DataBunch, Learner

DATA = Path(__file__).parent / "data" / "feedback"


def main(out: Path, *, encoder: str = "minilm", epochs: int = 12) -> Learner:
    """Adapt the encoder to a thousand rows without labels; train what came of it; print both."""
    adapted = out.with_name(f"{out.name}-encoder")
    config = AdaptConfig(epochs=epochs, text=("text",))
    result = fastbert.adapt([DATA / "unlabelled.csv"], encoder, adapted, config, if_exists="overwrite")
    for name, scores in zip(("before", "after"), (result.progress.evaluations[0], result.scores), strict=True):
        print(f"{name:7} perplexity of held-out text {scores['perplexity']:,.1f}")

    data = DataBunch.from_files(DATA / "train.csv", DATA / "val.csv")
    learner = Learner(data, encoder=str(adapted))
    learner.fit(epochs=epochs)
    print(f"F1 {learner.evaluate('valid')['f1_micro']:.3f}")
    learner.save(out, overwrite=True)
    return learner


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("adapted-model"))
