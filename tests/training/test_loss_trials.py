"""The loss "auto" in a learner: what is tried, what it costs, and that nothing else changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import torch

from fastbert.data.databunch import DataBunch
from fastbert.display import View
from fastbert.tasks.base import Example, Prediction, Task
from fastbert.training import loss_trials
from fastbert.training.callbacks import Callback
from fastbert.training.loss_choice import TRIAL_SHARE, LossChoice
from fastbert.training.loss_trials import choose_loss, trials_ahead
from tests.feedback import feedback_rows, make_learner, weights


class Parts(Callback):
    """Notes the parts of a command and the epochs of each."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_part(self, name: str) -> None:
        self.seen.append(name)


@pytest.fixture
def rare() -> DataBunch:
    rows = feedback_rows(48)
    few = [row for row in rows if row["label"] == "bug"] + [row for row in rows if row["label"] == "praise"][:4]
    return DataBunch.from_files(few, few)


@pytest.fixture
def resampled_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(
        task: Task, ratio: float, splits: int, answers: Mapping[str, Sequence[Prediction]], rows: Sequence[Example]
    ) -> LossChoice:
        scores = {name: 0.75 if name == "resampled" else 0.5 for name in answers}
        return LossChoice(task.monitor, ratio, splits, len(rows), scores, dict.fromkeys(answers, 0.0))

    monkeypatch.setattr(loss_trials, "judge", judge)


@pytest.mark.usefixtures("resampled_wins")
def test_the_model_is_that_of_the_chosen_loss_alone(rare: DataBunch, encoder: str) -> None:
    """What is trained after the trials must be what that loss alone gives, bit for bit."""
    auto = make_learner(encoder, rare, loss="auto").fit(epochs=1)
    alone = make_learner(encoder, rare, loss="resampled").fit(epochs=1)

    ours, others = weights(auto.model), weights(alone.model)
    assert auto.config.loss == "resampled" and auto.data.task == alone.data.task
    assert all(torch.equal(ours[name], others[name]) for name in others)


@pytest.mark.usefixtures("resampled_wins")
def test_what_is_tried_and_chosen_is_said_and_kept(rare: DataBunch, encoder: str) -> None:
    parts, shown = Parts(), list[View]()
    learner = make_learner(encoder, rare, loss="auto", callbacks=[parts])

    choose_loss(learner, shown.append)
    choose_loss(learner, shown.append)  # no second time

    names = ["default", "balanced", "focal", "resampled"]
    assert parts.seen == [*(f"trial: loss {name}" for name in names), "training: loss resampled"]
    assert len(shown) == 5 and "Losses tried" in repr(shown[-1])
    assert any(reason.startswith("loss resampled: its gain") for reason in learner.fit().last_plan.reasons)
    choice = learner.facts["loss_choice"]
    assert isinstance(choice, dict) and choice["kept"] == "resampled"


def test_trials_are_in_the_plan_and_in_its_estimate(rare: DataBunch, encoder: str) -> None:
    learner = make_learner(encoder, rare, loss="auto", epochs=3)

    times, sentences = trials_ahead(learner, learner.config)
    repeated = sum(make_learner(encoder, rare, loss="resampled").data.round_rows) / 28

    assert times == pytest.approx(1 + TRIAL_SHARE * (3 + repeated))
    assert sentences[0] in learner.plan(estimate=False).reasons
    assert trials_ahead(learner, learner.config.changed(loss="focal")) == (1.0, ())
    plan = learner.plan()
    learner.fit()
    assert learner.last_plan.seconds == plan.seconds > 0


def test_even_labels_are_trained_by_default_with_a_reason(encoder: str) -> None:
    parts = Parts()
    learner = make_learner(encoder, loss="auto", callbacks=[parts]).fit(epochs=1)

    assert parts.seen == [] and learner.config.loss == "default"
    assert "loss default: the rarest label is 1.0 times as rare" in " ".join(learner.last_plan.reasons)


# --- repeated rows ------------------------------------------------------------------------------------------


def test_accumulation_does_not_change_what_repeated_rows_teach(rare: DataBunch, encoder: str) -> None:
    whole = make_learner(encoder, rare, loss="resampled", schedule="none")
    parts = make_learner(encoder, rare, loss="resampled", schedule="none", batch_tokens=24)
    for module in (*whole.model.modules(), *parts.model.modules()):
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0

    whole.fit(epochs=1)
    parts.fit(epochs=1)

    losses = [[record.loss for record in learner.history.steps] for learner in (whole, parts)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_steps_are_planned_with_the_rows_that_come_again(rare: DataBunch, encoder: str) -> None:
    learner = make_learner(encoder, rare, loss="resampled")

    plan = learner.plan(estimate=False, epochs=2)
    learner.fit(epochs=2)

    assert plan.steps == len(learner.history.steps)
    assert learner.history.examples == 2 * sum(learner.data.round_rows) > 2 * 28
    assert learner._epochs_done == 2
