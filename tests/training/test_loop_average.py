"""The average of the best weights, tried once at the end of a fit."""

from __future__ import annotations

import pytest
import torch

from fastbert.training.learner import Learner
from tests.feedback import Recorder, differing, make_learner, weights
from tests.training.doubles import Snapshots, scripted_data


def averaging(encoder: str, *scores: float) -> tuple[Learner, Snapshots, Recorder]:
    """Return a learner trained for three epochs; a fourth score is that of the average of the best two."""
    watch, recorder = Snapshots(), Recorder()
    learner = make_learner(encoder, scripted_data(*scores), callbacks=[watch, recorder], average=2)
    watch.learner = learner
    return learner.fit(epochs=3), watch, recorder


def test_an_average_that_scores_as_high_is_kept(encoder: str) -> None:
    learner, watch, _ = averaging(encoder, 0.5, 0.4, 0.6, 0.6)

    after = weights(learner.model)

    means = {name: (value + watch.kept[2][name]) / 2 for name, value in watch.kept[0].items()}
    assert all(torch.allclose(after[name], mean, atol=1e-7) for name, mean in means.items())


def test_an_average_that_scores_lower_is_dropped(encoder: str) -> None:
    learner, watch, recorder = averaging(encoder, 0.5, 0.4, 0.6, 0.59)

    assert differing(weights(learner.model), watch.kept[2]) == []
    assert not learner.history.evaluations[-1].averaged
    assert recorder.events[-2:] == ["checkpoint", "finish"]


def test_an_average_that_is_kept_is_in_the_history(encoder: str) -> None:
    learner, _, recorder = averaging(encoder, 0.5, 0.4, 0.6, 0.7)

    record = learner.history.evaluations[-1]
    assert (record.step, record.scores["f1_macro"], record.best, record.averaged) == (12, 0.7, True, True)
    assert learner.last_run.best_score == 0.7
    assert recorder.events[-3:] == ["checkpoint", "checkpoint", "finish"]


@pytest.mark.parametrize(("epochs", "average"), [(1, 3), (2, 1)], ids=["one evaluation", "not wanted"])
def test_nothing_is_averaged_where_there_is_one_copy(epochs: int, average: int, encoder: str) -> None:
    data = scripted_data(0.5, 0.6, 0.7)

    make_learner(encoder, data).fit(epochs=epochs, average=average)

    assert data.task.script == [0.5, 0.6, 0.7][epochs:]  # type: ignore[attr-defined]  # of ScriptedTask
