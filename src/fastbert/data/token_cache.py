"""Tokens kept on disk between runs: the same texts are not tokenised twice by the same tokenizer.

A file holds the arrays of `Windows` and is found by a hash of all that they depend on: texts and
pairs, the tokenizer, max_tokens, truncation, how windows slide, and the version of this format. It is written under
another name and renamed, so that a reader never sees half of one; its length and checksum are
compared before it is used, and what does not fit is made again. The folder can be deleted at any
time, and several processes may share it. Token ids can be turned back into text, which is why the
files are for their owner only (0600 in a folder of 0700).

The folder is `tokens` in $FASTBERT_CACHE, or in the user's cache folder (`~/.cache/fastbert`, or as the
platform has it). FASTBERT_CACHE=off, or empty, switches it off. Knows nothing of labels or training.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import mmap
import os
import tempfile
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers

from fastbert.cache import cache_folder
from fastbert.config import Truncation
from fastbert.data.cutting import Slide
from fastbert.data.tokens import Pairs, Texts, Tokenizer
from fastbert.data.windows import WINDOW, Windows

MAGIC = b"fastbert tokens 1\n"  # the number is the version of the format
HEADER_BYTES = 256  # magic, sizes and checksum as JSON, filled with spaces
LIMIT_BYTES = 2_000_000_000  # of all files; those not used for longest go first: about 20 million short texts
LEAST_CHARACTERS = 2_000_000  # 27,000 short texts: 0.6 s of tokenising on two cores; less is not worth a file
ABANDONED_S = 3600.0  # a half-written file of this age belongs to a process that was killed
PART = 8192  # texts hashed at a time
logger = logging.getLogger(__name__)


class CachedTokenizer(Tokenizer):
    """A tokenizer that looks on disk before it encodes many texts. folder: where; made if needed.

    Offsets are not kept: `encode_with_offsets` tokenises each time.
    """

    def __init__(self, tokenizer: Tokenizer, folder: Path) -> None:
        vars(self).update(vars(tokenizer))  # the same tokenizer, not a second copy of its vocabulary
        self.folder = folder

    def encode(
        self,
        texts: Texts,
        pairs: Pairs,
        *,
        max_tokens: int,
        truncation: Truncation = "head",
        slide: Slide = "text",
        overlap: int | None = None,
    ) -> Windows:
        """Return what `Tokenizer.encode` returns, from disk if it is there; else keep it there."""

        def make() -> Windows:
            return super(CachedTokenizer, self).encode(
                texts, pairs, max_tokens=max_tokens, truncation=truncation, slide=slide, overlap=overlap
            )

        if sum(map(len, texts)) + sum(len(pair) for pair in pairs if pair is not None) < LEAST_CHARACTERS:
            return make()
        key = self.key(texts, pairs, max_tokens=max_tokens, truncation=truncation, slide=slide, overlap=overlap)
        path = self.folder / f"{key}.tokens"
        windows = read(path)
        if windows is None:
            windows = make()
            write(path, windows)
        return windows

    def key(
        self,
        texts: Texts,
        pairs: Pairs,
        *,
        max_tokens: int,
        truncation: Truncation,
        slide: Slide = "text",
        overlap: int | None = None,
    ) -> str:
        """Return the hash of all that the tokens depend on."""
        settings = [tokenizers.__version__, self.to_json(), max_tokens, truncation, len(texts)]
        if (slide, overlap) != ("text", None):  # files of before there was a choice are still found
            settings += [slide, overlap]
        digest = hashlib.blake2b(MAGIC, digest_size=20)
        for text in (json.dumps(settings), self.backend.to_str()):
            digest.update(hashlib.blake2b(text.encode()).digest())
        for start in range(0, len(texts), PART):
            for part in (texts[start : start + PART], pairs[start : start + PART]):
                # Lengths first: where one text ends and the next begins is then part of what is hashed.
                lengths = [-1 if text is None else len(text) for text in part]
                digest.update(np.array(lengths, np.int64).tobytes())
                digest.update("".join(filter(None, part)).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


def cached(tokenizer: Tokenizer) -> Tokenizer:
    """Return a tokenizer that uses the cache, or the same one where the cache is switched off."""
    folder = cache_folder("tokens")
    return tokenizer if folder is None else CachedTokenizer(tokenizer, folder)


def read(path: Path) -> Windows | None:
    """Return the windows in a file, mapped into memory; None if it is missing, damaged or of another kind."""
    try:
        with path.open("rb") as file:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        windows = _unpack(data, path.stem)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        logger.info("The cached tokens %s cannot be used (%s) and are made again.", path.name, error)
        return None
    with suppress(OSError):  # a folder that may only be read
        os.utime(path)
    return windows


def write(path: Path, windows: Windows) -> None:
    """Keep windows in a file and the folder within its limit. What goes wrong is logged once and no error."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, windows)
        prune(path.parent, LIMIT_BYTES)
    except OSError as error:
        _warn_once(str(path.parent), error.strerror or type(error).__name__)


def prune(folder: Path, limit_bytes: int) -> None:
    """Delete the files that were not used for longest until the rest take at most limit_bytes."""
    files = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process may prune too
            status = path.stat()
            if path.suffix == ".tokens":
                files.append((status.st_mtime, status.st_size, path))
            elif path.suffix == ".part" and time.time() - status.st_mtime > ABANDONED_S:
                path.unlink(missing_ok=True)
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= limit_bytes:
            break
        with suppress(PermissionError):  # Windows does not delete what another process has mapped
            path.unlink(missing_ok=True)
            total -= size


def _write(path: Path, windows: Windows) -> None:
    arrays: Sequence[npt.NDArray[np.generic]] = [windows.table_W, windows.ids_T]
    arrays = arrays if windows.types_T is None else [*arrays, windows.types_T]
    parts = [np.ascontiguousarray(array).view(np.uint8).data for array in arrays]
    if sum(map(len, parts)) > LIMIT_BYTES:
        return
    handle, name = tempfile.mkstemp(suffix=".part", dir=path.parent)  # readable by its owner only
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_header(path.stem, parts))
            for part in parts:
                file.write(part)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _header(key: str, parts: Sequence[memoryview]) -> bytes:
    values = {"key": key, "sizes": [len(part) for part in parts], "checksum": _checksum(parts)}
    text = MAGIC + json.dumps(values).encode()
    return text.ljust(HEADER_BYTES - 1) + b"\n"


def _checksum(parts: Sequence[memoryview]) -> int:
    return functools.reduce(lambda value, part: zlib.crc32(part, value), parts, 0)


def _unpack(data: memoryview, key: str) -> Windows:
    """Return the windows in the bytes of a file. Raises ValueError, TypeError or KeyError if they are not whole."""
    if data[: len(MAGIC)] != MAGIC:
        raise ValueError("another format")
    values = json.loads(bytes(data[len(MAGIC) : HEADER_BYTES]))
    ends = [HEADER_BYTES, *(HEADER_BYTES + end for end in accumulate(values["sizes"]))]
    if values["key"] != key or ends[-1] != len(data) or len(ends) not in {3, 4}:
        raise ValueError("another length or key")
    parts = [data[start:end] for start, end in pairwise(ends)]
    if _checksum(parts) != values["checksum"]:
        raise ValueError("damaged")
    types_T = np.frombuffer(parts[2], np.uint8) if len(parts) == 3 else None
    return Windows(np.frombuffer(parts[1], np.int32), types_T, np.frombuffer(parts[0], WINDOW))


@functools.cache
def _warn_once(folder: str, reason: str) -> None:
    logger.warning("Tokens cannot be kept in %s (%s); the run goes on without.", folder, reason)
