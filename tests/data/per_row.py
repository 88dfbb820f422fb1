"""The former way to lay out a text: one text at a time, with Python objects. The oracle of the flat arrays.

Slow and plain; it takes encodings with offsets, as `tokenizers` gives them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tokenizers

from fastbert.config import Truncation
from fastbert.data.tokens import Tokenizer
from fastbert.data.windows import Windows

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Window:
    """One input of the encoder. pieces: character ranges (start, end) of the text that it holds."""

    ids: list[int]
    types: list[int]
    pieces: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class EncodedText:
    """A text or pair as windows. num_tokens: its full length.    cut: True if a part of it is in no window."""

    windows: tuple[Window, ...]
    num_tokens: int
    cut: bool


def encode(
    tokenizer: Tokenizer, text: str, pair: str | None = None, max_tokens: int = 64, truncation: Truncation = "head"
) -> EncodedText:
    """Encode one text with the library, and read it back from its arrays."""
    (encoded,) = encode_all(tokenizer, [(text, pair)], max_tokens, truncation)
    return encoded


def encode_all(
    tokenizer: Tokenizer, rows: Sequence[tuple[str, str | None]], max_tokens: int, truncation: Truncation = "head"
) -> list[EncodedText]:
    """Encode texts with the library in one call, and read them back from its arrays."""
    windows = tokenizer.encode(
        [text for text, _ in rows], [pair for _, pair in rows], max_tokens=max_tokens, truncation=truncation
    )
    return [_read(windows, tokenizer, row, rows[row], max_tokens, truncation) for row in range(len(rows))]


def _read(
    windows: Windows,
    tokenizer: Tokenizer,
    row: int,
    example: tuple[str, str | None],
    max_tokens: int,
    truncation: Truncation,
) -> EncodedText:
    indices = np.flatnonzero(windows.table_W["example"] == row).tolist()
    table = windows.table_W[indices]
    pieces = tokenizer.pieces(*example, max_tokens=max_tokens, truncation=truncation)
    assert table["window"].tolist() == list(range(len(indices)))
    assert set(table["num_windows"].tolist()) == {len(indices)} == {len(pieces)}
    (num_tokens,), (cut,) = set(table["num_tokens"].tolist()), set(table["cut"].tolist())
    read = [
        Window(windows.ids_of(index).tolist(), windows.types_of(index).tolist(), held)
        for index, held in zip(indices, pieces, strict=True)
    ]
    return EncodedText(tuple(read), num_tokens, cut)


def encode_by_hand(
    tokenizer: Tokenizer, text: str, pair: str | None, max_tokens: int, truncation: Truncation
) -> EncodedText:
    """Encode one text without the library's arrays."""
    backend = tokenizer.backend
    first = _bare(backend, text)
    second = None if pair is None else _bare(backend, pair)
    empty = backend.encode("a", "a") if second is not None else backend.encode("a")
    special = sum(empty.special_tokens_mask)
    room = max_tokens - special
    num_first, num_second = len(first), 0 if second is None else len(second)
    cut = num_first + num_second > room
    keeps: list[tuple[Places, Places]]
    if not cut:
        keeps = [(np.arange(num_first), np.arange(num_second))]
    elif truncation == "windows":
        keeps = _window_indices(num_first, num_second, room)
    else:
        size_first, size_second = _longest_first(num_first, num_second, room)
        keeps = [(_kept_indices(num_first, size_first, truncation), _kept_indices(num_second, size_second, truncation))]
    windows = [_lay(backend, first, second, *keep) for keep in keeps]
    unread = cut if truncation != "windows" else len(keeps[0][1]) < num_second
    return EncodedText(tuple(windows), num_first + num_second + special, unread)


def _bare(backend: tokenizers.Tokenizer, text: str) -> tokenizers.Encoding:
    return backend.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False)


def _lay(
    backend: tokenizers.Tokenizer,
    first: tokenizers.Encoding,
    second: tokenizers.Encoding | None,
    keep_first: Places,
    keep_second: Places,
) -> Window:
    """Put the tokens kept in the place of the probe's letter a, of which each text has one token."""
    probe = backend.encode("a", "a") if second is not None else backend.encode("a")
    ids: list[int] = []
    types: list[int] = []
    for position, sequence in enumerate(probe.sequence_ids):
        if probe.special_tokens_mask[position] or sequence is None:
            kept = [probe.ids[position]]
        else:
            source = first if sequence == 0 else second
            assert source is not None
            kept = np.asarray(source.ids, np.int64)[keep_first if sequence == 0 else keep_second].tolist()
        ids += kept
        types += [probe.type_ids[position]] * len(kept)
    return Window(ids, types, _pieces(first.offsets, keep_first))


def _longest_first(num_first: int, num_second: int, room: int) -> tuple[int, int]:
    """Return how many tokens of each text stay: the longer one gives way, as in transformers."""
    short, long = sorted((num_first, num_second))
    long = max(short, room - short) if short <= room else short
    if short + long > room:
        short, long = room // 2, room // 2 + room % 2
    return (long, short) if num_first > num_second else (short, long)


def _kept_indices(num_tokens: int, size: int, truncation: Truncation) -> Places:
    if size >= num_tokens or truncation == "head":
        return np.arange(min(size, num_tokens))
    if truncation == "tail":
        return np.arange(num_tokens - size, num_tokens)
    head = size // 4
    return np.concatenate([np.arange(head), np.arange(num_tokens - (size - head), num_tokens)])


def _window_indices(num_first: int, num_second: int, room: int) -> list[tuple[Places, Places]]:
    size_second = min(num_second, max(room // 2, room - num_first))
    size = room - size_second
    step = max(1, size - size // 4)
    starts = list(range(0, max(1, num_first - size + step), step)) if num_first > size else [0]
    starts[-1] = max(0, num_first - size)
    second = np.arange(size_second)
    return [(np.arange(start, min(start + size, num_first)), second) for start in starts]


def _pieces(offsets: Sequence[tuple[int, int]], keep: Places) -> tuple[tuple[int, int], ...]:
    """Return the character ranges covered by runs of consecutive kept tokens."""
    if not len(keep):
        return ()
    breaks = np.flatnonzero(np.diff(keep) > 1)
    begins = [keep[0], *keep[breaks + 1]]
    ends = [*keep[breaks], keep[-1]]
    return tuple((offsets[begin][0], offsets[end][1]) for begin, end in zip(begins, ends, strict=True))
