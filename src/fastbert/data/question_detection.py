"""Finds out whether and how a file holds questions about contexts.

Goes by structure and by the names of columns; only `looks_like_questions` also looks at cells. Knows nothing of
examples (`questions` reads those).
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import BinaryIO

from fastbert.data.answer_cells import read_answers
from fastbert.data.columns import find_column, listed
from fastbert.data.files import InputFile, find_file, standard_input
from fastbert.data.header import Header
from fastbert.data.json_values import read_first_values
from fastbert.data.label_reader import WrongValue
from fastbert.data.question_layout import QuestionLayout
from fastbert.data.sources import MAGIC, STANDARD_INPUT, ZIP_MAGIC, Source, is_standard_input, open_file, open_rows
from fastbert.data.squad import as_text, is_squad, is_squad_input, open_squad
from fastbert.data.table import Row, RowStream, Table
from fastbert.errors import DataError, FastBertError

MAGIC_BYTES = 16  # longer than what any format begins with
JUDGED_ROWS = 20
MAJORITY = 2  # rows with answers in their contexts, for each that has others
# Names as they are compared: in lower case, letters and digits only. The first of these that is there is taken.
QUESTION_NAMES = ("question", "query")
SURE_CONTEXT_NAMES = ("context", "passage", "paragraph")
CONTEXT_NAMES = (*SURE_CONTEXT_NAMES, "document", "text")
# "answers.text" and "answers.answer_start" are what `Dataset.flatten` of Hugging Face makes of SQuAD.
ANSWER_NAMES = ("answers", "answerstext", "answer", "answertext")
START_NAMES = ("answerstart", "answersstart", "answersanswerstart", "start")
SQUAD = QuestionLayout("squad", "question", "context", "answers", "answer_start", ("Questions: a SQuAD file.",))


def detect_questions(
    source: Source,
    *,
    text: tuple[str, ...] = (),
    answer: str | None = None,
    header: bool | None = None,
    answers_required: bool = True,
) -> QuestionLayout:
    """Return how a source holds its questions; only its beginning is read.

    text: the columns of question and context, in this order; () finds them by their names.
    answer: the column of the answers, else found by its name.
    header: as for `sources.open_rows`.
    answers_required: False if the table may be without answers.
    Raises DataError if it cannot be read or a column is missing. Standard input can be read only once, and is refused.
    """
    if is_standard_input(source):
        raise DataError(
            "Standard input is read only once: it cannot be looked at before its questions are read.",
            "Save it to a file first.",
        )
    if is_squad_file(source):
        _check_squad_names(source, text, answer)
        return SQUAD
    stream = open_rows(source, header=header)
    table = Table(stream.name, stream.columns, [], stream.format)
    if text and len(text) != 2:
        raise DataError(
            f"--text names {len(text)} column; questions need two.", "Name question and context, in this order."
        )
    question, context = (find_column(table, name, "--text") for name in text) if text else _named_texts(table)
    if question == context:
        raise DataError(f"--text names the column '{question}' twice.", "Name question and context, in this order.")
    taken = (question, context)
    found = find_column(table, answer, "--label") if answer is not None else _find(table.columns, ANSWER_NAMES, taken)
    if found is None and answers_required:
        raise DataError(
            f"{table.name}: no column is clearly the answers; the columns are {listed(table.columns)}.",
            "Name it with --label.",
        )
    if found in taken:
        raise DataError(
            f"{table.name}: column '{found}' is the answer and is named a second time.", "Name another one."
        )
    start = None if found is None else _find(table.columns, START_NAMES, (*taken, found))
    how = "as you named them" if text else "by their names"
    reasons = [f"Questions: column '{question}' about '{context}', {how}."]
    reasons += ["Answers: none."] if found is None else [f"Answers: column '{found}'{_offsets(start)}."]
    return QuestionLayout("records", question, context, found, start, tuple(reasons))


def looks_like_questions(source: Source) -> bool:
    """Return True if a source certainly holds questions with answers out of their contexts.

    Only its beginning is read, as far as the first row goes. That is a SQuAD file, or a table whose columns are named
    for questions, contexts and answers, and whose answers stand in their contexts. False for what cannot be read, and
    for standard input.
    """
    if is_standard_input(source):
        return False
    try:
        file = _text_file(source)
        return _is_sure(open_rows(source)) is True if file is None else _file_is_sure(file)
    except FastBertError:
        return False


def is_squad_file(source: Source) -> bool:
    """Return whether a source is a SQuAD file; False for standard input, which can be read only once."""
    file = None if is_standard_input(source) else _text_file(source)
    return file is not None and is_squad_input(file)


def open_questions(
    source: Source, columns: tuple[str, str], header: Header = None, *, stream: BinaryIO | None = None
) -> RowStream:
    """Open the rows of a table of questions to answer, or of a SQuAD file, whose rows have no answers then.

    columns: what question and context of a SQuAD file are called.    Takes and raises what `open_rows` does.
    """
    if not isinstance(source, str | os.PathLike):
        return open_rows(source, header=header)
    file = standard_input(stream) if is_standard_input(source) else find_file(source)
    return open_squad(file, columns) if is_squad_input(file) else open_file(file, header)


def layout_of_another(source: Source, saved: QuestionLayout, *, answers_required: bool) -> QuestionLayout:
    """Return how to read another file than that of a layout: either of them may be a SQuAD file, or a table.

    source: not standard input, which can be read only once; that is spooled to a file before.
    A table with other columns is read by the names that these have.
    """
    if is_squad_file(source):
        return SQUAD
    if saved.format == "records":
        wanted = (*saved.text_columns, *([saved.answer] if saved.answer is not None and answers_required else []))
        if set(wanted) <= set(column_names(source, saved)):
            return saved
        with suppress(DataError):  # then the reader says which of the trained columns is missing
            return detect_questions(source, answers_required=answers_required)
        return saved
    return detect_questions(source, answers_required=answers_required)


def column_names(source: Source, saved: QuestionLayout, header: bool | None = None) -> tuple[str, ...]:
    """Return the columns of a table that is read like an earlier one. header: what the user says of it."""
    is_list = isinstance(source, list | tuple)
    return open_rows(source, header=True if is_list else saved.header_of_another(header)).columns


def _text_file(source: Source) -> InputFile | None:
    """Return a text file, None for anything else, such as a folder of tagged text."""
    if isinstance(source, InputFile):
        file = source
    elif not isinstance(source, str | os.PathLike) or os.path.isdir(source):
        return None
    else:
        file = find_file(source)
    head = file.head(MAGIC_BYTES)
    return None if any(head.startswith(magic) for magic in (*MAGIC, ZIP_MAGIC)) else file


def _file_is_sure(file: InputFile) -> bool:
    """Look at more and more of a file until there is a row to judge; contexts may be long."""
    for head in file.heads():
        text = as_text(head)
        if is_squad(text):
            return True
        with suppress(FastBertError):  # the first row is not whole
            stream = _open_head(text)
            sure = None if stream is None else _is_sure(stream)
            if sure is not None:
                return sure
    return False


def _open_head(head: str) -> RowStream | None:
    """Open the whole lines of the beginning of a file, or the first objects of a JSON array."""
    if re.match(r"\ufeff?\s*\[\s*\{", head):
        values = read_first_values(head.removeprefix("\ufeff"), sys.maxsize)
        records = [value for value in values if isinstance(value, dict)]
        return open_rows(records) if records else None
    lines = head[: head.rfind("\n") + 1] or head
    return open_rows(STANDARD_INPUT, stream=io.BytesIO(lines.encode("utf-8", "ignore")))


def _is_sure(stream: RowStream) -> bool | None:
    """Return whether rows are surely questions with their answers; None if none of them can be judged."""
    question, context, answer = (
        _find(stream.columns, names) for names in (QUESTION_NAMES, SURE_CONTEXT_NAMES, ANSWER_NAMES)
    )
    if question is None or context is None or answer is None:
        return False
    places = [stream.columns.index(name) for name in (context, answer)]
    judged: list[bool] = []
    with suppress(DataError):  # a row that was cut where the beginning ends, or is bad: its reader will say so
        # a table may begin with questions that have no answer, sorted or by chance
        verdicts = (_is_answered(row, *places) for row in stream.rows)
        for verdict in islice((verdict for verdict in verdicts if verdict is not None), JUDGED_ROWS):
            judged.append(verdict)
    # not all: a few answers that are not in their contexts are better reported row by row
    return judged.count(True) >= MAJORITY * judged.count(False) if judged else None


def _is_answered(row: Row, context: int, answer: int) -> bool | None:
    """Return whether the answers of a row are parts of its context; None if it has none, or its context is one."""
    cell = row.cells[context]
    text = cell if isinstance(cell, str) else ""
    try:
        answers = read_answers(row.cells[answer], context=text)
    except WrongValue:
        return False
    if any(one.text.strip() not in text for one in answers):
        return False
    return True if any(len(one.text) < len(text) for one in answers) else None


def _find(columns: Sequence[str], names: Sequence[str], taken: Sequence[str] = ()) -> str | None:
    by_key = {"".join(filter(str.isalnum, name.casefold())): name for name in columns if name not in taken}
    return next((by_key[name] for name in names if name in by_key), None)


def _named_texts(table: Table) -> tuple[str, str]:
    question, context = _find(table.columns, QUESTION_NAMES), _find(table.columns, CONTEXT_NAMES)
    if question is None or context is None:
        what = "question" if question is None else "context"
        raise DataError(
            f"{table.name}: no column is clearly the {what}; the columns are {listed(table.columns)}.",
            'Name question and context with --text, for example --text "question,context".',
        )
    return question, context


def _offsets(start: str | None) -> str:
    return "" if start is None else f", their offsets in '{start}'"


def _check_squad_names(source: Source, text: tuple[str, ...], answer: str | None) -> None:
    wrong = text not in ((), (SQUAD.question, SQUAD.context)) or answer not in (None, SQUAD.answer)
    if wrong:
        named = listed([*text, *([] if answer is None else [answer])])
        file = source if isinstance(source, InputFile) else find_file(str(source))
        raise DataError(
            f"{file.name} is a SQuAD file, whose keys have names of their own; you named {named}.",
            "Drop --text and --label.",
        )
