"""The typed examples of the tasks: one row of a table, one sentence or one question, understood.

One class for each kind of answer. Knows nothing of tokens, label ids or files.
"""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[int, int]  # characters of a text: from, to (exclusive)


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


@dataclass(frozen=True, slots=True)
class ValueExample:
    """A text or a pair of texts with a number. value: None where it is not known; where, group: as in TextExample."""

    text: str
    pair: str | None = None
    value: float | None = None
    where: str = ""
    group: str | None = None


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
    """

    text: str
    entities: tuple[Entity, ...] | None = None
    words: tuple[Range, ...] | None = None
    where: str = ""
    group: str | None = None
    pair: None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A span of a context that answers a question. start: its first character in the context."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class QuestionExample:
    """A question (text) about a context (pair).

    answers: all that count as right, () where the context has none, None for a question to answer.
    key: what the file calls it.    group: the context's title or text; questions of one group never cross a split.
    """

    text: str
    pair: str
    answers: tuple[Answer, ...] | None = None
    where: str = ""
    group: str | None = None
    key: str = ""
