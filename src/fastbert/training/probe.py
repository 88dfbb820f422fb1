"""The head trained alone on a frozen encoder, before both are trained together.

A head that starts at random bends the encoder to fit it; one that fits the encoder first leaves more of it as it was
(Kumar et al. 2022, arXiv 2202.10054). The frozen layers are run once, so that this costs one pass over the rows.
Knows nothing of what is trained after it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fastbert.training.callbacks import Callback, tell
from fastbert.training.plan import Plan, estimate_cost

if TYPE_CHECKING:
    from fastbert.training.learner import Learner

STAGE = "the head alone"
EPOCHS, LR = 10.0, 1e-3  # of the head alone; a choice of ours, not searched


def train_head_first(learner: Learner, limits: Sequence[Callback] = ()) -> None:
    """Fit the head of a learner on its frozen encoder; what was trained before is trained again.

    limits: watch it beside the callbacks of the learner.
    """
    tell(learner.callbacks, "on_part", f"{learner.part}{STAGE}")
    with _head_alone(learner) as plan:
        learner._follow(plan, limits)
    learner.history.stages[-1] = replace(learner.history.stages[-1], name=STAGE)
    tell(learner.callbacks, "on_part", f"{learner.part}training")


def head_first_s(learner: Learner) -> float:
    """Return the seconds that it takes, measured as those of a plan are."""
    with _head_alone(learner) as plan:
        stepper = learner.stepper(plan.config, keep=False)
        return estimate_cost(stepper, learner.data, plan.config).seconds(EPOCHS)


@contextlib.contextmanager
def _head_alone(learner: Learner) -> Iterator[Plan]:
    """Freeze the encoder of a learner for a block; yield the plan of a fit of the head, of no time limit of its own."""
    before = [(parameter, parameter.requires_grad) for parameter in learner.model.parameters()]
    learner.freeze()
    options = {"epochs": EPOCHS, "lr": LR, "start": "plain", "freeze": "encoder", "head_lr_factor": 1.0}
    try:
        yield learner.plan(**options, average=1, ema=0.0, r_drop=0.0, time_budget=None, estimate=False)
    finally:
        for parameter, trained in before:
            parameter.requires_grad_(trained)
