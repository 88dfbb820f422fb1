"""What is kept of rows: the same evidence again, and no text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fastbert.decisions.saved import write_rows
from fastbert.insight.evidence import Evidence
from fastbert.insight.kept_rows import FILE, keep, recall
from fastbert.insight.uncertainty import uncertainty
from tests.insight.made_rows import EVERY, SECRET
from tests.insight.made_up import BUNDLE


def kept(folder: Path, found: Evidence) -> Evidence:
    """Return what comes back of evidence that was written as a learner writes it."""
    bundle = replace(found.bundle, folder=folder)
    write_rows(folder, {"test": bundle.task.pack(found.predictions, found.examples)})
    keep(folder, found)
    return recall(bundle, "test")


@pytest.mark.parametrize("name", EVERY)
def test_what_is_kept_comes_back(tmp_path: Path, name: str) -> None:
    found = EVERY[name]()

    again = kept(tmp_path, found)

    assert again.rows.places == found.rows.places
    assert np.array_equal(again.rows.tokens_N, found.rows.tokens_N)  # type: ignore[arg-type]  # both are there
    assert np.allclose(again.loss_N, found.loss_N) and np.array_equal(again.right_N, found.right_N)
    assert np.allclose(again.confidence_N, found.confidence_N, equal_nan=True)
    assert [again.words(row) for row in range(again.num_rows)] == [found.words(row) for row in range(found.num_rows)]


@pytest.mark.parametrize("name", EVERY)
def test_a_renewed_report_draws_the_same_units(tmp_path: Path, name: str) -> None:
    found = EVERY[name]()
    grouped = replace(found, rows=replace(found.rows, units_N=np.arange(found.num_rows) // 4))

    again = kept(tmp_path, grouped)

    assert again.num_units == found.num_rows // 4
    assert uncertainty(again) == uncertainty(grouped) != uncertainty(found)


@pytest.mark.parametrize("name", EVERY)
def test_no_text_is_kept(tmp_path: Path, name: str) -> None:
    kept(tmp_path, EVERY[name]())

    with np.load(tmp_path / FILE, allow_pickle=False) as archive:
        words = " ".join(" ".join(map(str, archive[key].ravel().tolist())) for key in archive.files)
    assert "rows.csv, row 2" in words
    assert not any(part in words for part in SECRET.split())


def test_a_bundle_without_rows_has_none(tmp_path: Path) -> None:
    assert recall(replace(BUNDLE, folder=tmp_path), "test").num_rows == 0


def test_nothing_is_written_where_there_is_nothing(tmp_path: Path) -> None:
    keep(tmp_path, Evidence(BUNDLE, "test"))

    assert not (tmp_path / FILE).exists()
