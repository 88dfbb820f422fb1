"""Questions as a file gives them, before their answers are looked for in their contexts.

Knows nothing of formats, nor of which answers are right.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fastbert.data.row_problems import RowProblems


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer as it is written. start: where the file says that it begins, None if it does not say."""

    text: str
    start: int | None = None


@dataclass(frozen=True, slots=True)
class GivenQuestion:
    """A question as it is written.

    row: its number, as messages count.    where: its place, such as "train.json, question 56be4db0acb8".
    detail: more of its place for messages, such as "id 56be4db0acb8, title 'Oil', paragraph 3"; may be empty.
    answers: None where the file does not say, () where it says that there is none.
    impossible: what the file says of that in so many words, None if nothing.
    absent: why it cannot be used, "" if it can.
    """

    row: int
    where: str
    question: str
    context: str
    answers: tuple[GivenAnswer, ...] | None
    impossible: bool | None = None
    key: str = ""
    title: str | None = None
    detail: str = ""
    absent: str = ""


@dataclass
class GivenQuestions:
    """All questions of one file. unit: what messages call a row.    wrong: those that cannot even be read."""

    name: str
    unit: str
    wrong: RowProblems
    questions: list[GivenQuestion] = field(default_factory=list)
    hint: str = ""

    def note(self, row: int, what: str, hint: str = "") -> None:
        """Note that a question cannot be read. hint: what to do; the first one is kept."""
        self.wrong.add(row, what)
        self.hint = self.hint or hint
