"""`fastbert schedules`."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.models.schedules import SCHEDULES, make_schedule
from tests.cli.conftest import Run


def test_every_schedule_is_listed_with_its_shape(run: Run) -> None:
    outcome = run("schedules")

    assert outcome.code == 0
    assert [name for name in SCHEDULES if f"\n  {name} " not in outcome.out] == []
    assert "█" in outcome.out


def test_json_holds_the_curve_of_each_schedule(run: Run) -> None:
    values = run("schedules", "--json", "--steps", 10, "--warmup", 2).json

    curves = values["schedules"]
    assert isinstance(curves, dict)
    assert set(curves) == set(SCHEDULES)
    assert values["steps"] == 10
    expected = make_schedule("warmup_linear", 10, 2)
    assert curves["warmup_linear"] == [[step, expected.factor(step)] for step in range(10)]


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_schedules_are_drawn(ending: str, run: Run, tmp_path: Path) -> None:
    outcome = run("schedules", "--steps", 20, "--plot", tmp_path / f"rates.{ending}")

    assert outcome.code == 0
    assert (tmp_path / f"rates.{ending}").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "0"], "error: A schedule over 0 updates is not possible"),
        (["--warmup", "1.5"], "error: warmup=1.5 is neither a fraction"),
        (["--warmup", "2000"], "error: warmup=2000 is too long"),
        (["--plot", "missing/rates.png"], "error: missing/rates.png: the figure cannot be written"),
    ],
)
def test_wrong_values_are_refused(arguments: list[str], message: str, run: Run, tmp_path: Path) -> None:
    outcome = run("schedules", *arguments)

    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err and "hint: " in outcome.err
