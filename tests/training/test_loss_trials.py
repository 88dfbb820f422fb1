"""The loss "auto" in a learner: what is tried, what it costs, and that nothing else changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import torch

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.display import View
from fastbert.tasks.base import Example, Prediction, Task
from fastbert.training import loss_trials
from fastbert.training.callbacks import Callback
from fastbert.training.loss_choice import TRIAL_SHARE, LossChoice
from fastbert.training.loss_trials import choose_loss, trials_ahead
from fastbert.training.plan import Cost
from fastbert.training.trials import Trials
from tests.feedback import Recorder, feedback_rows, make_learner, weights


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
    tried, fitted = learner.history.stages
    assert (tried.name, tried.in_history, fitted.in_history) == ("trials of losses", False, True)
    assert tried.steps > 4 and tried.seconds > 0


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


# --- in a time budget ---------------------------------------------------------------------------------------


@pytest.fixture
def second_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastbert.training.ahead.estimate_cost", lambda *what: Cost(0.0, 1.0))


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> dict[str, TrainConfig]:
    """Run no trials, but note their configurations."""
    noted: dict[str, TrainConfig] = {}

    def run(data: DataBunch, configs: Mapping[str, TrainConfig], **more: object) -> Trials:
        noted.update(configs)
        return Trials(0, data.examples("valid"), {name: [] for name in configs}, own_split=True)

    monkeypatch.setattr("fastbert.training.trials.run_trials", run)
    return noted


@pytest.mark.usefixtures("resampled_wins", "second_an_epoch")
def test_trials_take_their_third_of_the_epochs_that_the_time_budget_holds(
    rare: DataBunch, encoder: str, tried: dict[str, TrainConfig]
) -> None:
    learner = make_learner(encoder, rare, loss="auto", epochs=100, time_budget="200s")
    plan = learner.plan()

    choose_loss(learner)

    assert plan.config.epochs is not None and 60 < plan.config.epochs < 90
    assert plan.seconds <= 180 and plan.seconds == pytest.approx(plan.trials_s + plan.config.epochs)
    assert [config.epochs for config in tried.values()] == pytest.approx([plan.config.epochs * TRIAL_SHARE] * 4)
    assert {config.time_budget for config in tried.values()} == {None}


@pytest.mark.usefixtures("resampled_wins", "second_an_epoch", "tried")
def test_what_the_trials_took_is_missing_in_the_training(
    rare: DataBunch, encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[float] = []

    def limits(config: TrainConfig, used_s: float) -> list[Callback]:
        used.append(used_s)
        return []

    stop = Recorder(stop_at=1)
    learner = make_learner(encoder, rare, loss="auto", epochs=100, time_budget="200s", callbacks=[stop])
    monkeypatch.setattr("fastbert.training.time_budget.Pace.used_s", 140.0)
    monkeypatch.setattr("fastbert.training.learner.time_limits", limits)

    learner.fit()

    assert learner.last_plan.config.epochs == 40.0  # of 180 seconds
    assert used == [140.0]
    assert learner.plan(estimate=False).config.epochs == 100.0  # the next fit has a budget of its own


@pytest.mark.usefixtures("second_an_epoch")
def test_trials_that_do_not_fit_are_left_out_with_a_reason(
    rare: DataBunch, encoder: str, tried: dict[str, TrainConfig]
) -> None:
    stop = Recorder(stop_at=1)
    learner = make_learner(encoder, rare, loss="auto", epochs=100, time_budget="70s", callbacks=[stop]).fit()

    assert tried == {} and learner.config.loss == "default"
    reasons = learner.last_plan.reasons
    said = "trials of losses do not fit in the time budget of 70s; 63 epochs instead of 100 fit"
    assert f"{said} in the time budget of 70s" in reasons
    assert not any("tried first" in reason for reason in reasons)


@pytest.mark.usefixtures("second_an_epoch")
def test_trials_that_prove_too_slow_are_given_up_for_the_default(
    rare: DataBunch, encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss_trials, "_seconds_for_trials", lambda plan: 0.0)
    parts, shown = Parts(), list[View]()
    learner = make_learner(encoder, rare, loss="auto", epochs=0.5, time_budget="1h", callbacks=[parts])

    choose_loss(learner, shown.append)

    assert parts.seen == ["trial: loss default", "training: loss default"]
    assert learner.config.loss == "default" and "loss_choice" not in learner.facts
    said = "loss default: at the pace of those that were run, the trials would have taken"
    assert said in repr(shown[-1]) and learner.reasons[-1].startswith(said)
    assert learner.reasons[-1].endswith("more than their part of the time budget of 1h")


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
