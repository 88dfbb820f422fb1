"""Text to token ids and back to character offsets, with the encoder's own fast tokenizer.

Special tokens, truncation and windows are laid here, not by the tokenizer, so that training,
evaluation and serving cut a text in the same way. Knows nothing of labels, and imports
neither torch nor transformers.

Axes: L tokens of one window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers

from fastbert.config import Truncation
from fastbert.errors import EncoderError

Ints = npt.NDArray[np.int32]
Places = npt.NDArray[np.intp]  # positions of the tokens that are kept
SLICE = 1024  # texts whose encodings are held at once: 41 MB instead of 237 MB for 20,000 texts of 100 words
HEAD_SHARE = 0.25  # of the room for text: head 128 + tail 382 of 510 (Sun et al. 2019, section 5.3.1)


@dataclass(frozen=True, slots=True)
class Window:
    """One input of the encoder. pieces: character ranges (start, end) of the text that it holds."""

    input_ids_L: Ints
    token_type_ids_L: Ints
    pieces: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class EncodedText:
    """A text or pair as windows. num_tokens: its full length, special tokens included.

    cut: True if a part of it is in no window.
    """

    windows: tuple[Window, ...]
    num_tokens: int
    cut: bool


@dataclass(frozen=True)
class _Frame:
    """Special tokens around one text or a pair: ids, and the type id of each place."""

    first: tuple[int, ...]
    middle: tuple[int, ...]
    last: tuple[int, ...]
    first_types: tuple[int, ...]
    middle_types: tuple[int, ...]
    last_types: tuple[int, ...]
    text_type: int
    pair_type: int

    @property
    def size(self) -> int:
        return len(self.first) + len(self.middle) + len(self.last)


class Tokenizer:
    """A `tokenizers.Tokenizer` with what an encoder needs to know beside it.

    pad_id: id that fills a batch.    max_tokens: the longest input that the encoder takes.
    input_names: the arrays that the encoder's forward pass accepts.
    """

    def __init__(
        self, backend: tokenizers.Tokenizer, *, pad_id: int, max_tokens: int, input_names: Sequence[str]
    ) -> None:
        # A copy without the settings that some files carry (MiniLM's pads everything to 128).
        self.backend = tokenizers.Tokenizer.from_str(backend.to_str())
        self.backend.no_truncation()
        self.backend.no_padding()
        self.pad_id = pad_id
        self.max_tokens = max_tokens
        self.input_names = tuple(input_names)
        self._single = _find_frame(self.backend, pair=False)
        self._pair = _find_frame(self.backend, pair=True)

    @classmethod
    def from_folder(cls, folder: Path, settings: dict[str, object]) -> Tokenizer:
        """Open the tokenizer of a bundle; settings as `to_json` wrote them."""
        file = folder / "tokenizer.json"
        if not file.is_file():
            raise EncoderError(f"{folder}: there is no tokenizer.json.", "Only fast tokenizers are supported.")
        pad_id, max_tokens, names = (settings.get(name) for name in ("pad_id", "max_tokens", "input_names"))
        if not isinstance(pad_id, int) or not isinstance(max_tokens, int) or not isinstance(names, list):
            raise EncoderError(
                f"{folder}: the tokenizer's settings are {settings}; expected pad_id, max_tokens and input_names.",
                "Save the model again.",
            )
        backend = tokenizers.Tokenizer.from_file(str(file))
        return cls(backend, pad_id=pad_id, max_tokens=max_tokens, input_names=[str(name) for name in names])

    def to_json(self) -> dict[str, object]:
        """Return what `from_folder` needs beside the tokenizer's own file."""
        return {"pad_id": self.pad_id, "max_tokens": self.max_tokens, "input_names": list(self.input_names)}

    @property
    def lowercases(self) -> bool:
        """True if the tokenizer itself folds case (an uncased encoder)."""
        return self.backend.encode("A", add_special_tokens=False).ids == (
            self.backend.encode("a", add_special_tokens=False).ids
        ) and _normalizes_case(self.backend)

    def tokens_of(self, input_ids: Sequence[int]) -> list[str]:
        """Return the token strings of ids, for people to read."""
        return [self.backend.id_to_token(int(index)) or "?" for index in input_ids]

    def encode(
        self,
        texts: Sequence[str],
        pairs: Sequence[str | None],
        *,
        max_tokens: int,
        truncation: Truncation = "head",
    ) -> list[EncodedText]:
        """Encode texts, each with its pair or None, into windows of at most max_tokens tokens.

        Raises EncoderError if max_tokens leaves no room for text or exceeds the encoder's limit.
        """
        if max_tokens > self.max_tokens:
            raise EncoderError(
                f"max_tokens is {max_tokens}; this encoder takes at most {self.max_tokens}.",
                f"Use --max-tokens {self.max_tokens} or less, or truncation 'windows'.",
            )
        if max_tokens < self._pair.size + 2:
            raise EncoderError(f"max_tokens is {max_tokens}; special tokens alone take {self._pair.size}.")
        encoded: list[EncodedText] = []
        for start in range(0, len(texts), SLICE):
            chosen = pairs[start : start + SLICE]
            firsts = self._encode_bare(texts[start : start + SLICE])
            seconds = iter(self._encode_bare([pair for pair in chosen if pair is not None]))
            encoded += [
                self._windows(first, None if pair is None else next(seconds), max_tokens, truncation)
                for first, pair in zip(firsts, chosen, strict=True)
            ]
        return encoded

    def _encode_bare(self, texts: Sequence[str]) -> list[tokenizers.Encoding]:
        try:
            return self.backend.encode_batch(list(texts), add_special_tokens=False)
        except TypeError:  # half of a surrogate pair, which JSON and Python can hold, is no Unicode text
            whole = [text.encode("utf-8", "replace").decode() for text in texts]  # "?": the offsets stay
            return self.backend.encode_batch(whole, add_special_tokens=False)

    def _windows(
        self, first: tokenizers.Encoding, second: tokenizers.Encoding | None, max_tokens: int, truncation: Truncation
    ) -> EncodedText:
        frame = self._single if second is None else self._pair
        room = max_tokens - frame.size
        num_first, num_second = len(first), 0 if second is None else len(second)
        cut = num_first + num_second > room
        keeps: list[tuple[Places, Places]]
        if not cut:
            keeps = [(np.arange(num_first), np.arange(num_second))]
        elif truncation == "windows":
            keeps = _window_indices(num_first, num_second, room)
        else:
            size_first, size_second = _longest_first(num_first, num_second, room)
            keeps = [
                (_kept_indices(num_first, size_first, truncation), _kept_indices(num_second, size_second, truncation))
            ]
        ids_first = np.asarray(first.ids, np.int32)
        ids_second = np.asarray([] if second is None else second.ids, np.int32)
        offsets = first.offsets if cut else [(first.offsets[0][0], first.offsets[-1][1])] if num_first else []
        windows = []
        for keep_first, keep_second in keeps:
            pieces = _pieces(offsets, keep_first) if cut else tuple(offsets)
            ids = (ids_first[keep_first], None if second is None else ids_second[keep_second])
            windows.append(_lay(frame, *ids, pieces))
        unread = cut if truncation != "windows" else len(keeps[0][1]) < num_second
        return EncodedText(tuple(windows), num_first + num_second + frame.size, unread)


def _lay(frame: _Frame, first: Ints, second: Ints | None, pieces: tuple[tuple[int, int], ...]) -> Window:
    """Put the special tokens around the kept tokens."""
    parts: list[Sequence[int] | Ints] = [frame.first, first]
    types = [*frame.first_types, *[frame.text_type] * len(first)]
    if second is not None:
        parts += [frame.middle, second]
        types += [*frame.middle_types, *[frame.pair_type] * len(second)]
    parts.append(frame.last)
    types += frame.last_types
    ids_L = np.concatenate([np.asarray(part, np.int32) for part in parts])
    return Window(ids_L, np.asarray(types, np.int32), pieces)


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
    head = int(size * HEAD_SHARE)
    return np.concatenate([np.arange(head), np.arange(num_tokens - (size - head), num_tokens)])


def _window_indices(num_first: int, num_second: int, room: int) -> list[tuple[Places, Places]]:
    """Slide over the first text; the second is repeated in each window, cut to half the room.

    Beside a short first text it may take what that leaves.
    """
    size_second = min(num_second, max(room // 2, room - num_first))
    size = room - size_second
    step = max(1, size - size // 4)  # a quarter of overlap, so that no phrase is seen only torn apart
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


def _find_frame(backend: tokenizers.Tokenizer, *, pair: bool) -> _Frame:
    """Read the special tokens off an encoded probe, so that no family is named here."""
    encoding = backend.encode("a", "a") if pair else backend.encode("a")
    ids, types, sequences = encoding.ids, encoding.type_ids, encoding.sequence_ids
    special = [
        bool(flag) or sequence is None for flag, sequence in zip(encoding.special_tokens_mask, sequences, strict=True)
    ]
    text = [index for index, sequence in enumerate(sequences) if sequence == 0 and not special[index]]
    other = [index for index, sequence in enumerate(sequences) if sequence == 1 and not special[index]]
    if not text or (pair and not other):
        raise EncoderError("The tokenizer drops the text 'a'; its special tokens cannot be found.")
    start, end = text[0], text[-1] + 1
    begin_last = other[-1] + 1 if pair else end
    middle = slice(end, other[0]) if pair else slice(0, 0)
    return _Frame(
        tuple(ids[:start]),
        tuple(ids[middle]),
        tuple(ids[begin_last:]),
        tuple(types[:start]),
        tuple(types[middle]),
        tuple(types[begin_last:]),
        types[start],
        types[other[0]] if pair else 0,
    )


def _normalizes_case(backend: tokenizers.Tokenizer) -> bool:
    return backend.normalizer is not None and backend.normalizer.normalize_str("A") == "a"
