"""What a run looks like from outside: a snapshot for callbacks, and the history they leave.

Knows nothing of models. Callbacks read a snapshot; all they may change is the wish to stop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from fastbert.display import utilisation

if TYPE_CHECKING:
    from fastbert.training.step import StepResult

FIT = "training"  # the stage that a fit of its own is, beside what comes first


@dataclass
class StopSwitch:
    """Lets a callback ask the loop to end after the current step. reason: shown to the user."""

    reason: str | None = None

    def ask(self, reason: str) -> None:
        """Ask to stop; the first reason given is kept."""
        self.reason = self.reason or reason


@dataclass(frozen=True)
class Validation:
    """What the validation rows say. error: standard error of the monitored score.    collapsed: one answer for all."""

    scores: Mapping[str, float]
    error: float = 0.0
    collapsed: bool = False


@dataclass(frozen=True)
class RunState:
    """A run after one step. step counts optimiser steps of this fit, from 1; epoch is a fraction.

    steps_before, epochs_before: of earlier fits of the same learner.
    loss: mean over the last step.    lr: rate of the top layer in this step (the head has a factor).
    monitor: the score that chooses, of the task, or the one that stands in where the rows leave it undefined.
    scores: of the latest evaluation of validation rows, {} before the first.
    collapsed: whether all validation rows had the same answer then, though their truths differ.
    kept_steps: at the end of a run, whose weights it leaves in the model; of several, their mean.
    seconds: spent in training steps, without evaluation.
    """

    step: int
    total_steps: int
    epoch: float
    total_epochs: float
    loss: float
    lr: float
    gradient_norm: float
    examples: int
    tokens: int
    padded_tokens: int
    seconds: float
    monitor: str
    stop: StopSwitch
    scores: Mapping[str, float] = field(default_factory=dict)
    collapsed: bool = False
    best_score: float | None = None
    best_step: int | None = None
    kept_steps: tuple[int, ...] = ()
    steps_before: int = 0
    epochs_before: int = 0

    def after(self, result: StepResult, *, epoch: float, lr: float, seconds: float) -> RunState:
        """Return the state after one more step."""
        return replace(
            self,
            step=self.step + 1,
            epoch=epoch,
            loss=result.loss,
            lr=lr,
            gradient_norm=result.gradient_norm,
            examples=self.examples + result.examples,
            tokens=self.tokens + result.tokens,
            padded_tokens=self.padded_tokens + result.padded_tokens,
            seconds=self.seconds + seconds,
        )

    @property
    def global_step(self) -> int:
        """Return the optimiser steps over all fits, as the history counts them."""
        return self.steps_before + self.step

    @property
    def global_epoch(self) -> float:
        """Return the epochs over all fits."""
        return self.epochs_before + self.epoch

    @property
    def tokens_per_second(self) -> float:
        """Return real tokens trained on per second of training steps."""
        return self.tokens / self.seconds if self.seconds else 0.0

    @property
    def examples_per_second(self) -> float:
        """Return examples trained on per second of training steps."""
        return self.examples / self.seconds if self.seconds else 0.0


def started(steps: int, epochs: float, monitor: str, *, steps_before: int = 0, epochs_before: int = 0) -> RunState:
    """Return the state of a run before its first step."""
    return RunState(
        0, steps, 0.0, epochs, 0.0, 0.0, 0.0, 0, 0, 0, 0.0, monitor, StopSwitch(),
        steps_before=steps_before, epochs_before=epochs_before,
    )  # fmt: skip


@dataclass(frozen=True)
class StepRecord:
    """One line of the history: a training step, counted over all fits of a learner."""

    step: int
    epoch: float
    loss: float
    lr: float


@dataclass(frozen=True)
class EvaluationRecord:
    """One evaluation of the validation rows. best: True if its score is the highest so far.

    averaged: of the mean of several weights, tried once at the end.    kept: of what the fit left in the model.
    collapsed: the rows all had the same answer.
    """

    step: int
    epoch: float
    train_loss: float
    scores: Mapping[str, float]
    best: bool
    averaged: bool = False
    kept: bool = False
    collapsed: bool = False


@dataclass(frozen=True)
class Stage:
    """One of the trainings that made a model, such as a fit, or the pairs of rows before it. name: for people.

    steps, seconds: of optimiser steps, without evaluation.    in_history: whether they are among those of the history.
    """

    name: str
    steps: int
    seconds: float
    in_history: bool = False


def together(name: str, stages: Sequence[Stage]) -> Stage:
    """Return several stages as one, which is not in the history."""
    return Stage(name, sum(one.steps for one in stages), sum(one.seconds for one in stages))


@dataclass
class History:
    """All steps and evaluations of a learner, over every `fit`. seconds: of training steps.

    stages: all that was trained, in order: those whose steps are here, and what other loops and models had.
    flop: that the real tokens of all steps needed; padding and what is computed twice count nothing.
    product_rate: FLOP per second of a matrix product in the precision of the run, the best measured on its machine.
    """

    steps: list[StepRecord] = field(default_factory=list)
    evaluations: list[EvaluationRecord] = field(default_factory=list)
    examples: int = 0
    tokens: int = 0
    padded_tokens: int = 0
    seconds: float = 0.0
    flop: float = 0.0
    product_rate: float = 0.0
    stages: list[Stage] = field(default_factory=list)

    @property
    def tokens_per_second(self) -> float:
        """Return real tokens trained on per second of training steps."""
        return self.tokens / self.seconds if self.seconds else 0.0

    @property
    def padding_share(self) -> float:
        """Return the share of the tokens computed that were padding."""
        return 1 - self.tokens / self.padded_tokens if self.padded_tokens else 0.0

    @property
    def mfu(self) -> float:
        """Return the model FLOP utilisation: FLOP of the real tokens' work, by what the machine could have done.

        After Chowdhery et al. 2022 (arXiv 2204.02311, appendix B), but by the measured rate of a matrix product
        and not by a data sheet, and of real tokens only: padding lowers it.
        """
        return self.flop / (self.seconds * self.product_rate) if self.seconds and self.product_rate else 0.0

    def describe_speed(self) -> str:
        """Return one phrase: rate, padding and utilisation of the training steps."""
        return (
            f"{self.tokens_per_second:,.0f} tokens/s, {100 * self.padding_share:.1f} % padding, "
            f"{utilisation(self.mfu, self.product_rate)}"
        )

    def to_json(self) -> dict[str, object]:
        """Return plain values: evaluations whole, steps thinned to at most 500."""
        stride = max(1, -(-len(self.steps) // 500))
        return {
            "steps": [[record.step, round(record.loss, 5), record.lr] for record in self.steps[::stride]],
            "evaluations": [
                {
                    "step": record.step,
                    "epoch": round(record.epoch, 3),
                    "train_loss": round(record.train_loss, 5),
                    "scores": dict(record.scores),
                    "best": record.best,
                    "averaged": record.averaged,
                    "kept": record.kept,
                    **({"collapsed": True} if record.collapsed else {}),
                }
                for record in self.evaluations
            ],
            "examples": self.examples,
            "tokens": self.tokens,
            "padding_share": round(self.padding_share, 4),
            "seconds": round(self.seconds, 3),
            "flop": self.flop,
            "product_rate": self.product_rate,
            "mfu": round(self.mfu, 4),
            **(
                {"stages": [{**asdict(one), "seconds": round(one.seconds, 3)} for one in self.stages]}
                if self.stages
                else {}
            ),
        }
