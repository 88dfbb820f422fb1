"""Windows with their targets, ready to be batched: a sequence of features stored in flat arrays.

A `Feature` is made when one is asked for; batches are formed without any. Knows nothing of
how a window was cut, nor of labels.

Axes: W windows, N examples of a split, L tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self, overload

import numpy as np
import numpy.typing as npt

from fastbert.data.batches import Costs, Indices
from fastbert.data.windows import WINDOW, Windows

Array = npt.NDArray[np.generic]
Range = tuple[int, int]  # characters of a text: from, to
PieceFinder = Callable[[int, int], Sequence[Range]]  # example, window


@dataclass(frozen=True, slots=True)
class Feature:
    """One window of one example, ready to be batched.

    example: index of the example it was made from.    window, num_windows: which of how many.
    pieces: character ranges of the text that it holds.    num_tokens: of the whole example, uncut.
    cut: True if a part of the example is in none of its windows.
    target: what the task's `targets` reads, or None where labels are not known.
    columns: what a task knows of each token, by name; the first axis is L.
    """

    example: int
    window: int
    num_windows: int
    input_ids_L: npt.NDArray[np.int32]
    token_type_ids_L: npt.NDArray[np.int32]
    pieces: Sequence[Range]
    num_tokens: int
    target: Array | None = None
    cut: bool = False
    columns: Mapping[str, Array] = field(default_factory=dict)


class Pieces(Sequence[Range]):
    """Character ranges that are looked up when they are first read: it takes another tokenisation."""

    def __init__(self, find: PieceFinder, example: int, window: int) -> None:
        self._where = (find, example, window)

    @cached_property
    def _found(self) -> tuple[Range, ...]:
        find, example, window = self._where
        return tuple(find(example, window))

    @overload
    def __getitem__(self, index: int) -> Range: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Range, ...]: ...
    def __getitem__(self, index: int | slice) -> Range | tuple[Range, ...]:
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)


@dataclass(frozen=True)
class Features(Sequence[Feature]):
    """Features in flat arrays. targets_W: a row a window, None unless all labels are known.

    find_pieces: returns the character ranges of a window.
    columns: what a task knows of each token, by name: arrays aligned with `windows.ids_T`, which a selection shares.
    """

    windows: Windows
    targets_W: Array | None
    find_pieces: PieceFinder
    columns: Mapping[str, Array] = field(default_factory=dict)

    @classmethod
    def of(cls, features: Sequence[Feature]) -> Features:
        """Pack features that were made one by one; return those that are packed as they are."""
        if isinstance(features, Features):
            return features
        ids = [feature.input_ids_L for feature in features]
        types = [feature.token_type_ids_L for feature in features]
        rows, pieces, start = [], {}, 0
        for one in features:
            length = len(one.input_ids_L)
            rows.append((start, length, one.example, one.window, one.num_windows, one.num_tokens, one.cut))
            pieces[one.example, one.window] = one.pieces
            start += length
        types_T = np.concatenate(types).astype(np.uint8) if types else None
        ids_T = np.concatenate(ids).astype(np.int32) if ids else np.zeros(0, np.int32)
        targets = [feature.target for feature in features if feature.target is not None]
        targets_W = np.stack(targets) if targets and len(targets) == len(features) else None
        windows = Windows(ids_T, types_T, np.array(rows, WINDOW))
        names = features[0].columns if features else ()
        columns = {name: np.concatenate([one.columns[name] for one in features]) for name in names}
        return cls(windows, targets_W, lambda example, window: pieces[example, window], columns)

    def select(self, index: Indices | slice) -> Features:
        """Return some of the features, in the order of index."""
        targets_W = None if self.targets_W is None else self.targets_W[index]
        return Features(self.windows.select(index), targets_W, self.find_pieces, self.columns)

    @property
    def example_W(self) -> npt.NDArray[np.int32]:
        """Return the index of the example of each window."""
        return self.windows.table_W["example"]

    @property
    def length_W(self) -> npt.NDArray[np.int32]:
        """Return the tokens of each window."""
        return self.windows.table_W["length"]

    def padded(self, name: str, fill: int) -> Array:
        """Return a column of the tokens as (W, L, ...), with fill behind the end of each window."""
        places_WL, mask_WL = self.windows.places_WL()
        values = self.columns[name][places_WL]
        values[~mask_WL] = fill
        return values

    @cached_property
    def merged(self) -> tuple[list[int], list[int]]:
        """Return the first window of each example, and for each window which example it is of.

        Examples are numbered from 0 in order of first appearance.
        """
        firsts: dict[int, int] = {}
        numbers: dict[int, int] = {}
        examples = self.example_W.tolist()
        for window, example in enumerate(examples):
            if example not in numbers:
                numbers[example] = len(numbers)
                firsts[example] = window
        return list(firsts.values()), [numbers[example] for example in examples]

    @overload
    def __getitem__(self, index: int) -> Feature: ...
    @overload
    def __getitem__(self, index: slice) -> Features: ...
    def __getitem__(self, index: int | slice) -> Feature | Features:
        if isinstance(index, slice):
            return self.select(index)
        start, length, example, window, num_windows, num_tokens, cut = self.windows.table_W[index].item()
        return Feature(
            example,
            window,
            num_windows,
            self.windows.ids_of(index),
            self.windows.types_of(index),
            Pieces(self.find_pieces, example, window),
            num_tokens,
            None if self.targets_W is None else np.asarray(self.targets_W[index]),
            cut,
            {name: column_T[start : start + length] for name, column_T in self.columns.items()},
        )

    def __len__(self) -> int:
        return len(self.windows)

    def __iter__(self) -> Iterator[Feature]:
        return (self[index] for index in range(len(self)))


@dataclass(frozen=True)
class EncodedRows:
    """Windows of the examples of a split, in order. starts: of each example's windows, plus the end."""

    features: Features
    starts: Indices
    costs: Costs

    @classmethod
    def of(cls, features: Sequence[Feature], num_examples: int) -> Self:
        """Index windows by example; features must be in the order of their examples, from 0."""
        packed = Features.of(features)
        length_W = packed.length_W.astype(np.intp)
        if len(packed) == num_examples:
            return cls(packed, np.arange(num_examples + 1), Costs.single(length_W))
        windows_N = np.bincount(packed.example_W, minlength=num_examples)
        starts = np.concatenate([[0], np.cumsum(windows_N)])
        return cls(packed, starts, Costs(np.maximum.reduceat(length_W, starts[:-1]), windows_N))

    def windows_of(self, rows: Indices) -> Features:
        """Return the windows of some examples, in the order of rows."""
        if len(rows) == len(self.features) == 1:  # a request
            return self.features
        if len(self.features) == len(self):
            return self.features.select(rows)
        windows = self.costs.windows_N[rows]
        ends = np.cumsum(windows)
        begins = np.repeat(self.starts[rows] - (ends - windows), windows)
        return self.features.select(begins + np.arange(len(begins)))

    def passes_of(self, rows: Indices, batch_tokens: int) -> Iterator[Features]:
        """Yield the windows of some examples in passes of at most batch_tokens padded tokens, or of one window."""
        windows = self.windows_of(rows)
        size = max(1, batch_tokens // int(windows.length_W.max()))
        return (windows.select(slice(start, start + size)) for start in range(0, len(windows), size))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def num_tokens_N(self) -> Indices:
        """Return the full length of each example in tokens, before anything was cut."""
        return self.features.windows.table_W["num_tokens"][self.starts[:-1]].astype(np.intp)
