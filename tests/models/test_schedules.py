"""The old formulas by test vectors and by a second implementation; the new ones by their sources."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim.lr_scheduler import OneCycleLR

from fastbert.errors import ConfigError
from fastbert.models.schedules import SCHEDULES, Schedule, make_schedule

REFERENCE = [
    "none",
    "warmup_constant",
    "warmup_linear",
    "warmup_cosine",
    "warmup_cosine_hard_restarts",
    "warmup_cosine_warmup_restarts",
]
STEPS = [0, 50, 100, 250, 500, 550, 999]


def _reference(name: str, t: int, total: int, w: float, c: float) -> float:
    """Return m(t) as the text of pytorch-pretrained-bert 0.6.2 has it: classes told as one function."""
    p = t / total
    if name == "none":
        return 1.0
    if name == "warmup_cosine_warmup_restarts":
        w, p = w * c, math.fmod(p * c, 1.0)
        return p / w if p < w else 0.5 + 0.5 * math.cos(math.pi * (p - w) / (1 - w))
    if p < w:
        return p / w
    u = (p - w) / (1 - w)
    after_warmup = {
        "warmup_constant": 1.0,
        "warmup_linear": max(1 - u, 0.0),
        "warmup_cosine": 0.5 + 0.5 * math.cos(math.pi * 2 * c * u),
        "warmup_cosine_hard_restarts": 0.5 + 0.5 * math.cos(math.pi * math.fmod(c * u, 1.0)),
    }
    return after_warmup[name]


def _torch_one_cycle(total_steps: int, warmup: float) -> list[tuple[float, float]]:
    """Return (factor, beta1) of each update from torch's own scheduler."""
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = OneCycleLR(optimizer, max_lr=1.0, total_steps=total_steps, pct_start=warmup)
    values = []
    for _ in range(total_steps):
        values.append((optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["betas"][0]))
        optimizer.step()
        scheduler.step()
    return values


@pytest.mark.parametrize(
    ("name", "cycles", "expected"),
    [
        ("none", None, [1, 1, 1, 1, 1, 1, 1]),
        ("warmup_constant", None, [0, 0.5, 1, 1, 1, 1, 1]),
        ("warmup_linear", None, [0, 0.5, 1, 0.8333, 0.5556, 0.5, 0.0011]),
        ("warmup_cosine", None, [0, 0.5, 1, 0.933, 0.5868, 0.5, 0]),
        ("warmup_cosine_hard_restarts", 2.0, [0, 0.5, 1, 0.75, 0.0302, 1, 0]),
        ("warmup_cosine_warmup_restarts", 2.0, [0, 0.5, 1, 0.6913, 0, 0.5, 0]),
    ],
)
def test_old_schedules_match_their_test_vectors(name: str, cycles: float | None, expected: list[float]) -> None:
    schedule = make_schedule(name, 1000, cycles=cycles)
    assert [schedule.factor(step) for step in STEPS] == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("cycles", [1.0, 2.0, 3.0, 2.5])
@pytest.mark.parametrize("warmup", [0.0, 0.002, 0.1, 0.3])
@pytest.mark.parametrize("name", REFERENCE)
def test_old_schedules_match_a_second_implementation(name: str, warmup: float, cycles: float) -> None:
    kind = SCHEDULES[name]
    warmup, cycles = warmup if kind.warmup is not None else 0.0, cycles if kind.cycles is not None else 0.0
    schedule = Schedule(name, 1000, warmup, cycles)
    expected = [_reference(name, step, 1000, warmup, cycles) for step in range(1000)]
    assert [schedule.factor(step) for step in range(1000)] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("total_steps", [3, 7, 100, 1000])
@pytest.mark.parametrize("warmup", [0.1, 0.3, 0.5])
def test_one_cycle_matches_torch(total_steps: int, warmup: float) -> None:
    schedule = make_schedule("one_cycle", total_steps, warmup)
    actual = [(schedule.factor(step), schedule.momentum(step)) for step in range(total_steps)]
    expected = _torch_one_cycle(total_steps, warmup)
    assert torch.tensor(actual).allclose(torch.tensor(expected), rtol=0, atol=1e-7)


def test_one_cycle_starts_at_the_peak_where_torch_divides_by_zero() -> None:
    assert make_schedule("one_cycle", 2, 0.5).factor(0) == 1


def test_one_cycle_of_a_single_update_trains_it() -> None:
    assert make_schedule("one_cycle", 1).factor(0) > 0.5


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "one_cycle"])
def test_only_one_cycle_cycles_the_momentum(name: str) -> None:
    assert make_schedule(name, 10).momentum(3) is None


def test_wsd_warms_up_stays_and_falls_over_the_last_fifth() -> None:
    schedule = make_schedule("wsd", 1000, warmup=0.1)
    factors = [schedule.factor(step) for step in (0, 50, 100, 500, 800, 900, 950, 1000)]
    assert factors == pytest.approx([0, 0.5, 1, 1, 1, 0.5, 0.25, 0])


@pytest.mark.parametrize("name", ["warmup_linear", "warmup_cosine", "one_cycle", "wsd"])
def test_a_number_of_warmup_updates_equals_its_fraction(name: str) -> None:
    assert make_schedule(name, 1000, warmup=200).curve() == make_schedule(name, 1000, warmup=0.2).curve()


@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - {"none", "one_cycle"}))
def test_the_first_update_of_a_linear_warmup_has_factor_zero(name: str) -> None:
    assert make_schedule(name, 100).factor(0) == 0


@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - {"none", "warmup_constant", "one_cycle"}))
@pytest.mark.parametrize("step", [100, 101, 150, 100_000])
def test_a_schedule_that_falls_to_zero_stays_there_after_the_end(name: str, step: int) -> None:
    assert make_schedule(name, 100).factor(step) == 0


@pytest.mark.parametrize("name", ["warmup_cosine_hard_restarts", "warmup_cosine_warmup_restarts"])
def test_restarts_without_warmup_end_at_zero(name: str) -> None:
    assert make_schedule(name, 100, warmup=0, cycles=3).factor(100) == 0


@given(
    name=st.sampled_from(sorted(SCHEDULES)),
    total_steps=st.integers(1, 5000),
    warmup=st.floats(0, 0.24),
    cycles=st.floats(1, 4),
    step=st.integers(0, 10_000),
)
def test_factors_lie_between_zero_and_one(name: str, total_steps: int, warmup: float, cycles: float, step: int) -> None:
    kind = SCHEDULES[name]
    schedule = make_schedule(
        name,
        total_steps,
        warmup if kind.warmup is not None else None,
        cycles if kind.cycles is not None else None,
    )
    assert 0 <= schedule.factor(step) <= 1


@given(name=st.sampled_from(sorted(SCHEDULES)), total_steps=st.integers(1, 5000), extra=st.integers(0, 10_000))
def test_factors_do_not_change_after_the_last_update(name: str, total_steps: int, extra: int) -> None:
    schedule = make_schedule(name, total_steps)
    assert schedule.factor(total_steps + extra) == schedule.factor(total_steps)


@pytest.mark.parametrize(
    ("name", "warmup", "cycles"),
    [
        ("none", 0.0, 0.0),
        ("warmup_linear", 0.1, 0.0),
        ("warmup_cosine", 0.1, 0.5),
        ("warmup_cosine_hard_restarts", 0.1, 1.0),
        ("one_cycle", 0.3, 0.0),
    ],
)
def test_defaults_come_from_the_row(name: str, warmup: float, cycles: float) -> None:
    assert make_schedule(name, 10) == Schedule(name, 10, warmup, cycles)


def test_a_curve_of_a_long_run_has_the_points_asked_for() -> None:
    curve = make_schedule("warmup_cosine", 12_345).curve(num_points=50)
    assert (len(curve), curve[0][0], curve[-1][0]) == (50, 0, 12_344)


def test_a_curve_of_a_short_run_has_a_point_for_each_update() -> None:
    assert [step for step, _ in make_schedule("warmup_linear", 5).curve()] == [0, 1, 2, 3, 4]


def test_a_curve_of_one_update_has_one_point() -> None:
    assert make_schedule("none", 1).curve() == [(0, 1.0)]


def test_an_unknown_schedule_names_the_closest_one() -> None:
    with pytest.raises(ConfigError) as caught:
        make_schedule("warmup_lineer", 10)
    assert str(caught.value) == (
        "Schedule 'warmup_lineer' is not known; expected one of none, warmup_constant, warmup_linear, "
        "warmup_cosine, warmup_cosine_hard_restarts, warmup_cosine_warmup_restarts, one_cycle, wsd.\n"
        "  Did you mean 'warmup_linear'?"
    )


def test_an_unknown_schedule_like_no_other_gets_advice() -> None:
    with pytest.raises(ConfigError, match="`warmup_linear` is the usual choice"):
        make_schedule("zzz", 10)


@pytest.mark.parametrize(
    ("name", "total_steps", "warmup", "cycles", "message"),
    [
        ("none", 0, None, None, "A schedule over 0 updates is not possible: at least 1 is needed."),
        ("none", 10, 0.1, None, "Schedule 'none' has no warm-up; warmup=0.1 was given."),
        ("warmup_linear", 10, None, 2.0, "Schedule 'warmup_linear' has no cycles; cycles=2 was given."),
        (
            "warmup_linear",
            10,
            -1.0,
            None,
            "warmup=-1 is neither a fraction of the run (below 1) nor a whole number of updates.",
        ),
        (
            "warmup_linear",
            10,
            2.5,
            None,
            "warmup=2.5 is neither a fraction of the run (below 1) nor a whole number of updates.",
        ),
        (
            "warmup_linear",
            10,
            math.nan,
            None,
            "warmup=nan is neither a fraction of the run (below 1) nor a whole number of updates.",
        ),
        (
            "warmup_linear",
            60,
            100,
            None,
            "warmup=100 is too long for schedule 'warmup_linear': it must stay below 60 of the 60 updates.",
        ),
        (
            "wsd",
            100,
            0.8,
            None,
            "warmup=0.8 is too long for schedule 'wsd': it must stay below 80 of the 100 updates.",
        ),
        (
            "warmup_cosine_warmup_restarts",
            100,
            0.5,
            2.0,
            "warmup=0.5 is too long for schedule 'warmup_cosine_warmup_restarts' with 2 cycles: "
            "it must stay below 50 of the 100 updates.",
        ),
        (
            "warmup_cosine_hard_restarts",
            10,
            None,
            0.5,
            "cycles=0.5 is not possible for schedule 'warmup_cosine_hard_restarts': it must be at least 1.",
        ),
        (
            "warmup_cosine_warmup_restarts",
            10,
            None,
            math.inf,
            "cycles=inf is not possible for schedule 'warmup_cosine_warmup_restarts': it must be at least 1.",
        ),
        (
            "warmup_cosine",
            10,
            None,
            -1.0,
            "cycles=-1 is not possible for schedule 'warmup_cosine': it must be above 0.",
        ),
    ],
)
def test_impossible_values_are_refused_with_their_reason(
    name: str, total_steps: int, warmup: float | None, cycles: float | None, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        make_schedule(name, total_steps, warmup, cycles)
    assert caught.value.message == message


def test_hard_restarts_may_warm_up_for_longer_than_a_cycle() -> None:
    assert make_schedule("warmup_cosine_hard_restarts", 100, 0.5, 4).factor(50) == 1


def test_importing_schedules_does_not_import_torch() -> None:
    code = "import sys, fastbert.models.schedules; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
