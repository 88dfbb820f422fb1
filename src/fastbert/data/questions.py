"""Questions about contexts, with the answers that stand in them: from SQuAD files and from tables.

    layout = detect_questions("train.json")
    examples, report = read_questions("train.json", layout)

An answer whose offset is wrong is put right where it stands once in its context, and the report says so. What cannot be
put right, or has no text, is an error, or left out if the user says so; a wrong structure, a malformed offset or a
contradiction always is an error. All is read before anything is reported. Knows nothing of tokens.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from fastbert.data.answer_places import Unit, describe_missing, find_answer, find_unit
from fastbert.data.columns import listed
from fastbert.data.examples import Answer, QuestionExample
from fastbert.data.files import InputFile, find_file, standard_input
from fastbert.data.given_questions import GivenAnswer, GivenQuestion, GivenQuestions
from fastbert.data.header import ExpectedHeader, Header
from fastbert.data.question_detection import detect_questions, looks_like_questions
from fastbert.data.question_layout import QuestionLayout
from fastbert.data.question_records import context_group, read_question_rows
from fastbert.data.row_problems import RowProblems
from fastbert.data.rows import MAX_PLACES, Report, SkippedRows
from fastbert.data.sources import Source, is_standard_input, read_table
from fastbert.data.squad import read_squad
from fastbert.errors import DataError

__all__ = ["QuestionLayout", "detect_questions", "looks_like_questions", "read_questions"]

SKIP_HINT = "Correct them, or leave them out with `--on-bad-row skip`."
WRONG_HINT = "Correct them; a question without an answer has an empty list of answers, and is_impossible true or none."
NOTES = {
    "moved": "an answer not at the offset given was found in the only place where its context has it",
    "first": "an answer without an offset was taken from the first of several places in its context",
    "left out": "an answer counts as right but is not learned, because it is not in its context, or not at the offset"
    " given and in several other places; its question has others",
}


def read_questions(
    source: Source,
    layout: QuestionLayout,
    *,
    answers_required: bool = True,
    on_bad_row: Literal["error", "skip"] = "error",
) -> tuple[list[QuestionExample], Report]:
    """Return the questions of a source in its order, and a report of what was changed or left out.

    layout: from `detect_questions`, of this or of an earlier file.
    answers_required: False reads questions to answer too; answers are None where a file says nothing about them, and
        for all questions of a file in which none has any.
    on_bad_row: "skip" leaves out questions without text, or with no answer that stands in the context.
    The group of an example is its title in a SQuAD file with several of them, else a hash of its context.
    Raises DataError with the first few rows that cannot be read.
    """
    given = _read_given(source, layout, answers_required=answers_required)
    any_answered = any(question.answers or question.impossible for question in given.questions)
    has_titles = len({question.title for question in given.questions}) > 1
    reader = _Reader(given, find_unit(_with_context(given)), answers_required, any_answered, has_titles)
    examples = [example for question in given.questions if (example := reader.read(question)) is not None]
    return examples, reader.report(examples, skip=on_bad_row == "skip")


def _read_given(source: Source, layout: QuestionLayout, *, answers_required: bool) -> GivenQuestions:
    if layout.format == "squad":
        if isinstance(source, InputFile):
            return read_squad(source)
        if is_standard_input(source):
            return read_squad(standard_input())
        if not isinstance(source, str | os.PathLike):
            raise DataError("The questions are not in a file; expected a SQuAD file, as the layout says.")
        return read_squad(find_file(source))
    table = read_table(source, header=_header(source, layout))
    return read_question_rows(table, layout, answers_required=answers_required)


def _header(source: Source, layout: QuestionLayout) -> Header:
    if layout.question.isdigit():
        return False
    return True if isinstance(source, list | tuple) else ExpectedHeader((layout.question, layout.context))


def _with_context(given: GivenQuestions) -> list[tuple[str, GivenAnswer]]:
    return [(question.context, answer) for question in given.questions for answer in question.answers or ()]


@dataclass
class _Reader:
    """Makes examples of questions, and notes what cannot be used. unit: what the offsets count.

    any_answered: False if no question of the file has an answer, or is said to have none.
    has_titles: the file has several; one alone says nothing of what belongs together.
    """

    given: GivenQuestions
    unit: Unit
    answers_required: bool
    any_answered: bool
    has_titles: bool
    bad: list[tuple[int, str]] = field(default_factory=list)
    skipped: dict[str, list[int]] = field(default_factory=dict)
    notes: dict[str, list[int]] = field(default_factory=dict)

    def read(self, question: GivenQuestion) -> QuestionExample | None:
        """Return the example of a question, or None where it cannot be used."""
        if contradiction := _contradiction(question):
            self.given.note(question.row, contradiction + _behind(question))
            return None
        reason = question.absent or _blank(question)
        if not reason and question.answers is None and self.answers_required:
            reason = "there are no answers"
        if reason:
            self._leave_out(question, reason)
            return None
        answers, unplaced = self._answers(question)
        if question.answers and answers == ():
            return None
        group = (question.title if self.has_titles else None) or _group(question.context)
        return QuestionExample(
            question.question, question.context, answers, question.where, group, question.key, unplaced
        )

    def _answers(self, question: GivenQuestion) -> tuple[tuple[Answer, ...] | None, tuple[str, ...]]:
        """Return the answers that stand in the context, None where they are not known, and the texts of others."""
        if question.answers is None or not (self.answers_required or self.any_answered):
            return None, ()
        found, missing, unplaced = [], [], []
        for answer in question.answers:
            place = find_answer(question.context, answer, self.unit)
            if place.start < 0:
                missing.append(describe_missing(question.context, answer, place, self.unit))
                unplaced.append(answer.text)
                continue
            found.append(Answer(answer.text, place.start))
            if place.how in NOTES:
                self.notes.setdefault(place.how, []).append(question.row)
        if missing and found:
            self.notes.setdefault("left out", []).extend([question.row] * len(missing))
        elif missing:
            self._leave_out(question, "no answer stands in the context", missing[0])
        return tuple(found), tuple(unplaced)

    def _leave_out(self, question: GivenQuestion, reason: str, what: str = "") -> None:
        self.bad.append((question.row, (what or reason) + _behind(question)))
        self.skipped.setdefault(reason, []).append(question.row)

    def report(self, examples: Sequence[QuestionExample], *, skip: bool) -> Report:
        """Return the report of the file. Raises DataError if anything noted is an error, or nothing is left."""
        given = self.given
        given.wrong.raise_if_any(given.hint or WRONG_HINT)
        if not given.questions:
            raise DataError(f"{given.name} holds no questions.", "Check that it is the file you meant.")
        if self.bad and (not skip or not examples):
            problems = RowProblems(given.name, unit=given.unit)
            for row, what in self.bad:
                problems.add(row, what)
            raise problems.error(SKIP_HINT if examples else "No question can be used. Is it the file you meant?")
        skipped = tuple(SkippedRows(why, len(rows), tuple(rows[:MAX_PLACES])) for why, rows in self.skipped.items())
        return Report(given.name, len(given.questions), skipped, tuple(self._warnings()))

    def _warnings(self) -> Iterator[str]:
        name = self.given.name
        if self.unit != "characters":
            yield f"The offsets of {name} count {self.unit}, and were read so."
        for how, what in NOTES.items():
            if rows := self.notes.get(how):
                yield _note(name, what, self.given.unit, rows)
        counts = Counter(question.key for question in self.given.questions if question.key)
        several = [key for key, count in counts.items() if count > 1]
        if several:
            noun = "id stands" if len(several) == 1 else "ids stand"
            yield f"{name}: {len(several):,} {noun} for several questions: {listed(several, MAX_PLACES)}."


def _contradiction(question: GivenQuestion) -> str:
    """Return how is_impossible and the answers disagree, "" if they do not."""
    if question.impossible and question.answers:
        return "is_impossible is true, but there are answers"
    if question.impossible is False and question.answers == ():
        return "is_impossible is false, but there is no answer"
    return ""


def _blank(question: GivenQuestion) -> str:
    if not question.context.strip():
        return "the context is empty"
    return "" if question.question.strip() else "the question is empty"


def _behind(question: GivenQuestion) -> str:
    return f" ({question.detail})" if question.detail else ""


def _note(name: str, what: str, unit: str, rows: Sequence[int]) -> str:
    times = "once" if len(rows) == 1 else f"{len(rows):,} times"
    shown = list(dict.fromkeys(rows))
    more = ", ..." if len(shown) > MAX_PLACES else ""
    units = unit if len(shown) == 1 else f"{unit}s"
    return f"{name}: {what}, {times} ({units} {', '.join(map(str, shown[:MAX_PLACES]))}{more})."


@lru_cache(maxsize=64)  # the questions about a context come one after another
def _group(context: str) -> str:
    return context_group(context)
