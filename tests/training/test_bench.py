"""The bench: turns, medians, what it chooses, and that it leaves settings alone."""

from __future__ import annotations

import math
import os

import pytest
import torch

from fastbert.runtime import Runtime
from fastbert.training import bench
from fastbert.training.bench import Candidate, Compiled, Results, Speed, run_bench
from tests.feedback import make_learner


def speed(mode: str, *seconds: float, threads: int = 1) -> Speed:
    return Speed(Candidate(mode, threads), seconds, texts=8, tokens=100, flop=6e9, product_rate=2e9)


def results(*training: Speed, threads: tuple[Speed, ...] = (), inference: tuple[Speed, ...] = ()) -> Results:
    return Results("cpu", 2, 8, 100, 20, {}, training, inference, threads, ())


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)


# --- figures ------------------------------------------------------------------------------------------


def test_speed_is_by_the_median_of_rounds() -> None:
    values = speed("fp32", 4.0, 5.0, 90.0).to_json()

    assert values == {
        "mode": "fp32", "threads": 1, "seconds": 5.0, "spread": 8.6, "texts_per_second": 1.6,
        "tokens_per_second": 20.0, "mfu": 0.6,
    }  # fmt: skip


def test_times_faster_is_by_rounds_and_not_by_medians() -> None:
    """Of a machine that slowed down fourfold in the second round and at the first candidate of the third."""
    slow, fast = speed("fp32", 2.0, 8.0, 8.0), speed("bf16", 1.0, 4.0, 1.0)

    assert fast.times_faster(slow) == 2.0


@pytest.mark.parametrize(("compiled_s", "steps"), [(0.5, 19), (1.0, None), (1.5, None)])
def test_compilation_pays_when_its_time_is_won_back(compiled_s: float, steps: int | None) -> None:
    assert Compiled(first_step_s=10.0, eager_s=1.0, compiled_s=compiled_s).steps_to_pay == steps


def test_the_fastest_is_one_that_an_option_asks_for() -> None:
    found = results(speed("fp32", 3.0), speed("fp32 medium", 1.0), speed("bf16", 2.0)).best_training

    assert found.candidate.mode == "bf16"


def test_the_number_of_threads_is_chosen_among_those_that_took_turns() -> None:
    """The first figure of bf16 was taken in a quieter moment than those by threads."""
    first = speed("bf16", 1.0, threads=2)
    by_threads = (speed("bf16", 2.0, threads=1), speed("bf16", 2.5, threads=2))

    assert results(first, threads=by_threads).best_training.candidate.threads == 1


def test_prediction_is_chosen_in_fp32() -> None:
    found = results(speed("bf16", 1.0), inference=(speed("bf16", 1.0), speed("fp32", 2.0)))

    assert found.best_inference.candidate.mode == "fp32"


# --- runs ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("two_cores")
def test_candidates_take_turns(encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[tuple[str, int]] = []
    # as if every precision were fast here
    monkeypatch.setattr(bench, "choose_runtime", lambda precision, device: Runtime(torch.device(device), precision, ""))
    timed = bench._Bench._timed

    def watch(self: bench._Bench, runtime: Runtime, *rest: object) -> float:
        turns.append((runtime.precision, torch.get_num_threads()))
        return timed(self, runtime, *rest)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(bench._Bench, "_timed", watch)
    monkeypatch.setattr(bench, "MODES", ("fp32", "bf16"))

    run_bench(make_learner(encoder), rounds=2)

    assert turns[:6] == [("fp32", 2), ("bf16", 2)] * 3  # one to warm up
    assert {threads for _, threads in turns[12:18]} == {1, 2}
    assert [threads for _, threads in turns[12:18]] == [1, 2] * 3


@pytest.mark.usefixtures("two_cores")
def test_everything_possible_is_timed(encoder: str) -> None:
    found = run_bench(make_learner(encoder), rounds=2)

    assert [one.candidate.threads for one in found.training_threads] == [1, 2]
    assert [one.candidate.name for one in found.inference_threads] == ["fp32, 1 thread", "fp32, 2 threads"]
    assert found.training[0].candidate.name == "fp32, 2 threads"
    assert all(0 < one.mfu < 1 and one.seconds > 0 for one in found.training)
    assert found.training[0].flop > 2 * found.inference[0].flop
    assert found.compiled is None


def test_settings_and_random_numbers_are_left_alone(encoder: str) -> None:
    learner = make_learner(encoder)
    before = torch.get_num_threads(), torch.get_float32_matmul_precision(), torch.get_rng_state().tolist()

    run_bench(learner, rounds=2)

    assert (torch.get_num_threads(), torch.get_float32_matmul_precision(), torch.get_rng_state().tolist()) == before


def test_compilation_is_timed_where_it_is_asked_for(encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def compile_nothing(model: torch.nn.Module, *, dynamic: bool) -> torch.nn.Module:
        asked.append(dynamic)
        return model

    monkeypatch.setattr(torch, "compile", compile_nothing)

    found = run_bench(make_learner(encoder), rounds=2, compiled=True)

    assert asked == [True]
    assert found.compiled is not None
    assert math.isfinite(found.compiled.first_step_s)
