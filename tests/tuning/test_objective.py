"""One trial: what it gives, and how it is ended early."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fastbert.config import TrainConfig
from fastbert.errors import ConfigError, TrainingError
from fastbert.training.learner import Learner
from fastbert.training.state import RunState, StopSwitch
from fastbert.tuning.material import Material
from fastbert.tuning.objective import PRUNED, Attempt, Ended, Watch
from fastbert.tuning.space import Choice, Range, Scalar, Space
from fastbert.tuning.study import LATE
from tests.feedback import make_data
from tests.tuning.small import noting

BASE = TrainConfig(precision="fp32", epochs=2, average=1)
SPACE = Space({"lr": Range(0.1, 10, log=True, times=True), "batch_size": Choice((4, 8))})
USUAL: dict[str, Scalar] = {"lr": 1.0, "batch_size": 8}


def never(score: float, tenth: int) -> bool:
    return False


def make(encoder: str, drawn: dict[str, Scalar] | None = None, splits: int = 1, space: Space = SPACE) -> Attempt:
    return Attempt.make(Material.of(make_data(), splits, seed=0), space, drawn or USUAL, BASE.changed(encoder=encoder))


def test_a_trial_with_the_usual_options_is_a_training_without_a_search(encoder: str) -> None:
    outcome = make(encoder).run(never, lambda: 1e9)
    plain = Learner(make_data(), config=BASE.changed(encoder=encoder, batch_size=8)).fit()

    assert outcome.scores == plain.evaluate("valid")
    assert outcome.value == plain.evaluate("valid")["f1_macro"]
    assert (outcome.epochs, outcome.note, outcome.evidence.inside_D.shape) == (2.0, "", (50,))


def test_factors_are_on_what_the_recipe_chooses_for_the_trial(encoder: str) -> None:
    small, large = (make(encoder, {"lr": 2.0, "batch_size": size}) for size in (4, 8))

    # the recipe's rate grows with the root of the batch
    assert float(str(large.options["lr"])) / float(str(small.options["lr"])) == pytest.approx(2**0.5, rel=0.05)
    assert small.options["lr"] == pytest.approx(2 * (small.first.plan(estimate=False).config.lr or 0))
    assert small.epochs == 2.0 and small.kind == large.kind


def test_several_splits_are_scored_together(encoder: str) -> None:
    attempt = make(encoder, splits=2)
    outcome = attempt.run(never, lambda: 1e9)

    assert outcome.learner is None and outcome.epochs == attempt.epochs == 4.0
    assert len(attempt.material.examples) == 2 * len(attempt.material.splits[0].examples("valid"))


def test_a_trial_below_the_others_asks_to_stop_and_says_how_far_it_came(encoder: str) -> None:
    told: list[int] = []

    def report(score: float, tenth: int) -> bool:
        told.append(tenth)
        return True

    with pytest.raises(Ended) as caught:
        make(encoder).run(report, lambda: 1e9)

    assert (caught.value.note, caught.value.epochs) == (PRUNED, 1.0)
    assert caught.value.value is not None and told == [0, 1, 2, 3, 4, 5]


def test_the_deadline_ends_a_trial_and_the_first_one_is_kept_nevertheless(encoder: str) -> None:
    left = iter([1e9, -1.0, *[-1.0] * 99])
    with pytest.raises(Ended, match=LATE):
        make(encoder).run(never, lambda: next(left))
    left = iter([1e9, -1.0, *[-1.0] * 99])
    outcome = make(encoder).run(never, lambda: next(left), keep_late=True)

    assert outcome.note == LATE and outcome.epochs == 0.5 and outcome.learner is not None


def test_options_that_diverge_are_a_result(encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(self: Learner, **options: object) -> Learner:
        raise TrainingError("The loss is nan: training has diverged.")

    attempt = make(encoder)
    monkeypatch.setattr(Learner, "fit", diverge)

    with pytest.raises(Ended, match="training has diverged"):
        attempt.run(never, lambda: 1e9)


def test_options_that_do_not_go_together_are_refused_before_training(encoder: str) -> None:
    space = Space({"schedule": Choice(("wsd",)), "warmup": Choice((0.9,))})

    with pytest.raises(ConfigError, match="warmup"):
        make(encoder, {"schedule": "wsd", "warmup": 0.9}, space=space)


def state(step: int, total: int, score: float) -> RunState:
    blank = RunState(0, 1, 0.0, 1.0, 0.0, 0.0, 0.0, 0, 0, 0, 0.0, "f1", StopSwitch())
    return replace(blank, step=step, total_steps=total, best_score=score, stop=StopSwitch())


@pytest.mark.parametrize(
    ("total", "tenths"), [(3, [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]), (2, [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]])]
)
def test_trainings_of_any_length_are_told_by_the_share_that_is_done(total: int, tenths: list[list[int]]) -> None:
    told: list[tuple[float, int]] = []
    watch = Watch(1, noting(told, never, lambda score, tenth: (score, tenth)), lambda: 1e9)
    watch.on_start(state(0, total, 0.0))
    for step in range(1, total + 1):
        watch.on_evaluate(state(step, total, step / 10))

    assert told == [(step / 10, tenth) for step, found in enumerate(tenths, start=1) for tenth in found]


def test_splits_that_are_done_count_with_the_one_that_runs() -> None:
    told: list[tuple[float, int]] = []
    watch = Watch(2, noting(told, never, lambda score, tenth: (score, tenth)), lambda: 1e9)
    for score in (0.4, 0.8):
        watch.on_start(state(0, 1, 0.0))
        watch.on_evaluate(state(1, 1, score))

    assert told == [(0.4, tenth) for tenth in range(6)] + [(pytest.approx(0.6), tenth) for tenth in range(6, 10)]
