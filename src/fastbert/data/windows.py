"""Encoded texts as flat arrays: the token ids of all windows in one, and a table with a row a window.

A text of 19 tokens takes 108 bytes; as objects it took 780 (30,000 texts of GoEmotions). Knows nothing of how a
window was cut, nor of labels.

Axes: T tokens of all windows, W windows, L tokens of the longest window.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Types = npt.NDArray[np.uint8]
Index = npt.NDArray[np.intp] | slice
Table = npt.NDArray[np.void]
# start, length: its tokens in ids_T.    example, window, num_windows: whose it is and which of how many.
# num_tokens: of the whole example, uncut, special tokens included.
# cut: True if a part of the example is in none of its windows.
WINDOW = np.dtype(
    [
        ("start", np.int64),
        ("length", np.int32),
        ("example", np.int32),
        ("window", np.int32),
        ("num_windows", np.int32),
        ("num_tokens", np.int32),
        ("cut", np.bool_),
    ],
    align=True,
)


@dataclass(frozen=True)
class Windows:
    """Inputs of the encoder. ids_T: token ids.    types_T: token type ids, None where all are 0.

    table_W: a row of dtype WINDOW for each window. A selection shares ids_T and types_T with the whole.
    """

    ids_T: Ints
    types_T: Types | None
    table_W: Table

    def __len__(self) -> int:
        return len(self.table_W)

    def select(self, index: Index) -> Windows:
        """Return some of the windows, in the order of index."""
        return Windows(self.ids_T, self.types_T, self.table_W[index])

    def counted_from(self, first: int) -> Windows:
        """Return the same windows with examples counted from first."""
        table_W = self.table_W.copy()
        table_W["example"] += first
        return Windows(self.ids_T, self.types_T, table_W)

    def ids_of(self, window: int) -> Ints:
        """Return the token ids of one window."""
        start, length = self.table_W["start"][window], self.table_W["length"][window]
        return self.ids_T[start : start + length]

    def types_of(self, window: int) -> Ints:
        """Return the token type ids of one window."""
        start, length = self.table_W["start"][window], self.table_W["length"][window]
        if self.types_T is None:
            return np.zeros(length, np.int32)
        return self.types_T[start : start + length].astype(np.int32)

    def places_WL(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return where in ids_T each token of a padded batch is, and whether there is one; elsewhere 0."""
        length_W1 = self.table_W["length"][:, None]
        steps_L = np.arange(int(length_W1.max()))
        mask_WL = steps_L < length_W1
        return (self.table_W["start"][:, None] + steps_L) * mask_WL, mask_WL

    @classmethod
    def join(cls, parts: Iterable[Windows]) -> Windows:
        """Return the windows of several texts after another; examples are counted on.

        The arrays grow in place (realloc), so that no second copy of them exists at any time.
        """
        ids, types, table = bytearray(), bytearray(), bytearray()
        num_tokens = num_examples = 0
        iterator = iter(parts)
        only, further = next(iterator, None), next(iterator, None)
        if only is not None and further is None:
            return only
        for part in chain(filter(None, (only, further)), iterator):
            rows_W = part.table_W.copy()
            rows_W["start"] += num_tokens
            rows_W["example"] += num_examples
            if part.types_T is not None:
                types += bytes(num_tokens - len(types)) + part.types_T.tobytes()
            ids += part.ids_T.tobytes()
            table += rows_W.tobytes()
            num_tokens += len(part.ids_T)
            num_examples = int(rows_W["example"][-1]) + 1 if len(rows_W) else num_examples
        if types:
            types += bytes(num_tokens - len(types))
        return cls(
            np.frombuffer(ids, np.int32),
            np.frombuffer(types, np.uint8) if types else None,
            np.frombuffer(table, WINDOW),
        )
