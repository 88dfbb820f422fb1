"""`fastbert predict`: every row comes back, in order, with its answer."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from fastbert.inference.predictor import Predictor
from tests.cli.conftest import Run
from tests.feedback import feedback_rows
from tests.helpers import write_csv

ANSWERS = ["predicted", "score:bug", "score:praise"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Write a table with a column before and one behind the text, and an empty text in the third row."""
    rows = [[f"id{number}", row["text"], row["label"]] for number, row in enumerate(feedback_rows(6))]
    rows[2][1] = ""
    return write_csv(tmp_path / "new.csv", ["id", "text", "note"], rows)


def read(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines(), delimiter=delimiter))


def test_columns_and_row_order_are_kept(run: Run, bundle: Path, table: Path) -> None:
    outcome = run("predict", bundle, table)

    rows, before = read(outcome.out), read(table.read_text(encoding="utf-8"))
    assert list(rows[0]) == ["id", "text", "note", *ANSWERS]
    assert [{name: row[name] for name in before[0]} for row in rows] == before


def test_answers_are_those_of_the_predictor(run: Run, bundle: Path, table: Path) -> None:
    rows = read(run("predict", bundle, table).out)
    filled = [row for row in rows if row["text"]]

    answers = Predictor.load(bundle)([row["text"] for row in filled])

    assert [row["predicted"] for row in filled] == [answer.labels[0] for answer in answers]
    assert [float(row["score:bug"]) for row in filled] == pytest.approx(
        [answer.scores["bug"] for answer in answers], abs=1e-6
    )


def test_rows_without_text_are_kept_and_counted(run: Run, bundle: Path, table: Path) -> None:
    outcome = run("predict", bundle, table)

    assert [row["id"] for row in read(outcome.out) if not row["predicted"]] == ["id2"]
    assert outcome.err == "note: 1 of 6 rows have no text; they are kept without an answer\n"


def test_json_is_one_object(run: Run, bundle: Path, table: Path) -> None:
    values = run("predict", bundle, table, "--json").json

    predictions = values["predictions"]
    assert isinstance(predictions, list)
    assert (values["rows"], len(predictions)) == (6, 6)
    assert predictions[2] == {"id": "id2", "text": "", "note": "bug", "prediction": None}
    assert set(predictions[0]["prediction"]) == {"labels", "scores"}


@pytest.mark.parametrize(("ending", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_answers_can_be_written_to_a_table(
    ending: str, delimiter: str, run: Run, bundle: Path, table: Path, tmp_path: Path
) -> None:
    out = tmp_path / f"answers.{ending}"

    outcome = run("predict", bundle, table, "--out", out)

    assert (outcome.code, outcome.out) == (0, "")
    assert re.search(rf"\n6 rows written to {re.escape(str(out))}; [\d,]+ texts/s, [\d,]+ tokens/s\n$", outcome.err)
    assert read(out.read_text(encoding="utf-8"), delimiter) == read(run("predict", bundle, table).out)


def test_answers_can_be_written_as_json_lines(run: Run, bundle: Path, table: Path, tmp_path: Path) -> None:
    run("predict", bundle, table, "--out", tmp_path / "answers.jsonl")

    lines = (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [f"id{number}" for number in range(6)]


def test_with_a_file_json_is_a_summary(run: Run, bundle: Path, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.csv"

    assert run("predict", bundle, table, "--out", out, "--json").json == {"out": str(out), "rows": 6}


# --- where texts come from ----------------------------------------------------------------------------


def test_one_text_a_line_comes_through_a_pipe(run: Run, bundle: Path) -> None:
    outcome = run("predict", bundle, "-", stdin=b"the app is great\nthe app is slow\n")

    assert [row["text"] for row in read(outcome.out)] == ["the app is great", "the app is slow"]


def test_a_single_text_comes_through_a_pipe(run: Run, bundle: Path) -> None:
    outcome = run("predict", bundle, "-", stdin=b"the app is great , and fast\n")

    assert [row["text"] for row in read(outcome.out)] == ["the app is great , and fast"]


def test_a_table_comes_through_a_pipe(run: Run, bundle: Path, table: Path) -> None:
    piped = run("predict", bundle, "-", stdin=table.read_bytes())

    assert piped.out == run("predict", bundle, table).out


def test_another_column_can_be_named(run: Run, bundle: Path, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "new.csv", ["text", "body"], [["x", "the app is great"]])

    values = run("predict", bundle, table, "--text", "body", "--json").json

    assert values["rows"] == 1


def test_a_column_can_be_given_by_number(run: Run, bundle: Path, tmp_path: Path) -> None:
    table = tmp_path / "raw.tsv"
    table.write_text("1\tthe app is great\n2\tthe app is slow\n", encoding="utf-8")

    rows = read(run("predict", bundle, table, "--no-header", "--text", 1).out)

    assert [row["1"] for row in rows] == ["the app is great", "the app is slow"]


def test_json_lines_keep_their_values(run: Run, bundle: Path, tmp_path: Path) -> None:
    table = tmp_path / "new.jsonl"
    table.write_text('{"text": "the app", "stars": 5, "tags": ["a"]}\n', encoding="utf-8")

    predictions = run("predict", bundle, table, "--json").json["predictions"]

    assert isinstance(predictions, list)
    assert {name: predictions[0][name] for name in ("stars", "tags")} == {"stars": 5, "tags": ["a"]}


# --- what is refused ----------------------------------------------------------------------------------


def listing(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["new.csv", "--out", "new.csv"], "error: new.csv is the input itself.\nhint: Give --out another name."),
        (["new.csv", "--out", "a.xlsx"], "error: a.xlsx: answers are written as .csv, .tsv or .jsonl"),
        (["new.csv", "--out", "no/a.csv"], "error: The folder of no/a.csv does not exist.\nhint: Make it first."),
        (["new.csv", "--text", "texd"], "error: new.csv: there is no column 'texd'"),
        (["new.csv", "--text", "a,b,c"], "error: text names 3 columns"),
        (["new.csv", "--backend", "gpu"], "error: 'gpu' is not a backend."),
        (["gone.csv"], "gone.csv"),
        (["ragged.csv"], "error: ragged.csv, row 3: 1 cell found, the header has 3"),
        (["ragged.csv", "--json"], "error: ragged.csv, row 3: 1 cell found, the header has 3"),
        (["ragged.csv", "--out", "a.csv"], "error: ragged.csv, row 3: 1 cell found, the header has 3"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(
    arguments: list[str], message: str, run: Run, bundle: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(table.parent)
    Path("ragged.csv").write_text("id,text,note\n1,the app,x\n2\n3,the page,y\n", encoding="utf-8")
    before = listing(table.parent)

    outcome = run("predict", bundle, *arguments)

    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert listing(table.parent) == before


def test_nothing_on_standard_input_is_refused(run: Run, bundle: Path) -> None:
    outcome = run("predict", bundle, "-", stdin=b"")

    assert (outcome.code, outcome.out) == (2, "")
    assert "is empty" in outcome.err
