"""The report of a saved model: the same again from its folder, and on rows that are given."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fastbert.bundle import read_bundle
from fastbert.errors import BundleError, ConfigError, DataError, TrainingError
from fastbert.insight import reporting
from fastbert.insight.kept_rows import FILE
from fastbert.insight.reporting import renew, report_table
from tests.bundles import tiny_bundle
from tests.feedback import feedback_rows, write_feedback
from tests.insight.pages import Page

SECRET = feedback_rows(1)[0]["text"]


@pytest.fixture
def model(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "model"))


def test_the_report_is_written_again_as_it_was(model: Path) -> None:
    before, card = ((model / name).read_text(encoding="utf-8") for name in ("report.html", "README.md"))
    written = (model / "report.html").stat().st_mtime_ns
    scores = read_bundle(model).scores

    found = renew(model)

    again = (model / "report.html").read_text(encoding="utf-8")
    assert _without_size(again) == _without_size(before)
    assert (model / "README.md").read_text(encoding="utf-8") == card
    assert (model / "report.html").stat().st_mtime_ns > written
    assert read_bundle(model).scores == scores
    assert found.evidence.num_rows == 8


def test_no_text_travels_with_the_model(model: Path) -> None:
    for name in ("report.html", "README.md", FILE, "bundle.json"):
        assert SECRET.encode() not in (model / name).read_bytes()


def test_rows_that_are_given_have_a_page_of_their_own(model: Path, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "new.csv", 12)
    before = (model / "report.html").read_bytes()

    found = report_table(model, table, tmp_path / "page.html", backend="torch")

    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert page.faults == []
    assert "Measured on 12 rows of new.csv." in page.text and "new.csv, row 2" in page.text
    assert "The rows of new.csv were given after the training" in page.text and "also chose" not in page.text
    assert SECRET not in page.text
    assert (model / "report.html").read_bytes() == before
    values = found.to_json()
    assert values["rows"] == 12 and values["report"] == str(tmp_path / "page.html")
    assert values["scores"] == found.evidence.scores


def test_texts_are_shown_where_they_were_asked_for(model: Path, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "new.csv", 12)

    report_table(model, table, tmp_path / "page.html", backend="torch", texts=True)

    assert SECRET in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_page_may_lie_elsewhere(model: Path, tmp_path: Path) -> None:
    before = (model / "report.html").stat().st_mtime_ns

    assert renew(model, tmp_path / "there.html").page == tmp_path / "there.html"
    assert (model / "report.html").stat().st_mtime_ns == before


def test_a_page_inside_the_model_is_refused_before_any_work(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="lies inside the model's folder"):
        report_table(model, tmp_path / "nothing.csv", model / "page.html")


def test_a_page_is_not_written_over_its_table(model: Path, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "new.csv", 12)

    with pytest.raises(DataError, match="is the input itself"):
        report_table(model, table, table)


def test_a_bundle_without_rows_asks_for_some(tmp_path: Path) -> None:
    with pytest.raises(BundleError) as caught:
        renew(tiny_bundle(tmp_path / "model"))

    assert "holds no answers to rows that were held out" in str(caught.value)
    assert caught.value.hint == "Give labelled rows: fastbert report BUNDLE TABLE."


def test_a_full_disk_leaves_the_model_whole(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reporting, "write_report", full)

    with pytest.raises(TrainingError, match="the report could not be written"):
        renew(model)
    assert read_bundle(model)


def _without_size(page: str) -> str:
    before, _, after = page.partition("<dt>size of the folder</dt>")
    return before + after.partition("</dd>")[2]
