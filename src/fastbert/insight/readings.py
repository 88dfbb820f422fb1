"""One example as a model reads it: its words, and which of them each token of its windows belongs to.

A word is a unit of `data.units` (a word, a sign, an ideograph), or what the file calls one; units that a tokenizer puts
into one token are one word here. Imports no torch. Knows nothing of outputs or of what words are worth.

Axes: T tokens of all windows of the example, W windows, K words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from fastbert.data.examples import Example, Range
from fastbert.data.features import Features
from fastbert.data.offsets import PAIR, TEXT, Offsets
from fastbert.data.tokens import Tokenizer
from fastbert.data.units import find_units
from fastbert.data.windows import Ints, Windows
from fastbert.errors import ConfigError
from fastbert.tasks.answering import OVERLAP_SHARE
from fastbert.tasks.base import Task
from fastbert.tasks.token_scores import units_of

Indices = npt.NDArray[np.intp]
NO_WORD = -1  # of a special token, or one that stands for no visible character
_MASKS = ("[MASK]", "<mask>")  # as the families write it; a tokenizer's own file does not say which one it is


@dataclass(frozen=True)
class Word:
    """A word of a text or of its pair. start, end: its characters there, end exclusive.

    read: False for a word that was cut off, or that the tokenizer makes nothing of.
    """

    text: str
    start: int
    end: int
    source: Literal["text", "pair"] = "text"
    read: bool = True


@dataclass(frozen=True)
class Reading:
    """An example as windows of tokens. features: its own alone, counted from 0.

    word_T: int, the word of each token in `features.windows.ids_T`, NO_WORD for the others.
    """

    example: Example
    features: Features
    words: tuple[Word, ...]
    word_T: Indices

    @property
    def windows(self) -> Windows:
        """Return the windows."""
        return self.features.windows

    @property
    def read_K(self) -> npt.NDArray[np.bool_]:
        """Return which words were read."""
        return np.array([word.read for word in self.words], np.bool_)

    def part(self, window: int) -> slice:
        """Return where the tokens of a window stand in the arrays of tokens."""
        row = self.windows.table_W[window]
        return slice(int(row["start"]), int(row["start"] + row["length"]))


def read_examples(examples: Sequence[Example], task: Task, tokenizer: Tokenizer, max_tokens: int) -> list[Reading]:
    """Return examples as the model reads them.

    Raises ConfigError for a task that is not known here: how it lays its windows is its own affair.
    """
    features = Features.of(task.encode(examples, tokenizer, max_tokens))
    windows, offsets = tokenizer.encode_with_offsets(
        [example.text for example in examples],
        [_pair_of(example, task) for example in examples],
        max_tokens=max_tokens,
        **cast("Any", _laying(task, max_tokens)),
    )
    if not np.array_equal(windows.ids_T, features.windows.ids_T):
        raise AssertionError(f"the task {task.name} lays its windows in another way than `_laying` says")
    bounds = np.searchsorted(windows.table_W["example"], np.arange(len(examples) + 1)).tolist()
    return [
        _reading(example, features, offsets, first, behind)
        for example, first, behind in zip(examples, bounds[:-1], bounds[1:], strict=True)
    ]


def replacement_id(tokenizer: Tokenizer) -> int:
    """Return the token that stands for a word that is hidden: the mask, else the unknown token, else padding."""
    known = {token.content: index for index, token in tokenizer.backend.get_added_tokens_decoder().items()}
    masks = (known[name] for name in _MASKS if name in known)
    unknown = tokenizer.unknown_id
    return next(masks, tokenizer.pad_id if unknown is None else unknown)


def _pair_of(example: Example, task: Task) -> str | None:
    return example.pair or "" if task.pairs else example.pair


def _laying(task: Task, max_tokens: int) -> Mapping[str, object]:
    """Return how the windows of a task are laid, as options of the tokenizer."""
    if hasattr(task, "truncation"):
        return {"truncation": task.truncation}
    if task.name == "tagging":
        return {"truncation": "windows"}
    if task.name == "answering":
        return {"truncation": "windows", "slide": "pair", "overlap": max_tokens // OVERLAP_SHARE}
    raise ConfigError(
        f"The task '{task.name}' cannot be explained: how it reads a text is not known here.",
        "Explained are single_label, multi_label, regression, tagging and answering.",
    )


def _reading(example: Example, features: Features, offsets: Offsets, first: int, behind: int) -> Reading:
    table_W = features.windows.table_W[first:behind].copy()
    begin, end = int(table_W["start"][0]), int(table_W["start"][-1] + table_W["length"][-1])
    table_W["start"] -= begin
    table_W["example"] = 0
    types_T = features.windows.types_T
    own = Features(
        Windows(features.windows.ids_T[begin:end], None if types_T is None else types_T[begin:end], table_W),
        None,
        features.find_pieces,
        {name: column_T[begin:end] for name, column_T in features.columns.items()},
    )
    part = slice(begin, end)
    words: list[Word] = []
    word_T = np.full(end - begin, NO_WORD, np.intp)
    for source, text in ((TEXT, example.text), (PAIR, example.pair)):
        if text is None:
            continue
        units = units_of(example) if source == TEXT else find_units(text)
        own_T = np.flatnonzero(offsets.source_T[part] == source)
        ranges, found = _words_of(units, offsets.start_T[part][own_T], offsets.end_T[part][own_T])
        word_T[own_T] = np.where(found == NO_WORD, NO_WORD, found + len(words))
        seen = set(found.tolist())
        words += [
            Word(text[start:end], start, end, "text" if source == TEXT else "pair", number in seen)
            for number, (start, end) in enumerate(ranges)
        ]
    return Reading(example, own, tuple(words), word_T)


def _words_of(units: Sequence[Range], start_T: Ints, end_T: Ints) -> tuple[list[Range], Indices]:
    """Return units, joined where one token holds several, and for each token its word or NO_WORD.

    >>> _words_of([(0, 4), (5, 6), (6, 7)], np.array([0, 2, 5, 8]), np.array([2, 4, 7, 8]))
    ([(0, 4), (5, 7)], array([ 0,  0,  1, -1]))
    """
    if not len(units):
        return [], np.full(len(start_T), NO_WORD, np.intp)
    starts_U, ends_U = np.array(units, np.int64).T
    first_T = np.searchsorted(ends_U, start_T, side="right")
    behind_T = np.searchsorted(starts_U, end_T, side="left")
    joined_U = np.zeros(len(units), np.bool_)  # with the unit before
    for first, behind in zip(first_T.tolist(), behind_T.tolist(), strict=True):
        joined_U[first + 1 : behind] = True
    number_U = np.cumsum(~joined_U) - 1
    firsts = np.flatnonzero(~joined_U)
    lasts = np.append(firsts[1:], len(units)) - 1
    ranges = list(zip(starts_U[firsts].tolist(), ends_U[lasts].tolist(), strict=True))
    held_T = first_T < behind_T
    return ranges, np.where(held_T, number_U[np.minimum(first_T, len(units) - 1)], NO_WORD).astype(np.intp)
