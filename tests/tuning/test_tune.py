"""`fastbert.tune`: one call, from a table to the best model."""

from __future__ import annotations

from pathlib import Path

import pytest

import fastbert
from fastbert.tuning.setup import Tables
from fastbert.tuning.space import Scalar
from fastbert.tuning.tune import Listeners, prepare_search, run_search, trial_line
from tests.feedback import write_feedback
from tests.tuning.small import QUICK, record


def test_a_table_becomes_the_best_model_of_a_search(
    encoder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write_feedback(tmp_path / "feedback.csv")
    found = fastbert.tune(table, out=tmp_path / "model", trials=2, encoder=encoder, **QUICK)
    err = capsys.readouterr().err

    assert found.bundle is not None and found.bundle.folder == tmp_path / "model"
    assert "\nSpace\n" in err and "trial   0  " in err and "the defaults" in err
    assert 0 < found.seconds and len(found.records) == 2


def test_without_a_folder_and_progress_it_is_quiet_and_the_model_is_somewhere(
    encoder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = fastbert.tune(write_feedback(tmp_path / "f.csv"), progress=False, trials=1, encoder=encoder, **QUICK)

    assert found.bundle is not None and tmp_path in found.bundle.folder.parents
    assert "trial" not in capsys.readouterr().err


def test_a_search_can_begin_anew(encoder: str, tmp_path: Path) -> None:
    table, out = Tables(write_feedback(tmp_path / "feedback.csv")), tmp_path / "model"
    options = {"encoder": encoder, **QUICK, "trials": 2}
    run_search(prepare_search(table, out, options))
    other = prepare_search(table, out, {**options, "epochs": 2, "trials": 1})
    lines: list[str] = []
    found = run_search(other, Listeners(on_trial=lines.append), restart=True)

    assert len(found.records) == len(lines) == 1
    assert found.config.epochs == 2


def test_a_line_says_score_time_and_what_differs() -> None:
    best = record(3, 0.9)
    done = record(4, 0.8, options={"lr": 1e-4, "loss": "balanced"}, seconds=12.4, latency_s=(0.004, 0.0123))
    ended = record(5, None, "pruned", options={"lr": 2e-4}, note="below the median")

    usual: dict[str, Scalar] = {"lr": 1e-4, "loss": "default"}
    assert trial_line(done, best, usual) == "trial   4  0.8000  12.3 ms  12 s  best 0.9000  loss=balanced"
    assert trial_line(best, best, usual) == "trial   3  0.9000  0 s  best  as the defaults"
    assert trial_line(ended, best, usual) == "trial   5  -  0 s  best 0.9000  ended early: below the median  lr=0.0002"
