"""The questions of a table: one a row, with its context and its answers.

Knows nothing of file formats, nor whether an answer is in its context.
"""

from __future__ import annotations

import hashlib

from fastbert.data.answer_cells import read_answers
from fastbert.data.cell_values import is_empty, label_text, parse_flag
from fastbert.data.given_questions import GivenAnswer, GivenQuestion, GivenQuestions
from fastbert.data.label_reader import WrongValue, index_of
from fastbert.data.question_layout import QuestionLayout
from fastbert.data.row_problems import RowProblems, excerpt
from fastbert.data.table import Cell, Row, Table

KEY_NAMES = ("id", "qid", "question_id", "questionid", "key", "guid")
IMPOSSIBLE = "is_impossible"


def read_question_rows(table: Table, layout: QuestionLayout, *, answers_required: bool) -> GivenQuestions:
    """Return the questions of a table in row order.

    Columns "id" (or another of KEY_NAMES) and "is_impossible" are read where they are.
    answers_required: False reads a table without the column of the answers too.
    Raises DataError if a column is missing.
    """
    rows = _Rows(table, layout, answers_required=answers_required)
    found = GivenQuestions(table.name, "row", RowProblems(table.name))
    for row in table.rows:
        try:
            found.questions.append(rows.read(row))
        except WrongValue as mistake:
            found.note(row.number, str(mistake), mistake.hint)
    return found


class _Rows:
    """Reads the rows of one table. The columns are looked up once."""

    def __init__(self, table: Table, layout: QuestionLayout, *, answers_required: bool) -> None:
        self._table = table
        self._question = index_of(table, layout.question, "--text")
        self._context = index_of(table, layout.context, "--text")
        self._names = (layout.question, layout.context)
        without = layout.answer is None or (not answers_required and layout.answer not in table.columns)
        self._answer = None if without else index_of(table, layout.answer or "", "--label")
        used = {layout.question, layout.context, layout.answer}
        self._start = table.index_of(layout.start) if layout.start in table.columns else None
        free = {name.casefold(): index for index, name in enumerate(table.columns) if name not in used}
        self._key = next((free[name] for name in KEY_NAMES if name in free), None)
        self._impossible = free.get(IMPOSSIBLE)

    def read(self, row: Row) -> GivenQuestion:
        """Return the question of a row. Raises WrongValue."""
        question, context = row.cells[self._question], row.cells[self._context]
        absent = [_absence(cell, name) for cell, name in zip((question, context), self._names, strict=True)]
        key = None if self._key is None else row.cells[self._key]
        return GivenQuestion(
            row.number,
            self._table.where(row),
            question if isinstance(question, str) else "",
            context if isinstance(context, str) else "",
            self._answers(row),
            self._flag(row),
            "" if isinstance(key, list) else label_text(key),
            absent="; ".join(filter(None, absent)),
        )

    def _answers(self, row: Row) -> tuple[GivenAnswer, ...] | None:
        if self._answer is None:
            return None
        context = row.cells[self._context]
        return read_answers(
            row.cells[self._answer],
            None if self._start is None else row.cells[self._start],
            context=context if isinstance(context, str) else "",
        )

    def _flag(self, row: Row) -> bool | None:
        cell = None if self._impossible is None else row.cells[self._impossible]
        flag = parse_flag(cell)
        if flag is None and not is_empty(cell):
            raise WrongValue(f"column '{IMPOSSIBLE}' holds {excerpt(cell)}, expected true or false", "")
        return flag


def context_group(context: str) -> str:
    """Return a short name that equal contexts share, the same on each machine and in each run.

    >>> context_group("Rome is old. ") == context_group("Rome is old.")
    True
    """
    return hashlib.blake2b(context.strip().encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _absence(cell: Cell, column: str) -> str:
    """Return why a cell is no text, "" if it is one."""
    if is_empty(cell):
        return f"column '{column}' is empty"
    if isinstance(cell, str):
        return ""
    kind = "a list" if isinstance(cell, list) else "true or false" if isinstance(cell, bool) else "a number"
    return f"column '{column}' holds {kind} instead of text"
