"""Each format cell by cell, and files that are whole or not there."""

from __future__ import annotations

import csv
import errno
import io
import json
from pathlib import Path

import pytest

from fastbert.data.sources import open_rows
from fastbert.data.table import Cell, ObjectText, Row
from fastbert.errors import DataError, TrainingError
from fastbert.inference.writers import check_out, open_writer, write_records
from fastbert.tasks.label_prediction import LabelPrediction

COLUMNS = ("id", "text")
ADDED = ("predicted", "score:bug", "score:praise")
ANSWER = LabelPrediction(("praise", "bug"), {"bug": 0.5, "praise": 0.75})


def write(out: Path | None, *rows: tuple[Cell, ...], as_json: bool = False, columns: tuple[str, ...] = COLUMNS) -> None:
    """Write rows with the same answer; a row without text gets none."""
    with open_writer(columns, ADDED, out, as_json=as_json, source="new.csv") as writer:
        for number, cells in enumerate(rows, start=2):
            writer.write(Row(number, cells), ANSWER if cells[1] else None)


@pytest.mark.parametrize(("ending", "sign"), [(".csv", ","), (".tsv", "\t")])
def test_a_delimited_file_has_the_input_then_labels_and_scores(ending: str, sign: str, tmp_path: Path) -> None:
    out = tmp_path / f"answers{ending}"

    write(out, ("1", "the app"))

    assert out.read_bytes().decode() == (
        sign.join(["id", "text", "predicted", "score:bug", "score:praise"])
        + "\n"
        + sign.join(["1", "the app", "praise|bug", "0.500000", "0.750000"])
        + "\n"
    )


def test_cells_are_quoted_where_they_must_be(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ("1", 'say "hi", twice\nor so'))

    assert '1,"say ""hi"", twice\nor so",praise|bug' in (tmp_path / "a.csv").read_bytes().decode()


def test_a_row_without_text_has_empty_answers(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ("1", ""))

    assert (tmp_path / "a.csv").read_bytes().splitlines()[1] == b"1,,,,"


@pytest.mark.parametrize(
    ("cell", "written"), [(None, ""), (3, "3"), (2.5, "2.5"), (True, "true"), (["a", 1], '"[""a"", 1]"'), ("ü", "ü")]
)
def test_cells_that_are_no_text_are_written_as_json(cell: Cell, written: str, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", (cell, "the app"))

    assert (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()[1].startswith(f"{written},the app,")


def test_a_column_that_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ("old", "the app"), columns=("predicted", "text"))

    header = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "predicted,text,predicted_2,score:bug,score:praise"


def test_json_lines_hold_the_row_and_its_prediction(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", ("1", "größer"), ("2", ""))

    text = (tmp_path / "a.jsonl").read_text(encoding="utf-8")
    assert "größer" in text
    assert [json.loads(line) for line in text.splitlines()] == [
        {
            "id": "1",
            "text": "größer",
            "prediction": {"labels": ["praise", "bug"], "scores": {"bug": 0.5, "praise": 0.75}},
        },
        {"id": "2", "text": "", "prediction": None},
    ]


def test_objects_are_written_as_they_were_read(tmp_path: Path) -> None:
    row = {"id": 1, "text": "Anna met Bob.", "spans": [{"start": 0, "end": 4, "label": "person"}], "meta": {"a": [{}]}}
    stream = open_rows([row])
    (read,) = stream.rows

    for name in ("a.jsonl", "a.csv"):
        write(tmp_path / name, read.cells, columns=stream.columns)

    written = json.loads((tmp_path / "a.jsonl").read_text(encoding="utf-8"))
    assert {name: written[name] for name in row} == row
    (cells,) = csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text(encoding="utf-8")))
    assert (json.loads(cells["spans"]), json.loads(cells["meta"])) == (row["spans"], row["meta"])


def test_a_json_key_that_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", ("old", "the app"), columns=("prediction", "text"))

    row = json.loads((tmp_path / "a.jsonl").read_text(encoding="utf-8"))
    assert (row["prediction"], row["prediction_2"]["labels"]) == ("old", ["praise", "bug"])


# --- standard output ----------------------------------------------------------------------------------


def test_without_a_file_csv_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write(None, ("1", "the app"))

    assert capsys.readouterr().out == (
        "id,text,predicted,score:bug,score:praise\n1,the app,praise|bug,0.500000,0.750000\n"
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_on_standard_output_is_one_object(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    write(None, *[("1", "the app")] * count, as_json=True)

    output = capsys.readouterr().out
    values = json.loads(output)
    assert (values["rows"], len(values["predictions"]), output.count("\n")) == (count, count, 1)


def test_with_a_file_json_is_a_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a.csv", ("1", "the app"), ("2", ""), as_json=True)

    assert json.loads(capsys.readouterr().out) == {"out": str(tmp_path / "a.csv"), "rows": 2}


# --- files --------------------------------------------------------------------------------------------


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    with open_writer(COLUMNS, ADDED, out, as_json=False, source="new.csv") as writer:
        writer.write(Row(2, ("1", "the app")), ANSWER)
        there = out.exists()

    assert (there, out.exists()) == (False, True)


def test_nothing_else_is_left_beside_the_file(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ("1", "the app"))

    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("before", [None, "old answers"], ids=["new", "old"])
def test_a_full_disk_leaves_no_partial_file(
    before: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a.csv"
    if before is not None:
        out.write_text(before, encoding="utf-8")

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda *args, **options: Full())
    with (
        pytest.raises(TrainingError, match=r"a.csv could not be written \(No space left on device\)"),
        open_writer(COLUMNS, ADDED, out, as_json=False, source="new.csv") as writer,
    ):
        writer.write(Row(2, ("1", "the app")), ANSWER)
    monkeypatch.undo()

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == ({"a.csv": before} if before else {})


def test_an_error_of_reading_is_not_called_one_of_writing(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match="Input/output error"),
        open_writer(COLUMNS, ADDED, tmp_path / "a.csv", as_json=False, source="new.csv"),
    ):
        raise OSError(errno.EIO, "Input/output error")

    assert list(tmp_path.iterdir()) == []


def test_two_processes_that_write_to_one_file_do_not_mix_their_rows(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    with open_writer(COLUMNS, ADDED, out, as_json=False, source="new.csv") as first:
        with open_writer(COLUMNS, ADDED, out, as_json=False, source="new.csv") as second:
            first.write(Row(2, ("1", "one")), ANSWER)
            second.write(Row(2, ("1", "two")), ANSWER)
        after_second = out.read_text(encoding="utf-8")

    assert [line.split(",")[1] for line in after_second.splitlines()[1:]] == ["two"]
    assert [line.split(",")[1] for line in out.read_text(encoding="utf-8").splitlines()[1:]] == ["one"]


def test_a_carriage_return_within_a_cell_does_not_end_the_row(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ("1", "the\rapp"))

    with (tmp_path / "a.csv").open(encoding="utf-8", newline=None) as stream:
        assert [row[1] for row in csv.reader(stream)] == ["text", "the\napp"]  # as universal newlines have it


def test_an_error_in_a_row_leaves_no_partial_file(tmp_path: Path) -> None:
    with (
        pytest.raises(DataError, match="row 3"),
        open_writer(COLUMNS, ADDED, tmp_path / "a.csv", as_json=False, source="new.csv") as writer,
    ):
        writer.write(Row(2, ("1", "the app")), ANSWER)
        raise DataError("new.csv, row 3: 1 cell found, the header has 2")

    assert list(tmp_path.iterdir()) == []


def test_the_input_is_not_overwritten(tmp_path: Path) -> None:
    table = tmp_path / "new.csv"
    table.write_text("id,text\n", encoding="utf-8")

    with (
        pytest.raises(DataError, match="new.csv is the input itself.\n  Give --out another name."),
        open_writer(COLUMNS, ADDED, tmp_path / "." / "new.csv", as_json=False, source=str(table)),
    ):
        pass

    assert table.read_text(encoding="utf-8") == "id,text\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.xlsx", "a.xlsx: answers are written as .csv, .tsv or .jsonl; this ending is '.xlsx'."),
        ("answers", "answers: answers are written as .csv, .tsv or .jsonl; this ending is ''."),
        ("missing/a.csv", "The folder of .*missing/a.csv does not exist.\n  Make it first."),
        ("folder.csv", "folder.csv is a folder; expected the name of a file.\n  Give --out another name."),
    ],
)
def test_a_file_that_cannot_be_written_is_refused(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()

    with (
        pytest.raises(DataError, match=message),
        open_writer(COLUMNS, ADDED, tmp_path / name, as_json=False, source="new.csv"),
    ):
        pass

    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


def test_a_folder_that_cannot_be_written_to_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(dir: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)

    with pytest.raises(DataError, match="No file can be written to the folder of .*a.csv .Permission denied"):
        check_out(tmp_path / "a.csv")


def test_records_keep_objects_and_write_no_number_that_json_lacks(tmp_path: Path) -> None:
    write_records(["a", "b"], [[ObjectText('{"x": 1}'), float("inf")]], tmp_path / "out.jsonl", source="in.jsonl")

    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == '{"a": {"x": 1}, "b": null}\n'
