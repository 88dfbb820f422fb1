"""The structure of SQuAD files, right and wrong. What becomes of the answers is tested in `test_questions.py`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fastbert.data.files import find_file
from fastbert.data.given_questions import GivenAnswer, GivenQuestion, GivenQuestions
from fastbert.data.sources import open_rows
from fastbert.data.squad import is_squad, open_squad, read_squad
from fastbert.data.table import RowStream
from fastbert.errors import DataError

Json = dict[str, object]


def squad(*paragraphs: Json, title: object = "Rome") -> Json:
    return {"version": "1.1", "data": [{"title": title, "paragraphs": list(paragraphs)}]}


def paragraph(*questions: object, context: object = "Rome is old.") -> Json:
    return {"context": context, "qas": list(questions)}


def question(key: str = "q1", **more: object) -> Json:
    return {"id": key, "question": "What is old?", "answers": [{"text": "Rome", "answer_start": 0}], **more}


def read(folder: Path, content: object) -> GivenQuestions:
    path = folder / "train.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_squad(find_file(path))


def error(folder: Path, content: object) -> str:
    with pytest.raises(DataError) as caught:
        read(folder, content)
    return caught.value.message


def test_a_question_is_read_with_its_place(tmp_path: Path) -> None:
    found = read(tmp_path, squad(paragraph(), paragraph(question())))

    assert found.questions == [
        GivenQuestion(
            row=1,
            where="train.json, question q1",
            question="What is old?",
            context="Rome is old.",
            answers=(GivenAnswer("Rome", 0),),
            key="q1",
            title="Rome",
            detail="id q1, title 'Rome', paragraph 2",
        )
    ]


@pytest.mark.parametrize(("impossible", "answers"), [(True, []), (False, []), (None, None)])
def test_the_flag_of_version_2_is_read(impossible: bool | None, answers: object, tmp_path: Path) -> None:
    (found,) = read(tmp_path, squad(paragraph(question(is_impossible=impossible, answers=answers)))).questions

    assert (found.impossible, found.answers) == (impossible, ())


def test_plausible_answers_are_no_answers(tmp_path: Path) -> None:
    values = question(is_impossible=True, answers=[], plausible_answers=[{"text": "old", "answer_start": 8}])

    assert read(tmp_path, squad(paragraph(values))).questions[0].answers == ()


@pytest.mark.parametrize(
    ("more", "answers"), [({}, None), ({"is_impossible": True}, ()), ({"is_impossible": False}, None)]
)
def test_a_question_without_answers_says_nothing_unless_it_is_impossible(
    more: Json, answers: object, tmp_path: Path
) -> None:
    (found,) = read(tmp_path, squad(paragraph({"id": "q1", "question": "Why?", **more}))).questions

    assert found.answers == answers


def test_questions_without_id_and_title_are_named_by_their_place(tmp_path: Path) -> None:
    bare = {"question": "Why?", "answers": []}

    found = read(tmp_path, squad(paragraph(question(), bare), title=" ")).questions[1]

    assert (found.where, found.key, found.title) == ("train.json, article 1, paragraph 1, question 2", "", None)


def test_a_number_is_an_id_too(tmp_path: Path) -> None:
    assert read(tmp_path, squad(paragraph(question() | {"id": 17}))).questions[0].key == "17"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"data": [', "train.json, line 1: no valid JSON at column 11 (Expecting value)."),
        ('{"data": ' + "[" * 200_000, "train.json: the JSON is nested too deeply."),
        ('{"data": ' + "1" * 5000 + "}", "train.json: a number has more than 4,300 digits."),
        ({"data": {}}, "train.json: there is no list 'data', as SQuAD files have one."),
        ([1], "train.json: there is no list 'data', as SQuAD files have one."),
        ({"data": [{}]}, "train.json, article 1: there is no list 'paragraphs'."),
        ({"data": ["x"]}, "train.json, article 1: there is no list 'paragraphs'."),
        (squad({"qas": []}), "train.json, article 1: paragraph 1 has no text 'context'."),
        (squad(paragraph(), {"context": "x", "qas": None}), "train.json, article 1: paragraph 2 has no list 'qas'."),
    ],
)
def test_another_structure_is_refused(content: object, message: str, tmp_path: Path) -> None:
    assert error(tmp_path, content) == message


def test_all_articles_of_another_structure_are_reported_at_once(tmp_path: Path) -> None:
    assert error(tmp_path, {"data": [{}, {"paragraphs": [{}]}]}).splitlines() == [
        "train.json: 2 articles cannot be read.",
        "  article 1: there is no list 'paragraphs'",
        "  article 2: paragraph 1 has no text 'context'",
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("x", "there is no text 'question' (title 'Rome', paragraph 1)"),
        ({"id": "q1"}, "there is no text 'question' (id q1, title 'Rome', paragraph 1)"),
        (
            question(is_impossible="no"),
            "is_impossible is 'no', expected true or false (id q1, title 'Rome', paragraph 1)",
        ),
        (
            question(answers=[{"text": "Rome", "answer_start": -1}]),
            "the offset of an answer is '-1', expected a whole number from 0 (id q1, title 'Rome', paragraph 1)",
        ),
    ],
)
def test_a_question_that_cannot_be_read_is_noted(values: object, message: str, tmp_path: Path) -> None:
    found = read(tmp_path, squad(paragraph(values, question())))

    assert found.wrong.shown == [(1, message)]
    assert [one.row for one in found.questions] == [2]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ('{"version": "1.1", "data": [{"title": "x", "paragraphs": [{"qas": [', True),
        ('\ufeff {\n "data": [\n  {\n   "paragraphs": [', True),
        ('{"data": []}', True),
        ('{"text": "a \\"data\\" and more", "label": "b"}\n' * 9, False),
        ('{"data": [1, 2, 3], "paragraphs": "none"}', False),
        ('[{"data": [{"paragraphs": []}]}]', False),
        ("question,context,answer\n", False),
        ("", False),
    ],
)
def test_a_squad_file_is_known_by_its_beginning(head: str, expected: bool) -> None:
    assert is_squad(head) is expected


# --- as rows ----------------------------------------------------------------------------------------


def opened(folder: Path, content: Json) -> RowStream:
    path = folder / "new.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return open_squad(find_file(path), ("question", "context"))


def test_questions_are_rows_without_their_answers(tmp_path: Path) -> None:
    stream = opened(tmp_path, squad(paragraph(question("a"), {"question": "Who?"})))

    assert stream.columns == ("id", "question", "context")
    assert [row.cells for row in stream.rows] == [
        ("a", "What is old?", "Rome is old."),
        ("", "Who?", "Rome is old."),
    ]


def test_a_question_that_cannot_be_read_is_an_error_before_the_first_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no text 'question'"):
        opened(tmp_path, squad(paragraph(question(), {"id": "b"})))


@pytest.mark.parametrize(
    ("key", "text", "context", "what"),
    [
        ("q1", "What \ud83d?", "Rome is old.", "question holds half of a surrogate pair (U+D83D) at character 5"),
        ("q1", "What?", "\udc00Rome", "context holds half of a surrogate pair (U+DC00) at character 0"),
        ("\ud83d", "What?", "Rome", "id holds half of a surrogate pair (U+D83D) at character 0"),
    ],
)
def test_half_a_character_is_named_with_its_question(
    key: str, text: str, context: str, what: str, tmp_path: Path
) -> None:
    found = read(tmp_path, squad(paragraph({"id": key, "question": text}, context=context)))

    place = "" if key == "\ud83d" else "id q1, "
    assert found.wrong.shown == [(1, f"{what}; expected whole characters ({place}title 'Rome', paragraph 1)")]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_squad_file_is_no_table(indent: int | None, tmp_path: Path) -> None:
    path = tmp_path / "dev.json"
    path.write_text(json.dumps(squad(paragraph(question())), indent=indent), encoding="utf-8")

    with pytest.raises(DataError) as caught:
        open_rows(path)

    assert caught.value.message == "dev.json is a SQuAD file; expected a table."
    assert "write its texts as a table, such as" in str(caught.value.hint)
