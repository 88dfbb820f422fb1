"""A checkup on a screen."""

from __future__ import annotations

from pathlib import Path

from fastbert.insight.doctor.checkup import check_material
from fastbert.insight.doctor.view import checkup_view
from tests.insight.doctor.made import read, read_splits, sentence
from tests.insight.doctor.test_checkup import clean
from tests.insight.doctor.test_lengths import tokenizer


def test_nothing_found_is_said_in_the_first_line(tmp_path: Path) -> None:
    shown = repr(checkup_view(check_material(read_splits(tmp_path, clean()), tokenizer=tokenizer())))

    lines = shown.splitlines()
    assert lines[0] == "Data check: Nothing was found."
    assert "  train           100 rows of train.csv (comma-separated, utf-8)" in lines
    assert any(line.startswith("  tokens of train") for line in lines)
    assert "  label  train  test" in lines


def test_findings_show_three_rows_and_how_many_more(tmp_path: Path) -> None:
    rows = [["very " * 30 + "Long", "a"], *[["very " * 30 + "long", "a"]] * 5, *([sentence(n), "b"] for n in range(5))]

    shown = repr(checkup_view(check_material(read(tmp_path, train=rows))))

    assert "LOOK: look at these rows and decide" in shown
    assert "[duplicate] 5 of 11 rows (45 %) of train repeat a text" in shown
    assert shown.count("repeats a text with the same truth (train.csv, row 2)") == 3
    assert "   and 2 more rows" in shown
    assert "very " * 30 not in shown


def test_notes_stand_among_the_facts(tmp_path: Path) -> None:
    checkup = check_material(read_splits(tmp_path, clean()), notes=["Tokens were not counted."])

    assert "  note            Tokens were not counted." in repr(checkup_view(checkup))
