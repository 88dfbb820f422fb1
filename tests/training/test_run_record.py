"""What is recorded of a run: numbers and names, and nothing that tells whose machine it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from torch import nn

from fastbert.config import DecisionConfig
from fastbert.data.examples import TextExample
from fastbert.training.run_record import peak_memory, run_record, table_name

MODEL = nn.Linear(3, 2)


def rows(*places: str) -> list[TextExample]:
    return [TextExample("secret", where=place) for place in places]


def test_a_run_is_recorded_in_plain_values() -> None:
    splits = {"train": rows("/home/anna/a.csv, row 2", "/home/anna/a.csv, row 9"), "valid": rows("a.csv, row 4")}

    found = run_record(MODEL, splits, DecisionConfig(goal="f1"), valid_held_out=True)

    assert found["parameters"] == 8
    assert found["tables"] == {"train": "a.csv"}
    assert found["deciding"] == {"goal": "f1"}
    assert isinstance(found["versions"], dict) and {"Python", "torch", "numpy"} <= found["versions"].keys()
    words = json.dumps(found)
    assert not any(part in words for part in ("anna", "secret", str(Path.home())))


def test_a_file_of_costs_goes_by_its_name() -> None:
    found = run_record(MODEL, {}, DecisionConfig(goal="cost:/home/anna/costs.csv"), valid_held_out=False)

    assert found["deciding"] == {"goal": "cost:costs.csv"}


@pytest.mark.parametrize(
    ("places", "name"),
    [
        (("rows, row 1", "rows, row 2"), ""),
        (("a.csv, row 2", "b.csv, row 2"), ""),
        (("q.json, question 5ad3",), "q.json"),
        (("t.conll, line 3", "t.conll, line 40"), "t.conll"),
        (("",), ""),
        ((), ""),
    ],
)
def test_a_table_goes_by_its_name(places: tuple[str, ...], name: str) -> None:
    assert table_name(rows(*places)) == name


def test_tables_in_memory_are_not_half_a_command() -> None:
    splits = {"train": rows("a.csv, row 2"), "test": rows("rows, row 1")}

    assert run_record(MODEL, splits, DecisionConfig(), valid_held_out=False)["tables"] == {}


def test_the_peak_of_memory_is_what_the_process_has_held() -> None:
    held = peak_memory(MODEL)

    assert held is None or 50e6 < held < 1e12  # Windows does not say
