"""check.html and rows.csv."""

from __future__ import annotations

import csv
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fastbert.errors import DataError, TrainingError
from fastbert.insight.doctor import check_page
from fastbert.insight.doctor.check_page import COLUMNS, check_out, write_checkup
from fastbert.insight.doctor.checkup import Checkup, check_material
from tests.insight.doctor.made import read, read_splits, sentence
from tests.insight.doctor.test_checkup import clean


@pytest.fixture
def checkup(tmp_path: Path) -> Checkup:
    rows = [
        ["<b>Crash</b> & burn", "a"],
        ["<b>crash</b> & burn", "a"],
        ["", "b"],
        *([sentence(n), "b"] for n in range(5)),
    ]
    return check_material(read(tmp_path, train=rows))


class _Tags(HTMLParser):
    """Checks that tags close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(checkup: Checkup, tmp_path: Path) -> None:
    page = write_checkup(checkup, tmp_path / "out").read_text(encoding="utf-8")

    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    assert not re.search(r"<script|src=|href=|url\(|https?://", page)
    assert "prefers-color-scheme:dark" in page
    assert "<b>Crash</b>" not in page and "&lt;b&gt;Crash&lt;/b&gt; &amp; burn" in page


def test_stops_come_before_looks(checkup: Checkup, tmp_path: Path) -> None:
    page = write_checkup(checkup, tmp_path / "out").read_text(encoding="utf-8")

    assert 0 < page.index("<h2>Stop</h2>") < page.index("<h2>Look</h2>") < page.index("<h2>Labels</h2>")
    assert "have no text" in page


def test_every_row_of_every_finding_is_in_the_table(checkup: Checkup, tmp_path: Path) -> None:
    write_checkup(checkup, tmp_path / "out")

    with (tmp_path / "out" / "rows.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == sum(len(finding.rows) for finding in checkup.findings)
    assert {
        "file": "train.csv",
        "row": "3",
        "split": "train",
        "kind": "duplicate",
        "severity": "look",
        "text": "<b>crash</b> & burn",
        "label": "a",
        "detail": "repeats a text with the same truth",
        "other_row": "train.csv, row 2",
    } in rows


def test_clean_data_has_a_page_without_findings(tmp_path: Path) -> None:
    page = write_checkup(check_material(read_splits(tmp_path, clean())), tmp_path / "out")

    assert "Nothing was found." in page.read_text(encoding="utf-8")
    assert (tmp_path / "out" / "rows.csv").read_text(encoding="utf-8") == ",".join(COLUMNS) + "\n"


def test_a_page_is_replaced_and_other_files_stay(checkup: Checkup, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    (out / "check.html").write_text("old", encoding="utf-8")

    write_checkup(checkup, out)

    assert sorted(path.name for path in out.iterdir()) == ["check.html", "mine.txt", "rows.csv"]
    assert "old" != (out / "check.html").read_text(encoding="utf-8")


def test_nothing_is_left_where_writing_fails(checkup: Checkup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(checkup: Checkup) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(check_page, "check_page", full)

    with pytest.raises(TrainingError, match=r"out could not be written \(No space left on device\)"):
        write_checkup(checkup, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["train.csv"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("", encoding="utf-8")

    with pytest.raises(DataError, match="out is a file; expected a folder for check.html and rows.csv"):
        check_out(tmp_path / "out")
