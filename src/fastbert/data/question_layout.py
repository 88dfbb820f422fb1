"""How a file of questions is written: saved with a model, to read later files by.

Knows nothing of how that is found out (`question_detection`) or of answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal, cast, get_args

from fastbert.data.header import ExpectedHeader, Header
from fastbert.errors import DataError

QuestionFormat = Literal["squad", "records"]


@dataclass(frozen=True)
class QuestionLayout:
    """The meaning of the columns of a table of questions, or of the keys of a SQuAD file.

    answer: column of the answers, None if there are none.    start: column of their offsets, if they have their own.
    reasons: sentences that say what was inferred and why.
    """

    format: QuestionFormat
    question: str
    context: str
    answer: str | None
    start: str | None
    reasons: tuple[str, ...] = ()

    task: ClassVar[str] = "answering"
    group: ClassVar[str | None] = None  # no column: questions about one context or of one title stay together

    @property
    def text_columns(self) -> tuple[str, str]:
        """Return the columns of the question and of the context."""
        return (self.question, self.context)

    def header_of_another(self, given: bool | None, *, lone_texts: bool = False) -> Header:
        """Return how to know the header of another table that is read by this layout: as `Layout` has it."""
        if given is not None or self.question.isdigit():
            return bool(given)
        return ExpectedHeader(self.text_columns, lone_texts)

    def to_json(self) -> dict[str, object]:
        """Return a dict of plain JSON values."""
        return asdict(self) | {"reasons": list(self.reasons)}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> QuestionLayout:
        """Return the layout that `to_json` described. Raises DataError if it is damaged."""
        kind = _text_of(values, "format")
        if kind not in get_args(QuestionFormat):
            raise _damaged("format")
        reasons = values.get("reasons", [])
        if not isinstance(reasons, list | tuple) or not all(isinstance(reason, str) for reason in reasons):
            raise _damaged("reasons")
        return cls(
            cast(QuestionFormat, kind),
            _text_of(values, "question"),
            _text_of(values, "context"),
            None if values.get("answer") is None else _text_of(values, "answer"),
            None if values.get("start") is None else _text_of(values, "start"),
            tuple(reasons),
        )


def _text_of(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise _damaged(name)
    return value


def _damaged(name: str) -> DataError:
    return DataError(f"The saved layout of questions is damaged at '{name}'.", "Write it again by training again.")
