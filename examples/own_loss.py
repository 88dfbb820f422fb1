"""A loss of your own: subclass the task. Here, focal loss for a multi-label table with rare labels."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch.nn import functional

from fastbert import DataBunch, Learner, MultiLabel, Predictor

DATA = Path(__file__).parent / "data" / "feedback"
GAMMA = 2.0  # Lin et al. 2017, section 5.1


@dataclass(frozen=True)
class FocalMultiLabel(MultiLabel):
    """MultiLabel with focal loss. Return the SUM and the count; the loop divides once per step."""

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Return the summed focal loss and the number of cells."""
        logits_BC, targets_BC = outputs["logits"].float(), batch["labels"]
        entropy_BC = functional.binary_cross_entropy_with_logits(logits_BC, targets_BC, reduction="none")
        missed_BC = torch.where(targets_BC == 1, 1 - logits_BC.sigmoid(), logits_BC.sigmoid())
        return (missed_BC**GAMMA * entropy_BC).sum(), float(targets_BC.numel())


def main(out: Path, *, encoder: str = "minilm", epochs: float = 12) -> Learner:
    """Train with the loss. The bundle is an ordinary multi-label model: a loss is not needed to answer."""
    data = DataBunch.from_files(DATA / "train.csv", DATA / "val.csv")
    focal = FocalMultiLabel(data.task.labels, data.task.truncation)
    learner = Learner(replace(data, task=focal), encoder=encoder)
    learner.fit(epochs=epochs)
    learner.save(out, overwrite=True)
    print(Predictor.load(out)(["The export button does nothing."])[0].labels)
    return learner


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("own-loss-model"))
