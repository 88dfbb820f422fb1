"""The search itself: the first trial, how many there are, how it ends, and how it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
import pytest
from filelock import FileLock, Timeout

from fastbert.errors import ConfigError, TrainingError
from fastbert.tasks.base import Prediction
from fastbert.training.learner import Learner
from fastbert.tuning.keeping import LOCK
from fastbert.tuning.latency import Latency
from fastbert.tuning.objective import PRUNED, Attempt, Ended, Outcome, Watch
from fastbert.tuning.result import choose
from fastbert.tuning.search import Search, best_of, front
from fastbert.tuning.space import Scalar
from fastbert.tuning.study import LATE, Record, Trials, own_process, quiet
from tests.tuning.small import first_of_another, noting, options_of, prepared, record

ROOT = Path(__file__).resolve().parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from fastbert.tuning.objective import Watch
from fastbert.tuning.search import Search
from fastbert.tuning.study import quiet
from tests.tuning.small import prepared
done = []
step = Watch.on_step
def dying(watch, state):
    if len(done) == 2 and state.step == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    step(watch, state)
Watch.on_step = dying
with quiet():
    Search(prepared(sys.argv[1], Path(sys.argv[2]), trials=4), lambda record, best: done.append(record)).run()
"""
TAKING_PART = """
import sys
from pathlib import Path
from fastbert.tuning.search import Search
from fastbert.tuning.study import own_process, quiet
from tests.tuning.small import prepared
with quiet():
    search = Search(prepared(sys.argv[1], Path(sys.argv[2]), trials=8, epochs=3))
    found = search.run()
print(sum(one.owner == own_process() for one in found if one.counts))
"""


def run(tiny: str, folder: Path, **options: Any) -> tuple[Search, list[Record]]:  # noqa: ANN401
    with quiet():
        search = Search(prepared(tiny, folder, **options))
        return search, search.run()


@pytest.fixture(scope="module")
def whole(encoder: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Search, list[Record]]:
    """Return a search of four trials that nothing interrupted, which others are held against."""
    return run(encoder, tmp_path_factory.mktemp("whole"), trials=4)


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def test_the_first_trial_has_the_defaults_and_the_same_seed_tries_the_same(
    whole: tuple[Search, list[Record]], encoder: str, tmp_path: Path
) -> None:
    search, found = whole
    _, again = run(encoder, tmp_path, trials=4)

    assert found[0].first and found[0].options == search.prepared.usual
    assert len(options_of(found)) == 4 and options_of(found) == options_of(again)
    assert [one.value for one in found] == [one.value for one in again]
    assert search.reason == "4 trials were asked for"


def test_a_search_that_is_asked_for_more_goes_on(
    whole: tuple[Search, list[Record]], encoder: str, tmp_path: Path
) -> None:
    run(encoder, tmp_path, trials=2)
    _, found = run(encoder, tmp_path, trials=4)

    assert options_of(found) == options_of(whole[1])


@pytest.mark.skipif(os.name != "posix", reason="a process is killed by a signal")
def test_a_killed_search_goes_on_as_if_nothing_had_happened(
    whole: tuple[Search, list[Record]], encoder: str, tmp_path: Path
) -> None:
    process = start(KILLED, encoder, tmp_path)
    process.communicate()
    _, found = run(encoder, tmp_path, trials=4)

    assert process.returncode == -signal.SIGKILL
    assert [one.state for one in found].count("failed") == 1 and len(found) == 5
    assert options_of(found) == options_of(whole[1])
    assert [one.value for one in found if one.counts] == [one.value for one in whole[1]]


def test_two_processes_share_the_trials_of_a_study(encoder: str, tmp_path: Path) -> None:
    processes = [start(TAKING_PART, encoder, tmp_path) for _ in range(2)]
    outputs = [process.communicate() for process in processes]
    _, found = run(encoder, tmp_path, trials=8, epochs=3)  # nothing is left to do

    assert [process.returncode for process in processes] == [0, 0], outputs
    counts = [int(out) for out, _ in outputs]
    assert sum(counts) == 8 == len(options_of(found))
    assert sum(one.first for one in found if one.counts) == 1
    assert len({str(options) for options in options_of(found)}) >= 7  # they draw from different places


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")  # of a trial that nobody runs
def test_a_first_trial_that_is_lost_with_its_process_is_run_by_another(encoder: str, tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    found = prepared(encoder, tmp_path, trials=2, timeout="10m")  # else it could go on for ever
    with quiet():
        lost = first_of_another(found, os.getppid())
        kill = {**own_process(), "pid": ended.pid}
        search = Search(found, lambda record, best: lost.set_user_attr("owner", kill) if record.number == 1 else None)
        records = search.run()

    assert [(one.state, one.first) for one in records] == [("failed", True), ("complete", False), ("complete", True)]
    assert records[-1].options == found.usual and search.reason == "2 trials were asked for"


def test_trials_are_drawn_by_one_process_at_a_time_and_run_beside_each_other(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = prepared(encoder, tmp_path, trials=1)
    lock, held = FileLock(found.place.folder / LOCK), list[bool]()

    def is_held() -> bool:
        try:
            with lock.acquire(blocking=False):
                return False
        except Timeout:
            return True

    ask = optuna.Study.ask
    monkeypatch.setattr(optuna.Study, "ask", noting(held, ask, lambda *a, **k: is_held()))
    monkeypatch.setattr(Attempt, "run", noting(held, Attempt.run, lambda *a, **k: is_held()))
    with quiet():
        Search(found).run()

    assert held == [True, False]


def drawing(monkeypatch: pytest.MonkeyPatch, values: Sequence[Scalar]) -> None:
    """Have trials draw these values of an option, and go on with the last one; what is enqueued is drawn as it is."""
    left, draw = list(values), Trials.draw

    def suggest(*arguments: object, **more: object) -> Any:  # noqa: ANN401  # as Optuna has it
        return left.pop(0) if left[1:] else left[0]

    def scripted(trials: Trials, trial: optuna.Trial) -> dict[str, Scalar]:
        if "first" not in trial.user_attrs:
            monkeypatch.setattr(trial, "suggest_categorical", suggest)
            monkeypatch.setattr(trial, "suggest_float", suggest)
        return draw(trials, trial)

    monkeypatch.setattr(Trials, "draw", scripted)


def test_a_trial_like_an_earlier_one_is_not_trained_again_and_does_not_count(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Attempt] = []
    monkeypatch.setattr(Attempt, "run", noting(trained, Attempt.run, lambda self, *a, **k: self))
    drawing(monkeypatch, [2e-3, 2e-3, 3e-3])
    search, found = run(encoder, tmp_path, trials=3, space={"lr": {"low": 1e-4, "high": 1e-1}})

    assert len(trained) == 3 and [one.counts for one in found] == [True, True, False, True]
    assert (found[2].note, found[2].value, found[2].like) == ("the same options as trial 1", found[1].value, 1)
    assert search.reason == "3 trials were asked for"
    assert choose(found, None, 19).first.number == 0


def test_a_space_whose_combinations_were_all_tried_ends_the_search(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Attempt] = []
    monkeypatch.setattr(Attempt, "run", noting(trained, Attempt.run, lambda self, *a, **k: self))
    drawing(monkeypatch, [16])
    search, found = run(encoder, tmp_path, timeout="1h", space={"batch_size": [4, 8, 16]})

    assert sorted(str(one.options["batch_size"]) for one in found if one.counts) == ["16", "4", "8"]
    assert len(trained) == 3 and search.reason == "all 3 combinations of the space were tried"


def test_draws_of_nothing_new_end_a_search_in_a_space_without_end(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastbert.tuning.search.REPEATS", 3)
    drawing(monkeypatch, [2e-3])
    search, found = run(encoder, tmp_path, timeout="1h", space={"lr": {"low": 1e-4, "high": 1e-1}})

    assert [one.counts for one in found] == [True, True, False, False, False]
    assert search.reason == "3 draws in a row were of options that had been tried"


class Clock:
    """Time that passes by 10 s in each training."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def timed(tiny: str, folder: Path, monkeypatch: pytest.MonkeyPatch, timeout_s: float) -> tuple[Search, list[Record]]:
    """Run a search in which every trial takes 10 s by its clock, and has taken 10 s by its pace."""
    clock = Clock()
    original = Attempt.run

    def slow(self: Attempt, *arguments: object, **more: object) -> Outcome:
        outcome = original(self, *arguments, **more)  # type: ignore[arg-type]
        clock.now += 10.0
        return outcome

    monkeypatch.setattr(Attempt, "run", slow)
    monkeypatch.setattr("fastbert.tuning.search.END", 0.0)
    monkeypatch.setattr("fastbert.tuning.budget.Pace.estimate", lambda self, kind, epochs, planned: 10.0)
    found = prepared(tiny, folder, timeout="1h")
    found.budget.clock, found.budget.started = clock, 0.0
    found.budget.timeout_s, found.budget.reserve_s = timeout_s, 5.0
    with quiet():
        search = Search(found)
        return search, search.run()


def test_no_trial_begins_that_cannot_end_in_time(encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search, found = timed(encoder, tmp_path, monkeypatch, 40.0)  # 5 s are kept for the end: three trials fit

    assert sum(one.counts for one in found) == 3
    assert search.prepared.budget.spent_s == 30.0
    assert search.reason == "the time left is not enough for another trial"


def test_a_trial_that_is_slower_than_expected_is_ended_at_the_deadline(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    original = Watch.on_step

    def slow(self: Watch, state: object) -> None:
        clock.now += 1.0
        original(self, state)  # type: ignore[arg-type]

    monkeypatch.setattr(Watch, "on_step", slow)
    monkeypatch.setattr("fastbert.tuning.search.END", 0.0)  # of seconds of this machine, which the clock does not tell
    monkeypatch.setattr("fastbert.tuning.budget.Pace.estimate", lambda self, kind, epochs, planned: 1.0)
    found = prepared(encoder, tmp_path, timeout="1h", space={"lr": {"times": [0.5, 8]}})
    found.budget.clock, found.budget.started, found.budget.timeout_s, found.budget.reserve_s = clock, 0.0, 5.0, 0.0
    with quiet():
        records = Search(found).run()

    assert [(one.state, one.note) for one in records if one.counts] == [
        ("complete", ""),
        ("complete", ""),
        ("pruned", LATE),
    ]
    assert clock.now <= 7.0


def test_a_first_trial_that_cannot_be_trained_ends_the_search(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(self: Attempt, *arguments: object, **more: object) -> Outcome:
        raise Ended("The loss is nan: training has diverged.")

    monkeypatch.setattr(Attempt, "run", diverge)

    with pytest.raises(TrainingError, match="The first trial, with the defaults, ended early: The loss is nan"):
        run(encoder, tmp_path, trials=2)


def test_options_that_do_not_go_together_cost_a_trial_and_no_more(encoder: str, tmp_path: Path) -> None:
    space = {"schedule": ["warmup_linear", "wsd"], "warmup": [0.1, 0.9], "batch_size": [4, 8, 16]}
    _, found = run(encoder, tmp_path, trials=5, space=space)
    bad = [one for one in found if one.options.get("schedule") != "warmup_linear" and one.state == "pruned"]

    assert found[0].state == "complete"
    assert all("warmup" in one.note for one in bad if one.counts) and sum(one.counts for one in found) == 5


def test_trials_below_the_median_are_ended_early(encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([0.5, 0.6, 0.7, 0.8, 0.1, 0.9])
    evaluate = Learner._score

    def scripted(self: Learner, predictions: list[Prediction], split: str) -> dict[str, float]:
        return {**evaluate(self, predictions, split), "f1_macro": self.scripted}  # type: ignore[attr-defined]

    def fit(self: Learner, **options: object) -> Learner:
        self.scripted = next(scores)  # type: ignore[attr-defined]
        return original(self, **options)  # type: ignore[arg-type]

    original = Learner.fit
    monkeypatch.setattr(Learner, "fit", fit)
    monkeypatch.setattr(Learner, "_score", scripted)
    _, found = run(encoder, tmp_path, trials=6, evaluations_per_epoch=2)

    assert [one.state for one in found] == ["complete"] * 4 + ["pruned", "complete"]
    assert (found[4].note, found[4].value, found[4].epochs) == (PRUNED, 0.1, 0.5)


def test_other_options_than_those_of_the_study_are_refused(encoder: str, tmp_path: Path) -> None:
    run(encoder, tmp_path, trials=1)

    with pytest.raises(ConfigError, match="begun with other options: epochs was 1.0, is 2.0"):
        run(encoder, tmp_path, trials=2, epochs=2)
    with pytest.raises(ConfigError, match="begun with other space"):
        run(encoder, tmp_path, trials=2, space={"lr": {"times": [0.5, 2]}})


def test_latency_is_measured_once_for_each_way_of_cutting_and_sets_the_order(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[int] = []

    def made_up(learner: object, texts: object, backend: str) -> Latency:
        measured.append(learner.data.max_tokens)  # type: ignore[attr-defined]
        return Latency(0.001, learner.data.max_tokens / 1000, 0.1)  # type: ignore[attr-defined]

    monkeypatch.setattr("fastbert.tuning.search.measure", made_up)
    _, found = run(
        encoder, tmp_path, trials=5, max_latency="10ms", space={"max_tokens": [8, 16], "batch_size": [4, 8, 16]}
    )

    assert sorted(measured) == [8, 16][: len(measured)] or sorted(measured) == [8, 16, 64]
    assert all(one.latency_s is not None for one in found)
    best = best_of(found, 0.010)
    assert best is not None and best.latency_s == (0.001, 0.008)


def test_another_machine_measures_its_latency_itself(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([0.001, 0.004])
    monkeypatch.setattr("fastbert.tuning.search.measure", lambda *a: Latency(0.001, next(times), 0.1))
    for trials, name in ((1, "here"), (2, "elsewhere"), (3, "here")):
        monkeypatch.setattr("fastbert.tuning.search.machine", lambda name=name: name)
        _, found = run(encoder, tmp_path, trials=trials, max_latency="10ms")

    assert [one.latency_s for one in found] == [(0.001, 0.001), (0.001, 0.004), (0.001, 0.001)]


def test_the_best_is_the_best_that_is_quick_enough_and_else_the_quickest() -> None:
    found = [
        record(0, 0.9, latency_s=(0.0, 0.030)),
        record(1, 0.8, latency_s=(0.0, 0.020)),
        record(2, 0.7, latency_s=(0.0, 0.010)),
        record(3, 0.8, latency_s=(0.0, 0.020)),
        record(4, 0.95, "pruned", latency_s=(0.0, 0.010)),
    ]

    assert [best_of(found, limit) for limit in (0.025, 0.005, None)] == [found[1], found[2], found[0]]
    assert best_of([], None) is None
    assert front(found) == [found[2], found[1], found[0]]
