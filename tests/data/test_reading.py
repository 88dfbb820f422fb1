"""From a file to examples through the one door."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from fastbert.config import DataConfig
from fastbert.data.examples import Entity, Example, QuestionExample, ValueExample
from fastbert.data.reading import (
    layout_from_json,
    open_inputs,
    read_file,
    read_like,
    read_marked_up,
    read_training_file,
)
from fastbert.data.sources import Source
from fastbert.errors import ConfigError, DataError
from fastbert.labels import Labels
from tests.helpers import write_csv
from tests.tasks.questions import question_rows, write_squad

RATED = [{"text": f"text number {row}", "stars": row / 4} for row in range(40)]
LABELLED = [{"text": f"text number {row}", "label": "ab"[row % 2]} for row in range(10)]


def test_numbers_become_value_examples() -> None:
    layout, read = read_training_file(RATED, DataConfig(labels=("stars",)))

    assert layout.task == "regression"
    assert read.examples[2] == ValueExample("text number 2", None, 0.5, "rows, row 3")


def test_a_layout_comes_back_from_json_and_reads_another_file() -> None:
    layout, read = read_training_file(LABELLED, DataConfig())

    again = read_file(LABELLED, layout_from_json(layout.to_json()), DataConfig(), labels=Labels(("a", "b")))

    assert [example.truth for example in again.examples] == [example.truth for example in read.examples]


def test_a_file_may_have_other_columns_than_the_training_file(tmp_path: Path) -> None:
    layout, _ = read_training_file(RATED, DataConfig(labels=("stars",)))
    table = write_csv(tmp_path / "new.csv", ["text", "score"], [["fine", 3.5], ["bad", 1]])

    read = read_like(table, layout, DataConfig(labels=("score",)), "regression")

    assert [example.truth for example in read.examples] == [3.5, 1.0]


def test_rows_without_a_number_are_rows_to_predict() -> None:
    layout, _ = read_training_file(RATED, DataConfig(labels=("stars",)))

    read = read_like([{"text": "fine"}], layout, DataConfig(), "regression", truth_required=False)

    assert [example.truth for example in read.examples] == [None]


def test_a_missing_number_is_an_error_or_left_out() -> None:
    rows = [*RATED, {"text": "no stars", "stars": None}]
    config = DataConfig(labels=("stars",), on_bad_row="skip")

    assert len(read_training_file(rows, config)[1].examples) == len(RATED)
    with pytest.raises(DataError, match="1 of 41 rows cannot be used: column 'stars' is empty"):
        read_training_file(rows, config.changed(on_bad_row="error"))


# --- questions --------------------------------------------------------------------------------------

QUESTIONS = question_rows(12)
ASKED = [{name: row[name] for name in ("question", "context")} for row in QUESTIONS]


def questions_of(source: Source, **options: object) -> list[Example]:
    layout, read = read_training_file(source, DataConfig().changed(**options))
    assert layout.task == "answering"
    return list(read.examples)


def test_questions_are_known_by_themselves_in_tables_and_squad_files(tmp_path: Path) -> None:
    rows, squad = questions_of(QUESTIONS), questions_of(write_squad(tmp_path / "train.json", QUESTIONS))

    assert [(one.text, one.pair, one.truth) for one in rows] == [(one.text, one.pair, one.truth) for one in squad]
    assert isinstance(rows[0], QuestionExample)


@pytest.mark.parametrize(
    "options",
    [
        {"task": "answering"},
        {"text": ("question", "context")},
        {"labels": ("answers",)},
        {"task": "answering", "text": ("question", "context"), "labels": ("answers",)},
    ],
)
def test_columns_of_questions_may_be_named(options: dict[str, object]) -> None:
    assert questions_of(QUESTIONS, **options) == questions_of(QUESTIONS)


def test_other_columns_are_questions_if_the_user_says_so() -> None:
    rows = [{"a": row["question"], "b": row["context"], "c": row["answers"]["text"][0]} for row in QUESTIONS]

    found = questions_of(rows, task="answering", text=("a", "b"), labels=("c",))

    assert [one.pair for one in found] == [row["context"] for row in QUESTIONS]


@pytest.mark.parametrize("options", [{"labels": ("kind",)}, {"text": ("question",), "labels": ("kind",)}])
def test_another_label_makes_another_task_of_a_table_of_questions(options: dict[str, object]) -> None:
    rows = [row | {"kind": "ab"[number % 2]} for number, row in enumerate(QUESTIONS)]

    assert read_training_file(rows, DataConfig().changed(**options))[0].task == "single_label"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": "|"}, "--delimiter is about labels, but --task is answering"),
        ({"labels_file": "names.txt"}, "--labels-file is about labels, but --task is answering"),
        ({"labels": ("a", "b")}, "--labels names 2 columns; the answers are in one"),
        ({"group": "context"}, "--group names a column, but questions are grouped by their contexts"),
    ],
)
def test_options_that_mean_nothing_for_questions_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_training_file(QUESTIONS, DataConfig(task="answering").changed(**options))


def test_a_layout_of_questions_comes_back_from_json() -> None:
    layout, _ = read_training_file(QUESTIONS, DataConfig())

    assert layout_from_json(layout.to_json()) == layout


def test_a_table_of_questions_and_a_squad_file_follow_each_other(tmp_path: Path) -> None:
    squad = write_squad(tmp_path / "train.json", QUESTIONS)
    of_table, of_squad = (read_training_file(source, DataConfig())[0] for source in (QUESTIONS, squad))

    first, second = read_file(squad, of_table, DataConfig()), read_file(QUESTIONS, of_squad, DataConfig())

    assert [one.truth for one in first.examples] == [one.truth for one in second.examples]
    assert (first.format, second.format) == ("SQuAD", "a question in each row")


def test_questions_without_answers_are_questions_to_answer() -> None:
    layout, _ = read_training_file(QUESTIONS, DataConfig())

    read = read_like(ASKED, layout, DataConfig(), "answering", truth_required=False)

    assert {one.truth for one in read.examples} == {None}
    with pytest.raises(DataError, match="answers"):
        read_like(ASKED, layout, DataConfig(), "answering")


def test_columns_of_another_table_of_questions_may_be_named() -> None:
    layout, _ = read_training_file(QUESTIONS, DataConfig())
    rows = [{"ask": row["question"], "about": row["context"], "answer": row["answers"]} for row in QUESTIONS]

    read = read_like(rows, layout, DataConfig(text=("ask", "about"), labels=("answer",)), "answering")

    assert len(read.examples) == len(QUESTIONS)


def test_of_the_columns_of_questions_one_may_be_named_alone(tmp_path: Path) -> None:
    def rows(answer: str) -> list[dict[str, object]]:
        return [{"q": row["question"], "passage": row["context"], answer: row["answers"]} for row in QUESTIONS]

    trained = DataConfig(task="answering", text=("q", "passage"), labels=("reply",))
    layout, _ = read_training_file(rows("reply"), trained)

    gold = read_like(rows("gold"), layout, DataConfig(labels=("gold",)), "answering")
    named = read_like(rows("reply"), layout, DataConfig(text=("q", "passage")), "answering")

    assert [one.truth for one in gold.examples] == [one.truth for one in named.examples]


def test_questions_on_standard_input_can_be_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout, read = read_training_file(QUESTIONS, DataConfig())
    piped = io.BytesIO(write_squad(tmp_path / "dev.json", QUESTIONS).read_bytes())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(piped))

    assert [one.truth for one in read_file("-", layout, DataConfig()).examples] == [one.truth for one in read.examples]


def test_of_the_columns_of_tagged_text_one_may_be_named_alone(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "a.csv", ["sent_id", "mot", "etiquette"], [[1, "a", "O"], [1, "Rome", "B-city"]])
    other = write_csv(tmp_path / "b.csv", ["sent_id", "mot", "gold"], [[1, "a", "O"], [1, "Oslo", "B-city"]])
    trained = DataConfig(task="tagging", text=("mot",), labels=("etiquette",))
    layout, _ = read_training_file(table, trained)

    read = read_like(other, layout, DataConfig(labels=("gold",)), "tagging")

    assert [text for one in read.examples for text in one.text.split()] == ["a", "Oslo"]


def test_inputs_are_rows_of_a_table_or_questions_of_a_squad_file(tmp_path: Path) -> None:
    layout, _ = read_training_file(QUESTIONS, DataConfig())
    squad = write_squad(tmp_path / "new.json", QUESTIONS, answers=False)

    table, questions = open_inputs(ASKED, layout, None), open_inputs(squad, layout, None)

    assert table.columns == ("question", "context")
    assert [row.cells[1:] for row in questions.rows] == [row.cells for row in table.rows]


# --- tagged text ------------------------------------------------------------------------------------


def write_tagged(format: str, place: Path) -> Path | list[dict[str, object]]:
    """Write two sentences, in the first of which "Rome" is a city, and return what names them to a reader."""
    place.mkdir()
    if format == "parallel":
        (place / "seq.in").write_text("fly to Rome\nhello\n", encoding="utf-8")
        (place / "seq.out").write_text("O O B-city\nO\n", encoding="utf-8")
        return place
    if format == "brat":
        (place / "a.txt").write_text("fly to Rome\nhello\n", encoding="utf-8")
        (place / "a.ann").write_text("T1\tcity 7 11\tRome\n", encoding="utf-8")
        return place
    if format == "conll":
        (place / "a.conll").write_text("fly O\nto O\nRome B-city\n\nhello O\n", encoding="utf-8")
        return place / "a.conll"
    if format == "token_table":
        rows = [[1, "fly", "O"], [1, "to", "O"], [1, "Rome", "B-city"], [2, "hello", "O"]]
        return write_csv(place / "a.csv", ["sentence_id", "token", "tag"], rows)
    return [{"text": "fly to Rome", "label": [[7, 11, "city"]]}, {"text": "hello", "label": []}]


@pytest.mark.parametrize("format", ["conll", "parallel", "spans", "brat", "token_table"])
def test_every_format_of_tagged_text_is_known_and_read_again(format: str, tmp_path: Path) -> None:
    source = write_tagged(format, tmp_path / "data")

    layout, read = read_training_file(source, DataConfig())
    again = read_file(source, layout_from_json(layout.to_json()), DataConfig(), labels=Labels(("city",)))

    assert (layout.task, layout.to_json()["format"]) == ("tagging", format)
    assert [example.truth for example in read.examples] == [(Entity(7, 11, "city"),), ()]
    assert [example.truth for example in again.examples] == [(Entity(7, 11, "city"),), ()]


@pytest.mark.parametrize(
    ("bad", "what"),
    [("Rome", "1 column found, most lines have 2"), ("Rome\tcity", "tag 'city' is neither O nor a prefix .*")],
)
def test_one_bad_line_does_not_make_another_task_of_a_file_of_tags(bad: str, what: str, tmp_path: Path) -> None:
    source = tmp_path / "train.txt"
    source.write_text("fly\tO\nto\tO\nRome\tB-city\n\n" * 4 + bad + "\n", encoding="utf-8")

    with pytest.raises(DataError, match=f"train.txt, line 17: {what}"):
        read_training_file(source, DataConfig())


@pytest.mark.parametrize("format", ["conll", "parallel", "brat"])
def test_a_later_file_may_be_tagged_in_another_format(format: str, tmp_path: Path) -> None:
    layout, _ = read_training_file(write_tagged("spans", tmp_path / "train"), DataConfig())

    read = read_file(write_tagged(format, tmp_path / "valid"), layout, DataConfig())

    assert read.examples[0].truth == (Entity(7, 11, "city"),)


def test_only_formats_of_their_own_are_no_tables_to_predict(tmp_path: Path) -> None:
    folder = write_tagged("parallel", tmp_path / "data")
    layout, _ = read_training_file(folder, DataConfig())
    table = write_csv(tmp_path / "new.csv", ["text"], [["fly to Rome"]])

    read = read_marked_up(folder, layout, DataConfig())

    assert read is not None
    assert [one.text for one in read.examples] == ["fly to Rome", "hello"]
    assert read_marked_up(table, layout, DataConfig()) is read_marked_up(folder, None, DataConfig()) is None


def test_tagged_text_on_standard_input_can_be_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout, _ = read_training_file(write_tagged("spans", tmp_path / "train"), DataConfig())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"fly O\nto O\nRome B-city\n\nhello O\n")))

    assert [one.truth for one in read_file("-", layout, DataConfig()).examples] == [(Entity(7, 11, "city"),), ()]
