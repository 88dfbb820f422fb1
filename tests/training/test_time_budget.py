"""Trainings that end in time: what is chosen by the cost of an epoch, and the watch that stops a slow one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fastbert.config import TrainConfig
from fastbert.training import probe
from fastbert.training.plan import Cost
from fastbert.training.state import RunState
from fastbert.training.time_budget import LEAST_STEPS, RESERVE, Course, Fitted, OutOfTime, Pace, TimeLimit, fit_into
from tests.feedback import Recorder, make_learner

COST = Cost(once_s=0.0, epoch_s=100.0)
STEPS = 1000


def config(budget: str | None, **options: object) -> TrainConfig:
    return TrainConfig(epochs=3.0, lr=1e-4, start="plain", time_budget=budget).changed(**options)


def fitted(*courses: Course) -> tuple[TrainConfig, str]:
    """Return the configuration that fits, and why."""
    found = fit_into(courses, STEPS)
    return found.config, found.reasons[-1]


def test_without_a_budget_nothing_changes() -> None:
    assert fit_into([Course(config(None), COST)], STEPS) == Fitted(config(None), 300.0, 0.0, ())


def test_what_fits_stays() -> None:
    chosen, why = fitted(Course(config("10m"), COST))

    assert chosen == config("10m")
    assert why == "3 epochs fit in the time budget of 10m"


@pytest.mark.parametrize(("times", "epochs"), [(1.0, 1.8), (2.0, 0.9)])
def test_fewer_epochs_where_all_do_not_fit(times: float, epochs: float) -> None:
    cost = COST.times(1, times)

    chosen, why = fitted(Course(config("200s"), cost))

    assert chosen.epochs == pytest.approx(epochs)
    assert cost.seconds(epochs) <= 200 * (1 - RESERVE) + 1e-9
    assert why == f"{epochs:g} epochs instead of 3 fit in the time budget of 200s"


def test_the_head_alone_where_hardly_a_step_fits() -> None:
    chosen, why = fitted(Course(config("5s", r_drop=1.0), COST))

    assert 0.04 * STEPS < LEAST_STEPS
    assert (chosen.freeze, chosen.epochs, chosen.lr, chosen.head_lr_factor) == ("encoder", probe.EPOCHS, probe.LR, 1.0)
    assert chosen.r_drop == 0
    assert "there are 40 steps: the head alone is trained, on the frozen encoder, and even that may take longer" in why


def test_pairs_of_rows_that_do_not_fit_are_left_out() -> None:
    plain = Course(config("200s", epochs=20.0, head_lr_factor=10.0), COST)
    pairs = config("200s", start="contrastive", epochs=1.0, head_lr_factor=1.0)
    short, long = (
        Course(pairs, replace(COST, before_s=seconds), extra="pairs of rows", least_epochs=1.0)
        for seconds in (50.0, 3000.0)
    )

    assert fitted(short, plain)[0] == pairs
    chosen, why = fitted(long, plain)

    assert (chosen.start, chosen.epochs, chosen.head_lr_factor) == ("plain", 1.8, 10.0)
    assert why.startswith("pairs of rows do not fit in the time budget of 200s; 1.8 epochs instead of 20 fit")


def test_who_froze_the_encoder_gets_fewer_epochs_of_it() -> None:
    chosen, _ = fitted(Course(config("8s", freeze="encoder"), COST))

    assert (chosen.freeze, chosen.epochs) == ("encoder", 0.07)


def test_what_the_trials_used_is_taken_from_the_budget() -> None:
    found = fit_into([Course(config("200s"), COST)], STEPS, used_s=80.0)

    assert found.config.epochs == pytest.approx(1.0)
    assert found.reasons == ("1 epochs instead of 3 fit in what the trials left of the time budget of 200s",)


@pytest.mark.parametrize(("budget", "trialled"), [("900s", True), ("40s", False)])
def test_trials_are_shortened_with_the_training_or_left_out(budget: str, trialled: bool) -> None:
    trials = Course(config(budget), COST.times(5, 3), COST.times(4, 2), extra="trials of losses", least_epochs=0.15)

    found = fit_into([trials, Course(config(budget, loss="balanced"), COST)], STEPS)

    assert (found.config.loss == "default") == trialled
    assert found.trials_s == pytest.approx(found.seconds * 2 / 3 if trialled else 0.0)
    assert ("trials of losses do not fit in the time budget of 40s; 0.36 epochs" in found.reasons[0]) != trialled


def test_work_that_will_not_end_in_time_is_given_up_after_the_first_piece_that_shows_it() -> None:
    now = iter([0.0, 0.0, 9.0])  # at the start, and as each piece begins
    pace = Pace(5, 24.0, clock=lambda: next(now))

    pace.begin()
    with pytest.raises(OutOfTime) as caught:
        pace.begin()
    assert caught.value.needed_s == 9.0 + 4 * 9.0


def test_the_fastest_piece_says_how_long_the_others_take() -> None:
    now = iter([0.0, 0.0, 9.0, 12.0, 17.0, 21.0])
    pace = Pace(4, 36.0, clock=lambda: next(now))

    for _ in range(4):
        pace.begin()

    assert pace.used_s == 21.0


class Stopwatch(TimeLimit):
    """A watch whose seconds are the events it has seen: a step takes one, an evaluation three."""

    def __init__(self, seconds: float) -> None:
        self.now = 0.0
        super().__init__(seconds, clock=lambda: self.now)

    def on_step(self, state: RunState) -> None:
        self.now += 1
        super().on_step(state)

    def on_evaluate(self, state: RunState) -> None:
        self.now += 3
        super().on_evaluate(state)


def test_a_slow_training_is_stopped_in_time_and_keeps_what_it_has(encoder: str) -> None:
    watch = Stopwatch(seconds=15.0)

    learner = make_learner(encoder, epochs=9, callbacks=[watch]).fit()  # 4 steps and an evaluation: 7 seconds

    assert learner.last_run.stop.reason == "the time budget is used up"
    assert watch.now <= 15.0
    assert learner.last_run.scores and learner.last_run.kept_steps


@pytest.mark.parametrize(("start", "first"), [("probe", 40), ("contrastive", 80)])
def test_one_watch_is_over_all_that_a_fit_trains(
    start: str, first: int, encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes first has so many steps; without a watch of all it would take them, or leave a whole budget."""
    watch, seen = Stopwatch(seconds=15.0), Recorder()
    monkeypatch.setattr("fastbert.training.learner.time_limits", lambda *what: [watch])

    learner = make_learner(encoder, start=start, epochs=9, callbacks=[seen]).fit()

    steps = [state for event, state in zip(seen.events, seen.states, strict=True) if event == "step"]
    assert steps[0].total_steps == first and steps[-2].stop.reason == "the time budget is used up"
    assert 1 < len(steps) - 1 <= 15
    assert learner.last_run.step == 1 and learner.last_run.stop.reason == "the time budget is used up"


def test_a_fit_keeps_to_what_its_plan_said(encoder: str) -> None:
    learner = make_learner(encoder, time_budget="1h")
    plan = learner.plan()

    learner.fit()

    assert "2 epochs fit in the time budget of 1h" in plan.reasons
    assert learner.last_plan.config == plan.config and plan.seconds > 0
    assert learner.last_run.stop.reason is None


def test_a_fit_without_time_trains_the_head_alone(encoder: str) -> None:
    learner = make_learner(encoder, time_budget="1ms")

    learner.fit()

    assert learner.last_plan.config.freeze == "encoder"
    frozen = [not parameter.requires_grad for name, parameter in learner.model.named_parameters() if "layer." in name]
    assert frozen and all(frozen)
    assert learner.last_run.step == 1 and learner.last_run.stop.reason == "the time budget is used up"
