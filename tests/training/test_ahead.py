"""What a fit will do, as its plan says: completed options, and a time that is measured only where it is asked for."""

from __future__ import annotations

import pytest

from fastbert.errors import ConfigError
from fastbert.training.ahead import plan_fit
from fastbert.training.plan import Cost
from tests.feedback import differing, make_learner, weights


def test_open_options_are_completed_and_nothing_is_trained(encoder: str) -> None:
    learner = make_learner(encoder)
    before = weights(learner.model)

    plan = plan_fit(learner, {"epochs": None, "lr": None}, estimate=True)

    assert plan.config.lr and plan.config.epochs and plan.config.start == "plain"
    assert plan.steps == 4 * plan.config.epochs and plan.seconds > 0 and plan.memory_bytes > 0
    assert differing(before, weights(learner.model)) == []


def test_time_is_measured_where_it_is_asked_for_and_remembered(encoder: str) -> None:
    learner = make_learner(encoder)

    assert plan_fit(learner, {}, estimate=False).seconds == 0
    seconds = plan_fit(learner, {}, estimate=True).seconds

    assert seconds > 0
    assert plan_fit(learner, {}, estimate=False).seconds == seconds


def test_a_wrong_option_is_refused_before_anything_is_measured(encoder: str) -> None:
    learner = make_learner(encoder)

    with pytest.raises(ConfigError, match="Schedule 'up' is not known"):
        plan_fit(learner, {"schedule": "up"}, estimate=True)
    assert learner.measured == {}


@pytest.fixture
def second_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an epoch take one second, and one of the head alone a tenth after half a second for the frozen layers."""
    monkeypatch.setattr("fastbert.training.ahead.estimate_cost", lambda *what: Cost(0.0, 1.0))
    monkeypatch.setattr("fastbert.training.probe.estimate_cost", lambda *what: Cost(0.5, 0.1))


@pytest.mark.usefixtures("second_an_epoch")
@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({"start": "plain"}, 2.0),
        ({"start": "probe"}, 2.0 + 0.5 + 10 * 0.1),
        ({"start": "contrastive"}, 2.0 + 60.0),  # 80 steps of 24 rows for 32 rows
    ],
)
def test_what_comes_first_is_in_the_estimate(options: dict[str, object], seconds: float, encoder: str) -> None:
    learner = make_learner(encoder, **options)  # type: ignore[arg-type]  # any

    assert plan_fit(learner, {}, estimate=True).seconds == pytest.approx(seconds)


@pytest.mark.usefixtures("second_an_epoch")
def test_a_second_fit_does_not_pay_for_what_came_first(encoder: str) -> None:
    learner = make_learner(encoder, start="probe").fit(epochs=1)

    assert plan_fit(learner, {}, estimate=True).seconds == pytest.approx(2.0)


@pytest.mark.usefixtures("second_an_epoch")
def test_the_head_first_leaves_fewer_epochs_of_a_time_budget(encoder: str) -> None:
    learner = make_learner(encoder, start="probe", epochs=90, time_budget="100s")

    plan = plan_fit(learner, {}, estimate=False)

    assert (plan.config.start, plan.config.epochs) == ("probe", 88.5)
    assert plan.seconds == pytest.approx(90.0)


@pytest.mark.usefixtures("second_an_epoch")
def test_without_pairs_that_do_not_fit_the_choices_of_the_user_stay(encoder: str) -> None:
    learner = make_learner(encoder, start="contrastive", epochs=2, head_lr_factor=3.0, time_budget="10s")

    plan = plan_fit(learner, {}, estimate=False)

    assert (plan.config.start, plan.config.epochs, plan.config.head_lr_factor) == ("plain", 2.0, 3.0)
    assert "pairs of rows do not fit in the time budget of 10s; 2 epochs fit in the time budget of 10s" in plan.reasons


@pytest.mark.usefixtures("second_an_epoch")
def test_without_pairs_the_open_choices_are_those_of_a_plain_training(encoder: str) -> None:
    learner = make_learner(encoder, start="contrastive", epochs=None, time_budget="40s")

    plan = plan_fit(learner, {}, estimate=False)

    assert (plan.config.start, plan.config.epochs, plan.config.head_lr_factor) == ("plain", 20.0, 10.0)
    assert not any("after the pairs" in reason for reason in plan.reasons)
