"""What a fit leaves in the model: the mean of the weights it kept, or the latest of them."""

from __future__ import annotations

import pytest
import torch

from fastbert.training.learner import Learner
from tests.feedback import Recorder, differing, make_learner, weights
from tests.training.doubles import Snapshots, scripted_data


def averaging(encoder: str, *scores: float) -> tuple[Learner, Snapshots, Recorder]:
    """Return a learner trained for three epochs; a fourth score is that of the mean. The error is 0.05."""
    watch, recorder = Snapshots(), Recorder()
    learner = make_learner(encoder, scripted_data(*scores, error=0.05), callbacks=[watch, recorder], average=2)
    watch.learner = learner
    return learner.fit(epochs=3), watch, recorder


def test_a_mean_that_scores_as_high_is_kept(encoder: str) -> None:
    learner, watch, _ = averaging(encoder, 0.55, 0.4, 0.6, 0.6)

    after = weights(learner.model)

    means = {name: (value + watch.kept[2][name]) / 2 for name, value in watch.kept[0].items()}
    assert all(torch.allclose(after[name], mean, atol=1e-7) for name, mean in means.items())
    assert learner.last_run.kept_steps == (4, 12)


def test_a_mean_that_scores_lower_than_the_latest_is_dropped(encoder: str) -> None:
    learner, watch, recorder = averaging(encoder, 0.55, 0.4, 0.6, 0.59)

    assert differing(weights(learner.model), watch.kept[2]) == []
    assert [record.kept for record in learner.history.evaluations] == [False, False, True]
    assert recorder.events[-2:] == ["checkpoint", "finish"]


def test_a_mean_that_is_kept_is_in_the_history(encoder: str) -> None:
    learner, _, recorder = averaging(encoder, 0.55, 0.4, 0.6, 0.7)

    record = learner.history.evaluations[-1]
    assert (record.step, record.scores["f1_macro"], record.averaged, record.kept) == (12, 0.7, True, True)
    assert [record.kept for record in learner.history.evaluations] == [False, False, False, True]
    assert recorder.events[-3:] == ["checkpoint", "checkpoint", "finish"]


def test_the_latest_weights_that_are_no_worse_are_kept_not_the_luckiest(encoder: str) -> None:
    """The jigsaw sample: 100 validation rows, the highest score after the first of 12 epochs."""
    learner, watch, recorder = averaging(encoder, 0.6, 0.55, 0.56, 0.1)

    assert differing(weights(learner.model), watch.kept[2]) == []
    assert (learner.last_run.best_step, learner.last_run.kept_steps) == (4, (12,))
    assert recorder.events.count("checkpoint") == 3


def test_the_scores_of_the_last_state_are_those_of_what_is_kept(encoder: str) -> None:
    learner, _, recorder = averaging(encoder, 0.6, 0.58, 0.3, 0.1)

    assert recorder.states[-1].scores == learner.last_run.scores == {"f1_macro": 0.58}
    assert learner.last_run.kept_steps == (8,)


def test_a_second_fit_counts_its_own_steps(encoder: str) -> None:
    learner = make_learner(encoder, scripted_data(0.5, 0.6)).fit(epochs=1)

    learner.fit(epochs=1)

    assert learner.last_run.kept_steps == (4,)
    assert [record.kept for record in learner.history.evaluations] == [True, True]


@pytest.mark.parametrize(("epochs", "average"), [(1, 3), (2, 1)], ids=["one evaluation", "not wanted"])
def test_nothing_is_averaged_where_there_is_one_copy(epochs: int, average: int, encoder: str) -> None:
    data = scripted_data(0.5, 0.6, 0.7, error=0.2)

    make_learner(encoder, data).fit(epochs=epochs, average=average)

    assert data.task.script == [0.5, 0.6, 0.7][epochs:]  # type: ignore[attr-defined]  # of ScriptedTask
