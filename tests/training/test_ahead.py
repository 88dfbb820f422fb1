"""What a fit will do, as its plan says: completed options, and a time that is measured only where it is asked for."""

from __future__ import annotations

import pytest

from fastbert.errors import ConfigError
from fastbert.training.ahead import plan_fit
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
