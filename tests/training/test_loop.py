"""The loop seen from outside: which rows, which rates, which events, and which weights remain."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
import torch
from torch import nn

from fastbert.data.batches import num_steps
from fastbert.errors import TrainingError
from fastbert.models.freezing import layer_groups
from fastbert.tasks.classification import SingleLabel
from fastbert.training.callbacks import Callback
from fastbert.training.learner import Learner
from fastbert.training.loop import evaluation_steps, whole_epochs
from fastbert.training.state import RunState
from tests.feedback import Recorder, differing, make_data, make_learner, weights, with_task
from tests.training.doubles import NAMES, Snapshots, noting_data, scripted_data
from tests.training.test_step import BrokenLoss

STEPS = 4  # of an epoch: 32 rows in batches of 8


class GroupWatch(Callback):
    """Notes at each step the layer groups that are trained."""

    def __init__(self) -> None:
        self.learner: Learner | None = None
        self.trained: list[list[str]] = []

    def on_step(self, state: RunState) -> None:
        assert self.learner is not None
        groups = layer_groups(self.learner.model)
        self.trained.append([group.name for group in groups if group.parameters[0].requires_grad])


# --- repeatable ---------------------------------------------------------------------------------------


def test_two_runs_with_the_same_seed_give_the_same_bits(encoder: str) -> None:
    first, second = make_learner(encoder).fit(), make_learner(encoder).fit()

    assert differing(weights(first.model), weights(second.model)) == []


def test_another_seed_gives_other_weights(encoder: str) -> None:
    first, second = make_learner(encoder).fit(), make_learner(encoder, seed=43).fit()

    assert differing(weights(first.model), weights(second.model)) != []


def test_what_happened_before_does_not_matter_to_a_run(encoder: str) -> None:
    first = make_learner(encoder).fit()
    second = make_learner(encoder)
    torch.rand(7)
    second.evaluate()
    second.plan()

    second.fit()

    assert differing(weights(first.model), weights(second.model)) == []


@pytest.mark.parametrize("batch_tokens", [16, 40, 60])
def test_accumulation_does_not_change_the_order_of_rows(batch_tokens: int, encoder: str) -> None:
    data, whole = noting_data()
    make_learner(encoder, data).fit()
    data, parted = noting_data()
    make_learner(encoder, data, batch_tokens=batch_tokens).fit()

    assert len(parted.parts) > len(whole.parts)
    assert parted.order == whole.order


def test_accumulation_leads_to_the_same_weights(encoder: str) -> None:
    # Dropout draws other numbers for other parts, so it is switched off.
    whole, parted = make_learner(encoder), make_learner(encoder, batch_tokens=40)
    _switch_dropout_off(whole.model)
    _switch_dropout_off(parted.model)

    whole.fit(optimizer="sgd", lr=0.01)
    parted.fit(optimizer="sgd", lr=0.01)

    other = weights(parted.model)
    assert all(torch.allclose(value, other[name], atol=1e-6) for name, value in weights(whole.model).items())


def _switch_dropout_off(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


# --- rows and steps -----------------------------------------------------------------------------------


def test_every_row_is_trained_on_once_an_epoch(encoder: str) -> None:
    data, task = noting_data()

    make_learner(encoder, data).fit(epochs=2)

    assert sorted(task.order[:32]) == sorted(task.order[32:]) == list(range(32))


def test_a_second_epoch_has_another_order(encoder: str) -> None:
    data, task = noting_data()

    make_learner(encoder, data).fit(epochs=2)

    assert task.order[:32] != task.order[32:]


def test_the_last_rows_of_an_epoch_are_a_step_of_their_own(encoder: str) -> None:
    data, task = noting_data()  # W18: there, they leaked into the next epoch

    learner = make_learner(encoder, data, batch_size=10).fit(epochs=2)

    assert sorted(map(len, task.parts[:4])) == sorted(map(len, task.parts[4:])) == [2, 10, 10, 10]
    assert learner.last_run.step == 8


def test_fewer_rows_than_a_batch_are_one_step_an_epoch(encoder: str) -> None:
    data, task = noting_data(10)  # W18: there, a division by zero

    learner = make_learner(encoder, data, batch_size=32).fit(epochs=3)

    assert list(map(len, task.parts)) == [8, 8, 8]
    assert all(math.isfinite(record.train_loss) for record in learner.history.evaluations)


@pytest.mark.parametrize(("epochs", "steps"), [(0.5, 2), (0.3, 2), (1.0, 4), (1.5, 6), (0.01, 1)])
def test_a_fraction_of_an_epoch_is_that_fraction_of_its_steps(epochs: float, steps: int, encoder: str) -> None:
    recorder = Recorder()

    learner = make_learner(encoder, callbacks=[recorder]).fit(epochs=epochs)

    assert len(recorder.rates) == learner.last_run.step == learner.last_plan.steps == steps
    assert learner.last_run.epoch == steps / STEPS


# --- rates --------------------------------------------------------------------------------------------


def test_the_rate_of_each_step_is_that_of_the_schedule(encoder: str) -> None:
    recorder = Recorder()
    learner = make_learner(encoder, callbacks=[recorder])

    learner.fit(epochs=2, lr=1e-3, schedule="warmup_linear", warmup=2.0)

    assert recorder.rates == pytest.approx([0.0, 5e-4, 1e-3, 5e-3 / 6, 4e-3 / 6, 3e-3 / 6, 2e-3 / 6, 1e-3 / 6])


def test_the_history_has_the_rate_of_each_step(encoder: str) -> None:
    recorder = Recorder()

    learner = make_learner(encoder, callbacks=[recorder]).fit()

    assert [record.lr for record in learner.history.steps] == recorder.rates


# --- events -------------------------------------------------------------------------------------------


def test_events_come_in_order(encoder: str) -> None:
    recorder = Recorder()

    make_learner(encoder, scripted_data(0.5, 0.4), callbacks=[recorder]).fit(epochs=2)

    assert recorder.events == [
        "start", *["step"] * STEPS, "evaluate", "checkpoint", *["step"] * STEPS, "evaluate", "finish",
    ]  # fmt: skip


def test_every_callback_hears_of_every_event(encoder: str) -> None:
    first, second = Recorder(), Recorder()

    make_learner(encoder, callbacks=[first, second]).fit(epochs=1)

    assert first.events == second.events


def test_states_count_steps_and_epochs(encoder: str) -> None:
    recorder = Recorder()

    make_learner(encoder, callbacks=[recorder]).fit(epochs=1)

    steps = [state for event, state in zip(recorder.events, recorder.states, strict=True) if event == "step"]
    assert [state.step for state in steps] == [1, 2, 3, 4]
    assert [state.epoch for state in steps] == [0.25, 0.5, 0.75, 1.0]
    assert [state.examples for state in steps] == [8, 16, 24, 32]
    assert {state.total_steps for state in steps} == {4}


def test_an_evaluation_shows_its_scores_and_the_best(encoder: str) -> None:
    recorder = Recorder()

    make_learner(encoder, scripted_data(0.5, 0.7, 0.6), callbacks=[recorder]).fit(epochs=3)

    states = [state for event, state in zip(recorder.events, recorder.states, strict=True) if event == "evaluate"]
    assert [state.scores["f1_macro"] for state in states] == [0.5, 0.7, 0.6]
    assert [state.best_score for state in states] == [0.5, 0.7, 0.7]
    assert [state.best_step for state in states] == [4, 8, 8]


def test_an_error_is_told_and_raised_again(encoder: str) -> None:
    recorder = Recorder()
    learner = make_learner(encoder, with_task(make_data(), BrokenLoss(NAMES)), callbacks=[recorder])

    with pytest.raises(TrainingError, match="diverged"):
        learner.fit()

    assert recorder.events == ["start", "error TrainingError"]


def test_an_error_is_told_with_the_step_before_it(encoder: str) -> None:
    class LateError(SingleLabel):
        def loss(
            self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
        ) -> tuple[torch.Tensor, float]:
            if recorder.states and recorder.states[-1].step == 5:
                raise RuntimeError("broken")
            return super().loss(outputs, batch)

    recorder = Recorder()
    learner = make_learner(encoder, with_task(make_data(), LateError(NAMES)), callbacks=[recorder])

    with pytest.raises(RuntimeError, match="broken"):
        learner.fit(epochs=2)

    assert recorder.events[-1] == "error RuntimeError"
    assert recorder.states[-1].step == 5


# --- stopping -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop_at", [1, 3, 6])
def test_a_wish_to_stop_is_honoured_at_the_step(stop_at: int, encoder: str) -> None:
    recorder = Recorder(stop_at)  # W6: there, the wish was never read

    learner = make_learner(encoder, callbacks=[recorder]).fit(epochs=3)

    assert recorder.events.count("step") == learner.last_run.step == stop_at
    assert learner.last_run.stop.reason == "enough"


def test_a_stopped_run_is_evaluated_once_more(encoder: str) -> None:
    recorder = Recorder(stop_at=2)

    make_learner(encoder, scripted_data(0.5), callbacks=[recorder]).fit(epochs=3)

    assert recorder.events[-4:] == ["step", "evaluate", "checkpoint", "finish"]


def test_patience_ends_a_run(encoder: str) -> None:
    recorder = Recorder()

    learner = make_learner(encoder, scripted_data(0.5, 0.4, 0.3), callbacks=[recorder], patience=2).fit(epochs=9)

    assert recorder.events.count("evaluate") == 3
    assert learner.last_run.stop.reason == "no better f1_macro in 2 evaluations"


# --- evaluations and the kept weights -----------------------------------------------------------------


@pytest.mark.parametrize(("evaluations", "steps"), [(1, [4, 8]), (2, [2, 4, 6, 8]), (4, [*range(1, 9)])])
def test_evaluations_are_spread_over_an_epoch(evaluations: int, steps: list[int], encoder: str) -> None:
    learner = make_learner(encoder, evaluations_per_epoch=evaluations).fit(epochs=2)

    assert [record.step for record in learner.history.evaluations] == steps


def test_the_weights_of_the_highest_score_are_in_the_model_after_fit(encoder: str) -> None:
    watch = Snapshots()
    watch.learner = learner = make_learner(encoder, scripted_data(0.1, 0.9, 0.5), callbacks=[watch])

    learner.fit(epochs=3)

    assert differing(watch.kept[1], watch.kept[2]) != []
    assert differing(weights(learner.model), watch.kept[1]) == []


def test_scores_after_fit_are_those_of_the_evaluation_that_was_kept(encoder: str) -> None:
    learner = make_learner(encoder).fit(epochs=4, lr=5e-3)

    (kept,) = [record for record in learner.history.evaluations if record.kept]

    assert learner.evaluate()["f1_macro"] == kept.scores["f1_macro"]


def test_of_equal_scores_the_first_counts_as_best(encoder: str) -> None:
    learner = make_learner(encoder, scripted_data(0.5, 0.5, 0.5)).fit(epochs=3)

    assert [record.best for record in learner.history.evaluations] == [True, False, False]


def test_training_loss_of_an_evaluation_is_the_mean_since_the_last_one(encoder: str) -> None:
    learner = make_learner(encoder).fit(epochs=2)
    learner.fit(epochs=1)

    losses = [record.loss for record in learner.history.steps]

    assert [record.train_loss for record in learner.history.evaluations] == pytest.approx(
        [sum(losses[:4]) / 4, sum(losses[4:8]) / 4, sum(losses[8:]) / 4]
    )


def test_the_history_counts_steps_and_epochs_over_all_fits(encoder: str) -> None:
    learner = make_learner(encoder).fit(epochs=1)
    learner.fit(epochs=1)

    assert [record.step for record in learner.history.steps] == [*range(1, 9)]
    assert [record.epoch for record in learner.history.evaluations] == [1.0, 2.0]
    assert learner.history.examples == 64


def test_without_its_monitored_score_a_run_is_judged_by_log_loss(encoder: str) -> None:
    class Undefined(SingleLabel):
        def score(self, predictions: object, examples: object) -> dict[str, float]:
            return {"log_loss": losses.pop(0)}

        def score_error(self, predictions: object, examples: object, against: object = None) -> float:
            return 0.0

    losses = [0.5, 0.4, 0.6]

    named: list[str] = []

    class Names(Callback):
        def on_evaluate(self, state: RunState) -> None:
            named.append(state.monitor)

    learner = make_learner(encoder, with_task(make_data(), Undefined(NAMES)), callbacks=[Names()]).fit(epochs=3)

    assert [record.best for record in learner.history.evaluations] == [True, True, False]
    assert named == ["log_loss"] * 3


# --- gradual unfreezing -------------------------------------------------------------------------------


def test_gradual_unfreezing_frees_one_group_an_epoch(encoder: str) -> None:
    watch = GroupWatch()
    watch.learner = learner = make_learner(encoder, callbacks=[watch], freeze="gradual", batch_size=32)

    learner.fit(epochs=5)

    assert watch.trained == [
        ["head"],
        ["layer 1", "head"],
        ["layer 0", "layer 1", "head"],
        ["embeddings", "layer 0", "layer 1", "head"],
        ["embeddings", "layer 0", "layer 1", "head"],
    ]


def test_groups_that_are_not_yet_free_do_not_move(encoder: str) -> None:
    learner = make_learner(encoder, scripted_data(0.1, 0.2), freeze="gradual", schedule="none")
    before = weights(learner.model)

    learner.fit(epochs=2)

    moved = differing(before, weights(learner.model))
    assert not [name for name in moved if "embeddings" in name or "layer.0" in name]
    assert [name for name in moved if "layer.1" in name]


# --- small parts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("num_steps_of_epoch", "evaluations", "steps"),
    [(10, 1, {10}), (10, 2, {5, 10}), (10, 3, {3, 7, 10}), (2, 5, {1, 2}), (1, 1, {1})],
)
def test_the_last_step_is_always_evaluated(num_steps_of_epoch: int, evaluations: int, steps: set[int]) -> None:
    assert evaluation_steps(num_steps_of_epoch, evaluations) == steps


@pytest.mark.parametrize(("steps", "epochs"), [(1, 1), (4, 1), (5, 2), (8, 2)])
def test_an_unfinished_epoch_counts_as_one(steps: int, epochs: int) -> None:
    assert num_steps(32, 8) == STEPS
    assert whole_epochs(32, 8, steps) == epochs
