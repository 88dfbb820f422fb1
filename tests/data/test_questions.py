"""Questions from files and tables: what is put right, what is left out, and what is an error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas
import polars
import pytest

from fastbert.data.examples import Answer, QuestionExample
from fastbert.data.question_records import context_group
from fastbert.data.questions import QuestionLayout, detect_questions, read_questions
from fastbert.data.rows import Report, SkippedRows
from fastbert.data.sources import Source
from fastbert.errors import DataError
from tests.data.test_squad import paragraph, question, squad
from tests.helpers import write_csv
from tests.realdata import real_data

CONTEXT = "Rome is old. Rome lies on the Tiber."
Row = dict[str, object]


def row(answers: object, **more: object) -> Row:
    return {"question": "What?", "context": CONTEXT, "answers": answers, **more}


def at(text: str, *starts: object) -> Row:
    return {"text": [text] * len(starts), "answer_start": list(starts)}


def read(
    source: Source, on_bad_row: Literal["error", "skip"] = "error", answers_required: bool = True
) -> tuple[list[QuestionExample], Report]:
    layout = detect_questions(source, answers_required=answers_required)
    return read_questions(source, layout, answers_required=answers_required, on_bad_row=on_bad_row)


def answers_of(*rows: Row, answers_required: bool = True) -> list[tuple[Answer, ...] | None]:
    return [example.answers for example in read(list(rows), answers_required=answers_required)[0]]


def sentences(*rows: Row, on_bad_row: Literal["error", "skip"] = "error") -> list[str]:
    return read(list(rows), on_bad_row)[1].sentences()


def error(*rows: Row, on_bad_row: Literal["error", "skip"] = "error", answers_required: bool = True) -> str:
    with pytest.raises(DataError) as caught:
        read(list(rows), on_bad_row, answers_required)
    return str(caught.value)


def squad_file(folder: Path, *paragraphs: Row) -> Path:
    path = folder / "train.json"
    path.write_text(json.dumps(squad(*paragraphs)), encoding="utf-8")
    return path


# --- formats ----------------------------------------------------------------------------------------


def test_a_squad_file_gives_examples(tmp_path: Path) -> None:
    examples, report = read(squad_file(tmp_path, paragraph(question())))

    place, group = "train.json, question q1", context_group("Rome is old.")
    assert examples == [QuestionExample("What is old?", "Rome is old.", (Answer("Rome", 0),), place, group, "q1")]
    assert report == Report("train.json", 1)


def test_several_titles_group_questions_and_a_single_one_does_not(tmp_path: Path) -> None:
    content = squad(paragraph(question()))
    content["data"] = [*squad(paragraph(question()), title="Tiber")["data"], *content["data"]]  # type: ignore[misc]
    path = tmp_path / "several.json"
    path.write_text(json.dumps(content), encoding="utf-8")

    assert [example.group for example in read(path)[0]] == ["Tiber", "Rome"]
    assert read(squad_file(tmp_path, paragraph(question())))[0][0].group == context_group("Rome is old.")


ROWS = [
    row(at("Rome", 13), id="a"),
    row(at("the Tiber", 26), id="b"),
    row({"text": [], "answer_start": []}, id="c"),
]


@pytest.mark.parametrize(
    "name", ["qa.jsonl", "qa.json", "qa.csv", "qa.tsv", "qa.parquet", "qa.xlsx", "pandas", "polars"]
)
def test_every_format_of_a_table_gives_the_same_examples(name: str, tmp_path: Path) -> None:
    expected = [(one.text, one.pair, one.answers, one.group, one.key) for one in read(ROWS)[0]]
    frame = pandas.DataFrame(ROWS)
    text_frame = frame.assign(answers=frame["answers"].map(json.dumps))
    path = tmp_path / name
    source: Source = path
    if path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, ROWS)))
    elif path.suffix == ".json":
        path.write_text(json.dumps(ROWS))
    elif path.suffix in (".csv", ".tsv"):
        text_frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".xlsx":
        text_frame.to_excel(path, index=False)
    else:
        source = frame if name == "pandas" else polars.DataFrame(ROWS)

    found = read(source)[0]

    assert [(one.text, one.pair, one.answers, one.group, one.key) for one in found] == expected


def test_a_row_of_a_table_knows_its_place_and_its_group(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "qa.csv", ["question", "context", "answer"], [["What?", CONTEXT, "old"]] * 2)

    examples, _ = read(path)

    assert [example.where for example in examples] == ["qa.csv, row 2", "qa.csv, row 3"]
    assert {example.group for example in examples} == {context_group(CONTEXT)}


def test_questions_of_an_article_without_title_are_grouped_by_context(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_text(json.dumps(squad(paragraph(question()), title=None)))

    assert read(path)[0][0].group == context_group("Rome is old.")


def test_a_table_without_header_is_read_as_it_was_detected(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "qa.csv", ["What?", CONTEXT, "old"], [["Why?", CONTEXT, "Tiber"]])
    layout = detect_questions(path, text=("0", "1"), answer="2", header=False)

    examples, _ = read_questions(path, layout)

    assert [example.text for example in examples] == ["What?", "Why?"]


def test_tuples_below_a_row_of_names_are_read_as_they_were_detected() -> None:
    rows = [("question", "context", "answer"), ("What?", CONTEXT, "old")]

    examples, _ = read_questions(rows, detect_questions(rows, header=True))

    assert [example.answers for example in examples] == [(Answer("old", 8),)]


def test_a_layout_of_a_squad_file_does_not_read_rows() -> None:
    layout = QuestionLayout("squad", "question", "context", "answers", "answer_start")

    with pytest.raises(DataError, match=r"The questions are not in a file; expected a SQuAD file"):
        read_questions(ROWS, layout)


@pytest.mark.parametrize(
    ("name", "count", "impossible"),
    [("dev-v1.1.json", 2968, 0), ("dev-v2.0.json", 2239, 1224)],
)
def test_the_real_files_are_read_without_a_remark(name: str, count: int, impossible: int) -> None:
    examples, report = read(real_data(f"squad/{name}"))

    assert (len(examples), report.sentences()) == (count, [])
    assert sum(example.answers == () for example in examples) == impossible
    assert all(
        example.pair.startswith(answer.text, answer.start) for example in examples for answer in example.answers or ()
    )


# --- answers and their offsets ----------------------------------------------------------------------


def test_all_answers_are_kept_in_their_order_equal_ones_too() -> None:
    assert answers_of(
        row([{"text": "old", "start": 8}, {"text": "Rome", "start": 0}, {"text": "old", "start": 8}])
    ) == [(Answer("old", 8), Answer("Rome", 0), Answer("old", 8))]


def test_a_wrong_offset_is_put_right_where_there_is_one_place() -> None:
    assert answers_of(row(at("old", 7))) == [(Answer("old", 8),)]
    assert sentences(row(at("old", 7)), row(at("old", 8)), row(at("Tiber", 0, 1))) == [
        "rows: an answer not at the offset given was found in the only place where its context has it, 3 times"
        " (rows 1, 3)."
    ]


def test_an_answer_without_an_offset_is_found() -> None:
    assert answers_of(row("old"), row(["Tiber"])) == [(Answer("old", 8),), (Answer("Tiber", 30),)]
    assert sentences(row("old")) == []


def test_an_answer_without_an_offset_in_several_places_is_the_first_one_and_said_so() -> None:
    assert answers_of(row("Rome")) == [(Answer("Rome", 0),)]
    assert sentences(row("Rome")) == [
        "rows: an answer without an offset was taken from the first of several places in its context, once (row 1)."
    ]


def test_a_bad_answer_beside_good_ones_is_not_learned_and_said_so() -> None:
    rows = [row(["Paris", "old"]), row([{"text": "Rome", "start": 5}, {"text": "old", "start": 8}])]

    assert answers_of(*rows) == [(Answer("old", 8),), (Answer("old", 8),)]
    assert sentences(*rows) == [
        "rows: an answer counts as right but is not learned, because it is not in its context, or not at the offset"
        " given and in several other places; its question has others, 2 times (rows 1, 2)."
    ]
    assert [example.unplaced for example in read(rows)[0]] == [("Paris",), ("Rome",)]


def test_many_places_of_a_remark_are_cut_short() -> None:
    assert sentences(*[row("Rome")] * 7)[0].endswith(", 7 times (rows 1, 2, 3, 4, 5, ...).")


@pytest.mark.parametrize(("unit", "encoding", "size"), [("UTF-8 bytes", "utf-8", 1), ("UTF-16 units", "utf-16-le", 2)])
def test_offsets_in_another_unit_are_read_in_it_and_said_so(unit: str, encoding: str, size: int) -> None:
    context = "São 🙂 Paulo 🙂 São"
    rows: list[Row] = [
        {"question": "What?", "context": context, "answers": at(text, len(context[:start].encode(encoding)) // size)}
        for text, start in [("São", 0), ("Paulo", 6), ("São", 14)]
    ]

    assert answers_of(*rows) == [(Answer("São", 0),), (Answer("Paulo", 6),), (Answer("São", 14),)]
    assert sentences(*rows) == [f"The offsets of rows count {unit}, and were read so."]


def test_answers_are_looked_for_as_they_are_written() -> None:
    assert "the answer 'rome' stands nowhere in its context" in error(row("rome"))


# --- answers that are missing -----------------------------------------------------------------------


def test_no_answer_is_an_answer() -> None:
    assert answers_of(row("old"), row(""), row(None), row([])) == [(Answer("old", 8),), (), (), ()]


def test_all_questions_may_be_without_an_answer() -> None:
    assert answers_of(row(""), row(None)) == [(), ()]


def test_questions_to_answer_have_none() -> None:
    assert answers_of({"question": "What?", "context": CONTEXT}, answers_required=False) == [None]
    assert answers_of(row(""), row(""), answers_required=False) == [None, None]


def test_questions_to_answer_keep_the_answers_that_they_have() -> None:
    assert answers_of(row("old"), row(""), answers_required=False) == [(Answer("old", 8),), ()]


def test_questions_that_are_said_to_be_impossible_keep_that() -> None:
    assert answers_of(row("", is_impossible=True), answers_required=False) == [()]


def test_a_squad_file_to_answer_needs_no_answers(tmp_path: Path) -> None:
    path = squad_file(tmp_path, paragraph({"id": "q1", "question": "Why?"}, question("q2")))

    assert [example.answers for example in read(path, answers_required=False)[0]] == [None, (Answer("Rome", 0),)]
    with pytest.raises(DataError) as caught:
        read(path)
    assert caught.value.message == ("train.json, question 1: there are no answers (id q1, title 'Rome', paragraph 1).")


# --- errors -----------------------------------------------------------------------------------------


def test_an_answer_that_is_not_in_its_context_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = squad_file(
        tmp_path, paragraph(question("q1", answers=[{"text": "Paris", "answer_start": 3}]), question("q2"))
    )

    with pytest.raises(DataError) as caught:
        read(path)

    assert str(caught.value) == (
        "train.json, question 1: the answer 'Paris' is not at character 3 of its context, where 'e is ' stands, nor"
        " anywhere else in it (id q1, title 'Rome', paragraph 1).\n"
        "  Correct them, or leave them out with `--on-bad-row skip`."
    )


def test_all_rows_are_read_before_errors_are_reported() -> None:
    rows = [row("old"), row("Paris"), *[row(at("Rome", 5))] * 6]

    assert error(*rows).splitlines() == [
        "rows: 7 rows cannot be read.",
        "  row 2: the answer 'Paris' stands nowhere in its context",
        *[
            f"  row {number}: the answer 'Rome' is not at character 5 of its context, where 'is o' stands, but in"
            " several other places"
            for number in (3, 4, 5, 6)
        ],
        "  and 2 more",
        "  Correct them, or leave them out with `--on-bad-row skip`.",
    ]


BLANK = {"question": " ", "context": CONTEXT, "answers": "old"}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (BLANK, "column 'question' is empty"),
        ({"question": "What?", "context": "", "answers": ""}, "column 'context' is empty"),
        (row("Paris"), "no answer stands in the context"),
    ],
)
def test_questions_that_cannot_be_used_are_left_out_if_the_user_says_so(bad: Row, reason: str) -> None:
    examples, report = read([row("old"), bad, row("old"), bad], "skip")

    assert len(examples) == 2
    assert report.skipped == (SkippedRows(reason, 2, (2, 4)),)
    assert report.sentences() == [f"2 of 4 rows of rows left out: {reason} (rows 2, 4)."]


@pytest.mark.parametrize(("text", "context", "what"), [(" ", "Rome", "question"), ("What?", "\n", "context")])
def test_blank_texts_of_a_squad_file_are_errors(text: str, context: str, what: str, tmp_path: Path) -> None:
    path = squad_file(tmp_path, paragraph(question() | {"question": text}, context=context))

    with pytest.raises(DataError, match=rf"train\.json, question 1: the {what} is empty \(id q1, title 'Rome', paragr"):
        read(path)


def test_a_file_of_which_nothing_is_left_is_an_error() -> None:
    assert error(row("Paris"), on_bad_row="skip") == (
        "rows, row 1: the answer 'Paris' stands nowhere in its context.\n"
        "  No question can be used. Is it the file you meant?"
    )


@pytest.mark.parametrize(
    ("answers", "impossible", "what"),
    [
        ("old", True, "is_impossible is true, but there are answers"),
        ("", False, "is_impossible is false, but there is no answer"),
    ],
)
def test_a_contradiction_is_an_error_even_if_bad_rows_are_left_out(answers: str, impossible: bool, what: str) -> None:
    message = error(row("old"), row(answers, is_impossible=impossible), on_bad_row="skip")

    assert message.splitlines()[0] == f"rows, row 2: {what}."


@pytest.mark.parametrize("start", [-1, "x", 1.5])
def test_a_malformed_offset_is_an_error_even_if_bad_rows_are_left_out(start: object) -> None:
    message = error(row("old"), row(at("old", start)), on_bad_row="skip")

    assert message.startswith(f"rows, row 2: the offset of an answer is '{start}', expected a whole number from 0.\n")
    assert 'Write {"text": ["..."], "answer_start": [0]}' in message


def test_a_squad_file_without_questions_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train\.json holds no questions\."):
        read(squad_file(tmp_path, paragraph()))


def test_ids_of_several_questions_are_counted(tmp_path: Path) -> None:
    path = squad_file(tmp_path, paragraph(*[question(key) for key in ("a", "b", "a", "c", "c", "c")]))

    assert read(path)[1].sentences() == ["train.json: 2 ids stand for several questions: 'a', 'c'."]


def test_questions_without_ids_are_not_counted_as_equal() -> None:
    assert sentences(row("old"), row("old")) == []


def test_skipped_questions_of_a_squad_file_are_counted_from_1(tmp_path: Path) -> None:
    bad: Sequence[object] = [question("q2", answers=[{"text": "x", "answer_start": 0}])]

    report = read(squad_file(tmp_path, paragraph(question(), *bad)), "skip")[1]

    assert report.sentences() == ["1 of 2 rows of train.json left out: no answer stands in the context (row 2)."]
