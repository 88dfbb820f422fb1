"""The typed examples of the tasks: one row of a table, one sentence or one question, understood.

One class for each kind of answer. Knows nothing of tokens, label ids or files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

Range = tuple[int, int]  # characters of a text: from, to (exclusive)


class Example(Protocol):
    """What the library itself reads of an example; tasks add fields of their own."""

    @property
    def text(self) -> str:
        """Return the text."""

    @property
    def pair(self) -> str | None:
        """Return the second text of a pair, or None."""

    @property
    def truth(self) -> object:
        """Return what a data set says is right, None where it is not known."""

    @property
    def where(self) -> str:
        """Return the place it came from, for messages."""

    @property
    def group(self) -> str | None:
        """Return what it must not be torn apart from, or None."""


@dataclass(frozen=True, slots=True)
class TextExample:
    """A text or a pair of texts with its label names.

    labels: () is a row without any label (a clean negative in multi-label data);
        None means that the labels are not known (a row to predict).
    where: the place it came from, such as "train.csv, row 418", for messages.
    group: value of the grouping column; rows of one group never cross a split.
    """

    text: str
    pair: str | None = None
    labels: tuple[str, ...] | None = None
    where: str = ""
    group: str | None = None

    @property
    def truth(self) -> tuple[str, ...] | None:
        """Return the labels: what the row says of its text."""
        return self.labels


@dataclass(frozen=True, slots=True)
class ValueExample:
    """A text or a pair of texts with a number. value: None where it is not known; where, group: as in TextExample."""

    text: str
    pair: str | None = None
    value: float | None = None
    where: str = ""
    group: str | None = None

    @property
    def truth(self) -> float | None:
        """Return the number."""
        return self.value


@dataclass(frozen=True, slots=True)
class Entity:
    """A labelled span of a text. start, end: characters of the text, end exclusive."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class TaggedExample:
    """A text with the entities in it.

    entities: by start, none overlapping another; () is a text without any, None a text to predict.
    words: character ranges of the tokens of a file that comes in tokens, None for running text. Entities begin and end
        with words where there are any.
    group: the document it belongs to; texts of one document never cross a split.
    row: line or row of its file where it begins, None if it is of none.
    offset: its first character in the running text of its document, None where it is all of it or made of tokens.
    """

    text: str
    entities: tuple[Entity, ...] | None = None
    words: tuple[Range, ...] | None = None
    where: str = ""
    group: str | None = None
    pair: None = None
    row: int | None = None
    offset: int | None = None

    @property
    def truth(self) -> tuple[Entity, ...] | None:
        """Return the entities."""
        return self.entities


@dataclass(frozen=True, slots=True)
class Answer:
    """A span of a context that answers a question. start: its first character in the context."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class QuestionExample:
    """A question (text) about a context (pair).

    answers: all that count as right, () where the context has none, None for a question to answer.
    unplaced: texts that count as right beside them, but are not learned: where they stand is not known.
    key: what the file calls it.    group: the context's title or text; questions of one group never cross a split.
    """

    text: str
    pair: str
    answers: tuple[Answer, ...] | None = None
    where: str = ""
    group: str | None = None
    key: str = ""
    unplaced: tuple[str, ...] = ()

    @property
    def right_texts(self) -> frozenset[str]:
        """Return the texts of all answers that count as right."""
        return frozenset((*(answer.text for answer in self.answers or ()), *self.unplaced))

    @property
    def truth(self) -> tuple[Answer, ...] | None:
        """Return the answers."""
        return self.answers


def show_truth(truth: object) -> str:
    """Return what an example's truth says, in one line for people.

    >>> show_truth(("bug", "praise")), show_truth(()), show_truth(3.5), show_truth(None)
    ('bug, praise', '(none)', '3.5', '-')
    """
    if truth is None:
        return "-"
    if isinstance(truth, float):
        return f"{truth:g}"
    assert isinstance(truth, tuple)
    return ", ".join(_show_item(item) for item in truth) or "(none)"


def _show_item(item: object) -> str:
    if isinstance(item, Entity):
        return f"{item.label} {item.start}-{item.end}"
    return item.text if isinstance(item, Answer) else str(item)
