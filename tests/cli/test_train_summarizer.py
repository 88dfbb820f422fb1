"""`fastbert train-summarizer`, and `fastbert summarize` with what it made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.helpers import write_csv
from tests.seq2seq import tiny_seq2seq


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [[f"the {word} is not on my page .", word] for word in ("app", "button", "bill", "price", "login", "export")]
    return write_csv(tmp_path / "t.csv", ["text", "short"], rows)


def test_a_model_is_trained_and_summarises(run: Run, table: Path, tmp_path: Path) -> None:
    writer, model = tiny_seq2seq(tmp_path / "t5"), tmp_path / "model"
    options = ("--text", "text", "--summary", "short", "--encoder", writer, "--out", model, "--epochs", "1")

    outcome = run("train-summarizer", table, *options, "--max-summary-tokens", "8")
    values = run("summarize", model, table, "--text", "text", "--reference", "short", "--beams", "2", "--json").json

    assert outcome.code == 0, outcome.err
    assert "epoch 1: loss" in outcome.err and "ROUGE F over 1 held-out rows" in outcome.err
    assert f"try it   fastbert summarize {model} TABLE --text text" in outcome.err
    assert (values["rows"], values["compared"]) == (6, 6)


def test_columns_given_by_name_are_in_the_first_row(run: Run, tmp_path: Path) -> None:
    """It looks like the rows below; one of them is left without a summary, so that the error counts rows."""
    table = write_csv(tmp_path / "t.csv", ["a good page", "good"], [["a bad page", "bad"], ["a slow page", ""]])
    given = ("--text", "a good page", "--summary", "good", "--encoder", tiny_seq2seq(tmp_path / "t5"))

    outcome = run("train-summarizer", table, *given, "--out", tmp_path / "model")

    assert "error: t.csv, row 3: column 'good' has no text." in outcome.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--summary", "shrot"], "has no column 'shrot'"),
        (["--epochs", "0"], "epochs is 0; expected at least 1"),
        (["--precision", "fp8"], "precision"),
    ],
)
def test_wrong_use_is_refused_and_leaves_nothing(
    run: Run, table: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    writer, model = tiny_seq2seq(tmp_path / "t5"), tmp_path / "model"
    given = ("--text", "text", "--summary", "short", "--encoder", writer, "--out", model)

    outcome = run("train-summarizer", table, *given, *options)

    assert (outcome.code, model.exists()) == (2, False)
    assert message in outcome.err


def test_a_folder_that_is_there_is_refused(run: Run, table: Path, tmp_path: Path) -> None:
    given = ("--text", "text", "--summary", "short", "--encoder", "x", "--out", tmp_path)

    outcome = run("train-summarizer", table, *given)

    assert (outcome.code, outcome.err) == (2, f"error: {tmp_path} exists already.\nhint: Choose another folder.\n")


def test_options_of_writing_are_refused_for_an_encoder(run: Run, encoder: str, table: Path) -> None:
    outcome = run("summarize", encoder, table, "--text", "text", "--beams", "2")

    assert outcome.code == 2
    assert "is no folder of a model that writes" in outcome.err


def test_an_encoder_alone_cannot_be_trained_to_write(run: Run, encoder: str, table: Path, tmp_path: Path) -> None:
    given = ("--text", "text", "--summary", "short", "--encoder", encoder, "--out", tmp_path / "model")

    outcome = run("train-summarizer", table, *given)

    assert outcome.code == 2
    assert "has no decoder (bert): it cannot write texts." in outcome.err
