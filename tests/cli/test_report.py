"""`fastbert report`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.feedback import write_feedback


@pytest.fixture
def model(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "model"))


def test_without_a_table_the_report_is_written_again(run: Run, model: Path) -> None:
    outcome = run("report", model)

    assert outcome.code == 0, outcome.err
    assert "8 valid rows" in outcome.err
    assert outcome.err.endswith(f"report   {model / 'report.html'}\n")
    assert "accuracy" in outcome.out


def test_a_table_has_its_page_in_this_folder(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    outcome = run("report", model, write_feedback(tmp_path / "new.csv", 12), "--backend", "torch", "--texts")

    assert outcome.code == 0, outcome.err
    assert "report   new-report.html" in outcome.err
    assert (tmp_path / "new-report.html").is_file()


def test_numbers_are_one_object(run: Run, model: Path, tmp_path: Path) -> None:
    values = run("report", model, "--out", tmp_path / "page.html", "--json").json

    assert values["report"] == str(tmp_path / "page.html")
    assert {"rows", "scores", "intervals", "per_label", "f1_intervals", "confusion", "worst"} <= values.keys()


def test_texts_need_a_table(run: Run, model: Path) -> None:
    outcome = run("report", model, "--texts")

    assert outcome.code == 2
    assert outcome.err == (
        "error: A model's folder holds no texts to show.\nhint: Give the table: fastbert report BUNDLE TABLE --texts.\n"
    )
