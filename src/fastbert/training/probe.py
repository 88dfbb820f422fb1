"""The head trained alone on a frozen encoder, before both are trained together.

A head that starts at random bends the encoder to fit it; one that fits the encoder first leaves more of it as it was
(Kumar et al. 2022, arXiv 2202.10054). The frozen layers are run once, so that this costs one pass over the rows.
Knows nothing of what is trained after it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fastbert.training.callbacks import tell

if TYPE_CHECKING:
    from fastbert.training.learner import Learner

STAGE = "the head alone"
EPOCHS, LR = 10.0, 1e-3  # of the head alone; a choice of ours, not searched


def train_head_first(learner: Learner) -> None:
    """Fit the head of a learner on its frozen encoder; what was trained before is trained again."""
    before = [(parameter, parameter.requires_grad) for parameter in learner.model.parameters()]
    tell(learner.callbacks, "on_part", f"{learner.part}{STAGE}")
    learner.freeze()
    options = {"epochs": EPOCHS, "lr": LR, "start": "plain", "freeze": "encoder", "head_lr_factor": 1.0}
    learner._follow(learner.plan(**options, average=1, ema=0.0, r_drop=0.0, estimate=False))
    learner.history.stages[-1] = replace(learner.history.stages[-1], name=STAGE)
    for parameter, trained in before:
        parameter.requires_grad_(trained)
    tell(learner.callbacks, "on_part", f"{learner.part}training")
