"""`fastbert embed`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl

from tests.cli.conftest import Run
from tests.helpers import write_csv


def test_vectors_of_a_table_are_written(run: Run, bundle: Path, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["text"], [["the app is slow"], ["i love the app"]])

    outcome = run("embed", bundle, table, "--out", tmp_path / "v.npy", "--text", "text")

    assert outcome.code == 0, outcome.err
    assert f"2 vectors of 32 numbers from column 'text' written to {tmp_path / 'v.npy'}" in outcome.err
    np.testing.assert_allclose(np.linalg.norm(np.load(tmp_path / "v.npy"), axis=1), 1.0, rtol=1e-5)


def test_json_says_what_was_written(run: Run, bundle: Path, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", ["text"], [["the app is slow"], [""]])

    values = run("embed", bundle, table, "--out", tmp_path / "v.npy", "--text", "text", "--json").json

    assert values == {"out": str(tmp_path / "v.npy"), "rows": 2, "width": 32, "empty": 1, "cut": 0}


def test_the_sheets_that_are_not_read_are_named_by_every_command(run: Run, bundle: Path, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["text"])
    for text in ("the app is slow. i love the app", "the app is great"):
        book.active.append([text])
    book.create_sheet("May")
    book.save(tmp_path / "t.xlsx")
    commands = [
        ("embed", bundle, tmp_path / "t.xlsx", "--out", tmp_path / "v.npy", "--text", "text"),
        ("predict", bundle, tmp_path / "t.xlsx"),
        ("similar", tmp_path / "t.xlsx", "--encoder", bundle, "--text", "text"),
        ("summarize", bundle, tmp_path / "t.xlsx", "--text", "text"),
        ("label", tmp_path / "t.xlsx", "--labels", "bug,praise", "--encoder", bundle, "--text", "text"),
    ]

    outcomes = [run(*command) for command in commands]
    outcomes += [run(*command, "--json") for command in (commands[0], commands[3])]

    assert [outcome.code for outcome in outcomes] == [0] * 7, [outcome.err for outcome in outcomes]
    assert all("note: t.xlsx: the first sheet alone, not 'May'.\n" in outcome.err for outcome in outcomes)


def test_an_unknown_pooling_is_refused(run: Run, bundle: Path, tmp_path: Path) -> None:
    outcome = run("embed", bundle, tmp_path / "t.csv", "--out", tmp_path / "v.npy", "--pooling", "max")

    assert (outcome.code, outcome.err) == (2, "error: --pooling is 'max'; expected auto, mean or cls.\n")


def test_a_table_is_not_written_over_by_its_vectors(run: Run, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "in.parquet", ["text"], [["the app is slow"]])

    outcome = run("embed", tmp_path / "no encoder is opened", table, "--out", table)

    assert (outcome.code, outcome.err) == (
        2,
        f"error: {table} is the input itself.\nhint: Give --out another name.\n",
    )
