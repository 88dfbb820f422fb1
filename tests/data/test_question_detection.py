"""Which files hold questions, and in which columns."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from fastbert.data.files import standard_input
from fastbert.data.question_detection import (
    SQUAD,
    detect_questions,
    is_squad_file,
    layout_of_another,
    looks_like_questions,
    open_questions,
)
from fastbert.data.question_layout import QuestionLayout
from fastbert.errors import DataError
from tests.data.test_squad import paragraph, question, squad
from tests.helpers import write_csv
from tests.realdata import real_data

ROW = {"context": "Rome is old.", "question": "What is old?", "answer": "Rome"}
HUGGING_FACE = ROW | {"answers": {"text": ["Rome"], "answer_start": [0]}}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def squad_file(folder: Path) -> Path:
    return write(folder / "train.json", json.dumps(squad(paragraph(question()))))


def error(*args: object, **more: object) -> str:
    with pytest.raises(DataError) as caught:
        detect_questions(*args, **more)  # type: ignore[arg-type]
    return str(caught.value)


# --- detect_questions -------------------------------------------------------------------------------


def test_a_squad_file_is_known_by_its_structure(tmp_path: Path) -> None:
    assert detect_questions(squad_file(tmp_path)) == SQUAD
    assert detect_questions(squad_file(tmp_path), text=("question", "context"), answer="answers") == SQUAD


def test_a_squad_file_may_be_zipped(tmp_path: Path) -> None:
    path = tmp_path / "train.json.gz"
    path.write_bytes(gzip.compress(squad_file(tmp_path).read_bytes()))

    assert detect_questions(path) == SQUAD
    assert looks_like_questions(path)


def test_columns_are_found_by_their_names() -> None:
    layout = detect_questions(
        [{"id": 1, "Passage": "Rome", "Query": "What?", "Answer Text": "Rome", "answer_start": 0}]
    )

    assert layout == QuestionLayout(
        "records",
        "Query",
        "Passage",
        "Answer Text",
        "answer_start",
        (
            "Questions: column 'Query' about 'Passage', by their names.",
            "Answers: column 'Answer Text', their offsets in 'answer_start'.",
        ),
    )


@pytest.mark.parametrize("context", ["context", "passage", "paragraph", "text", "document"])
@pytest.mark.parametrize("query", ["question", "query"])
@pytest.mark.parametrize("answer", ["answer", "answers", "answer_text"])
def test_each_usual_name_is_known(context: str, query: str, answer: str) -> None:
    layout = detect_questions([{answer: "Rome", query: "What?", context: "Rome"}])

    assert (layout.question, layout.context, layout.answer, layout.start) == (query, context, answer, None)


def test_columns_that_the_user_names_are_taken(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "qa.csv", ["context", "frage", "stelle", "antwort"], [["x", "Was?", "Rom", "Rom"]] * 3)

    layout = detect_questions(path, text=("frage", "stelle"), answer="antwort", header=True)

    assert (layout.question, layout.context, layout.answer) == ("frage", "stelle", "antwort")
    assert layout.reasons[0] == "Questions: column 'frage' about 'stelle', as you named them."


def test_columns_of_a_table_without_header_are_numbers(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "qa.csv", ["What?", "Rome", "Rome"], [["Why?", "Rome is", "is"]])

    layout = detect_questions(path, text=("0", "1"), answer="2", header=False)

    assert (layout.question, layout.context, layout.answer) == ("0", "1", "2")


def test_answers_may_be_missing_where_they_are_not_required() -> None:
    layout = detect_questions([{"question": "What?", "context": "Rome"}], answers_required=False)

    assert (layout.answer, layout.reasons[1]) == (None, "Answers: none.")


@pytest.mark.parametrize(
    ("row", "options", "message"),
    [
        (
            {"question": "a", "story": "b", "answer": "c"},
            {},
            "rows: no column is clearly the context; the columns are 'question', 'story', 'answer'.\n"
            '  Name question and context with --text, for example --text "question,context".',
        ),
        (
            {"text": "a", "label": "b"},
            {},
            "rows: no column is clearly the question; the columns are 'text', 'label'.\n"
            '  Name question and context with --text, for example --text "question,context".',
        ),
        (
            {"question": "a", "context": "b"},
            {},
            "rows: no column is clearly the answers; the columns are 'question', 'context'.\n  Name it with --label.",
        ),
        (
            ROW,
            {"text": ("questoin", "context")},
            "rows has no column 'questoin'. Its columns are: 'context', 'question', 'answer'.\n"
            "  Did you mean 'question'?",
        ),
        (
            ROW,
            {"text": ("question",)},
            "--text names 1 column; questions need two.\n  Name question and context, in this order.",
        ),
        (
            ROW,
            {"text": ("question", "question")},
            "--text names the column 'question' twice.\n  Name question and context, in this order.",
        ),
        (
            ROW,
            {"answer": "context"},
            "rows: column 'context' is the answer and is named a second time.\n  Name another one.",
        ),
    ],
)
def test_what_is_missing_or_unclear_is_said(row: dict[str, object], options: dict[str, object], message: str) -> None:
    assert error([row], **options) == message


def test_other_names_for_a_squad_file_are_refused(tmp_path: Path) -> None:
    assert error(squad_file(tmp_path), text=("frage", "context")) == (
        "train.json is a SQuAD file, whose keys have names of their own; you named 'frage', 'context'.\n"
        "  Drop --text and --label."
    )


def test_standard_input_is_not_looked_at() -> None:
    assert error("-") == (
        "Standard input is read only once: it cannot be looked at before its questions are read.\n"
        "  Save it to a file first."
    )
    assert looks_like_questions("-") is False


# --- looks_like_questions ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dev-v1.1.json", "train-v2.0.json"])
def test_the_real_files_are_known(name: str) -> None:
    assert looks_like_questions(real_data(f"squad/{name}"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("qa.jsonl", "\n".join([json.dumps(HUGGING_FACE)] * 3)),
        ("qa.json", json.dumps([HUGGING_FACE] * 3)),
        ("qa.json", json.dumps([HUGGING_FACE] * 3, indent=2)),
        ("qa.csv", "question,context,answer\nWhat is old?,Rome is old.,Rome\nIs it?,Rome is old.,\n"),
        ("qa.tsv", "context\tquestion\tanswers\nRome is old.\tWhat?\t['Rome']\nRome is old.\tWhat?\t[]\n"),
        ("bad.csv", "question,context,answer\n" + "What?,Rome is old.,Rome\n" * 3 + "What?,Rome is old.,Paris\n"),
        ("whole.csv", "question,context,answer\nWhat?,Rome is old.,Rome is old.\nWhat?,Rome is old.,Rome\n"),
        ("bad.json", json.dumps([{**ROW, "answer": "Paris"}, ROW, ROW])),
        ("list.csv", 'question,context,answer\nWhat?,"It is [1, 2].","[1, 2]"\n'),
        ("first.jsonl", json.dumps(HUGGING_FACE | {"context": "Rome is old. " * 9000})),
        ("first.json", json.dumps([HUGGING_FACE | {"context": "Rome is old. " * 9000}] * 2)),
        ("lines.csv", "question,context,answer\n" + ('What?,"' + "Rome is old.\n" * 500 + '",Rome\n') * 15),
        ("sorted.csv", "question,context,answer\n" + "Is it?,Rome is old.,\n" * 25 + "What?,Rome is old.,Rome\n" * 3),
        ("sorted.json", json.dumps([{**ROW, "answer": ""}] * 5000 + [ROW])),
        ("blanks.csv", "question,context,answer\n" + "What?,Rome is old., Rome \n" * 3),
        ("long.jsonl", json.dumps(HUGGING_FACE) + "\n" + json.dumps(HUGGING_FACE | {"context": "x" * 99_999})),
    ],
)
def test_tables_of_questions_with_answers_from_their_contexts_are_known(name: str, text: str, tmp_path: Path) -> None:
    assert looks_like_questions(write(tmp_path / name, text))


@pytest.mark.parametrize("name", ["qa.parquet", "qa.arrow"])
def test_tables_in_binary_formats_are_known(name: str, tmp_path: Path) -> None:
    table = pyarrow.Table.from_pylist([HUGGING_FACE] * 3)
    if name.endswith("parquet"):
        pyarrow.parquet.write_table(table, tmp_path / name)
    else:
        with pyarrow.ipc.new_file(tmp_path / name, table.schema) as writer:
            writer.write_table(table)

    assert looks_like_questions(tmp_path / name)


def test_rows_in_memory_are_known() -> None:
    assert looks_like_questions([HUGGING_FACE])
    assert looks_like_questions(pyarrow.Table.from_pylist([ROW]))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("reviews.csv", "text,label\nRome is old.,good\nRome is new.,bad\n"),
        ("qnli.tsv", "question\tsentence\tlabel\nWhat?\tRome is old.\tentailment\n"),
        ("boolq.jsonl", '{"question": "is it", "passage": "It is true.", "answer": true}\n' * 3),
        ("abstractive.jsonl", '{"question": "is it", "context": "It is.", "answer": "surely"}\n' * 3),
        (
            "often.jsonl",
            '{"question": "is it", "context": "It is.", "answer": "%s"}\n' * 5 % (*["It"] * 3, "no", "yes"),
        ),
        ("all.jsonl", '{"question": "is it", "context": "It is.", "answer": "It is."}\n' * 3),
        ("unanswered.jsonl", '{"question": "is it", "context": "It is.", "answer": ""}\n' * 3),
        ("wrong.jsonl", '{"question": "is it", "context": "It is.", "answer": {"value": "It"}}\n' * 3),
        ("document.csv", "question,text,answer\nWhat is old?,Rome is old.,Rome\nWhat?,Rome is old.,Rome\n"),
        ("doccano.jsonl", '{"id": 1, "text": "EU rejects", "label": [[0, 2, "ORG"]]}\n' * 3),
        ("conll.txt", "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n\n"),
        ("texts.txt", "one text\nanother text\n"),
        ("broken.json", "[{ broken"),
        ("broken.jsonl", '{"question": \n'),
        ("package.json", '{"name": "x", "data": {"a": 1}}'),
        ("empty.csv", ""),
    ],
)
def test_other_files_are_not_taken_for_questions(name: str, text: str, tmp_path: Path) -> None:
    assert looks_like_questions(write(tmp_path / name, text)) is False


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert looks_like_questions(tmp_path / "missing.json") is False


@pytest.mark.parametrize("source", [["a text", "another"], [("a", "b")], [], 5])
def test_other_values_are_none(source: object) -> None:
    assert looks_like_questions(source) is False  # type: ignore[arg-type]


# --- another file than the first --------------------------------------------------------------------

RECORDS = QuestionLayout("records", "ask", "about", "said", None)


def test_a_table_is_read_by_the_layout_of_an_earlier_one(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "new.csv", ["ask", "about"], [["Who?", "Rome"]])

    assert layout_of_another(table, RECORDS, answers_required=False) == RECORDS
    other = write_csv(tmp_path / "other.csv", ["query", "passage", "answer_text"], [["Who?", "Rome", "Rome"]])
    assert layout_of_another(other, RECORDS, answers_required=True).text_columns == ("query", "passage")
    wrong = write_csv(tmp_path / "wrong.csv", ["a", "b"], [["Who?", "Rome"]])
    assert layout_of_another(wrong, RECORDS, answers_required=True) == RECORDS  # whose reader says what is missing
    piped = standard_input(io.BytesIO(squad_file(tmp_path).read_bytes()))
    assert layout_of_another(piped, RECORDS, answers_required=False) == SQUAD


def test_a_squad_file_may_follow_a_table_and_a_table_a_squad_file(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "new.csv", ["question", "context", "answer"], [["Who?", "Rome is old.", "Rome"]])

    assert layout_of_another(squad_file(tmp_path), RECORDS, answers_required=True) == SQUAD
    assert layout_of_another(table, SQUAD, answers_required=True).answer == "answer"


def test_a_squad_file_is_told_from_tables(tmp_path: Path) -> None:
    assert is_squad_file(squad_file(tmp_path))
    assert not is_squad_file([ROW])
    assert not is_squad_file("-")


def test_flattened_columns_of_hugging_face_are_known(tmp_path: Path) -> None:
    table = pyarrow.Table.from_pylist([HUGGING_FACE] * 3).flatten()
    pyarrow.parquet.write_table(table, tmp_path / "flat.parquet")

    found = detect_questions(tmp_path / "flat.parquet")

    assert looks_like_questions(tmp_path / "flat.parquet")
    assert (found.answer, found.start) == ("answers.text", "answers.answer_start")


def test_questions_to_answer_are_rows_of_a_squad_file_from_standard_input_too(tmp_path: Path) -> None:
    stream = io.BytesIO(squad_file(tmp_path).read_bytes())

    opened = open_questions("-", ("ask", "about"), stream=stream)

    assert opened.columns == ("id", "ask", "about")
    assert len(list(opened.rows)) > 0


def test_questions_to_answer_are_rows_of_any_table() -> None:
    opened = open_questions("-", ("ask", "about"), True, stream=io.BytesIO(b"ask,about\nWho?,Rome is old.\n"))

    assert [row.cells for row in opened.rows] == [("Who?", "Rome is old.")]
    assert open_questions([ROW], ("question", "context")).columns == tuple(ROW)
