"""The questions of a SQuAD file, versions 1.1 and 2.0 (Rajpurkar et al. 2016, 2018).

{"version": ..., "data": [{"title": ..., "paragraphs": [{"context": ..., "qas": [
    {"id": ..., "question": ..., "answers": [{"text": ..., "answer_start": ...}], "is_impossible": ...}]}]}]}

Other keys, "plausible_answers" among them, are not read. Knows nothing of tables, nor whether an answer is in its
context.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fastbert.data.answer_cells import read_answers
from fastbert.data.cells import to_cell
from fastbert.data.encoding import examine_text, text_lines
from fastbert.data.files import HEAD_BYTES, InputFile
from fastbert.data.given_questions import GivenQuestion, GivenQuestions
from fastbert.data.json_values import whole_json_error
from fastbert.data.label_reader import WrongValue
from fastbert.data.row_problems import RowProblems, excerpt
from fastbert.data.table import Row, RowStream, TableFormat
from fastbert.errors import DataError

HINT = 'A SQuAD file is {"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers"}]}]}]}.'
HALF_HINT = "Write these texts anew from where they come from: half of a character was cut off."
_BEGIN = re.compile(r"\ufeff?\s*\{")
_DATA = re.compile(r'"data"\s*:\s*\[\s*(\{|\])')
_INSIDE = re.compile(r'"(paragraphs|qas)"\s*:')


def is_squad(head: str) -> bool:
    """Return True if a file that begins like this is a SQuAD file and nothing else.

    >>> is_squad('{"version": "v2.0", "data": [{"title": "Oil", "paragraphs": [{"qas": ')
    True
    """
    return bool(_BEGIN.match(head) and _DATA.search(head) and (_INSIDE.search(head) or len(head) < 100))


def is_squad_input(file: InputFile) -> bool:
    """Return True if a file, which may be zipped, is a SQuAD file."""
    return is_squad(as_text(file.head(HEAD_BYTES)))


def as_text(head: bytes) -> str:
    """Return the beginning of a text file as text."""
    return head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "ignore")


def no_table(file: InputFile) -> DataError:
    """Return the error for a SQuAD file where a table is expected."""
    return DataError(
        f"{file.name} is a SQuAD file; expected a table.",
        "A model for questions is trained on it, and predicts and is evaluated on it. For anything else write its "
        'texts as a table, such as {"question": "...", "context": "..."} on each line.',
    )


def read_squad(file: InputFile) -> GivenQuestions:
    """Return the questions of a file in its order.

    Raises DataError if it is no JSON or has another structure.
    """
    text = "".join(text_lines(file, examine_text(file)))
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise whole_json_error(file.name, error, HINT) from error
    articles = content.get("data") if isinstance(content, Mapping) else None
    if not isinstance(articles, list):
        raise DataError(f"{file.name}: there is no list 'data', as SQuAD files have one.", HINT)
    structure = RowProblems(file.name, unit="article")
    found = GivenQuestions(file.name, "question", RowProblems(file.name, unit="question"))
    for number, (paragraph, value) in enumerate(_questions(articles, structure), start=1):
        question = _read_question(value, number, paragraph, found)
        if question is not None:
            found.questions.append(question)
    structure.raise_if_any(HINT)
    return found


def open_squad(file: InputFile, columns: tuple[str, str]) -> RowStream:
    """Return the questions of a file as the rows of a table, without their answers.

    columns: what question and context are called; "id" stands before them. Raises what `read_squad` does, and DataError
    for questions that cannot be read.
    """
    given = read_squad(file)
    given.wrong.raise_if_any(given.hint or HINT)
    rows = (Row(one.row, (one.key, one.question, one.context)) for one in given.questions)
    return RowStream(file.name, ("id", *columns), TableFormat("jsonl"), rows)


@dataclass(frozen=True)
class _Paragraph:
    """A context and its place in the file."""

    context: str
    title: str | None
    article: int
    number: int

    @property
    def place(self) -> str:
        title = f"article {self.article}" if self.title is None else f"title {excerpt(self.title)}"
        return f"{title}, paragraph {self.number}"


def _questions(articles: list[object], structure: RowProblems) -> Iterator[tuple[_Paragraph, object]]:
    """Yield each question with its paragraph; what has another structure is noted."""
    for index, article in enumerate(articles, start=1):
        paragraphs = article.get("paragraphs") if isinstance(article, Mapping) else None
        if not isinstance(article, Mapping) or not isinstance(paragraphs, list):
            structure.add(index, "there is no list 'paragraphs'")
            continue
        title = article.get("title")
        title = title if isinstance(title, str) and title.strip() and not _broken(title) else None
        for number, paragraph in enumerate(paragraphs, start=1):
            values = paragraph if isinstance(paragraph, Mapping) else {}
            context, questions = values.get("context"), values.get("qas")
            if not isinstance(context, str) or not isinstance(questions, list):
                missing = "text 'context'" if not isinstance(context, str) else "list 'qas'"
                structure.add(index, f"paragraph {number} has no {missing}")
                continue
            place = _Paragraph(context, title, index, number)
            yield from ((place, question) for question in questions)


def _read_question(value: object, number: int, paragraph: _Paragraph, found: GivenQuestions) -> GivenQuestion | None:
    """Return one question; note what is wrong with it and return None if anything is."""
    values = value if isinstance(value, Mapping) else {}
    key, text, impossible = values.get("id"), values.get("question"), values.get("is_impossible")
    key = str(key) if isinstance(key, str | int) and not _broken(key) else ""
    detail = f"id {key}, {paragraph.place}" if key else paragraph.place
    if not isinstance(text, str):
        found.note(number, f"there is no text 'question' ({detail})")
        return None
    if not isinstance(impossible, bool | None):
        found.note(number, f"is_impossible is {excerpt(impossible)}, expected true or false ({detail})")
        return None
    for name, part in (("id", values.get("id")), ("question", text), ("context", paragraph.context)):
        if broken := _broken(part):
            found.note(number, f"{name} holds {broken} ({detail})", HALF_HINT)
            return None
    answers = None
    if "answers" in values:
        try:
            answers = read_answers(values["answers"])
        except WrongValue as mistake:
            found.note(number, f"{mistake} ({detail})", mistake.hint)
            return None
    elif impossible:
        answers = ()
    where = f"{found.name}, question {key}" if key else f"{found.name}, {paragraph.place}, question {number}"
    return GivenQuestion(number, where, text, paragraph.context, answers, impossible, key, paragraph.title, detail)


def _broken(value: object) -> str:
    """Return why a text can be written nowhere, as the cells of a table are checked too; "" if it can."""
    try:
        to_cell(value if isinstance(value, str) else None)
    except ValueError as error:
        return str(error)
    return ""
