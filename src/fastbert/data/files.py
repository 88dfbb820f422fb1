"""Input files as bytes: found or explained, unzipped, and readable more than once.

Knows nothing of encodings, columns or rows. Standard input and pipes are copied to a
temporary file first, so that every reader may look at the whole input before it decides.
"""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from fastbert.errors import DataError, did_you_mean

BLOCK_BYTES = 1 << 20
SPOOL_BYTES = 16 << 20  # standard input up to this size never touches the disk
HEAD_BYTES, MOST_HEAD_BYTES = 1 << 16, 1 << 26  # of what is looked at before a file is read
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class InputFile:
    """A file that can be opened again and again, through gzip where it is zipped.

    name: what messages call it.    suffix: lower case and without .gz, such as ".csv".
    """

    name: str
    suffix: str
    gzipped: bool
    origin: Path | IO[bytes]

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the unzipped bytes from the start. Damaged gzip raises DataError."""
        with self._open_raw() as raw, _damage_explained(self.name):
            if not self.gzipped:
                yield raw
                return
            with gzip.GzipFile(fileobj=raw, mode="rb") as unzipped:
                yield cast(BinaryIO, unzipped)

    @contextmanager
    def open_seekable(self) -> Iterator[BinaryIO]:
        """Open the unzipped bytes for a reader that jumps (Parquet, Arrow, XLSX)."""
        if not self.gzipped:
            with self._open_raw() as raw:
                yield raw
            return
        with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as unzipped:
            with self.open() as zipped:
                shutil.copyfileobj(zipped, unzipped, BLOCK_BYTES)
            unzipped.seek(0)
            yield cast(BinaryIO, unzipped)

    def blocks(self) -> Iterator[bytes]:
        """Yield the unzipped bytes in blocks of at most BLOCK_BYTES."""
        with self.open() as stream:
            while block := stream.read(BLOCK_BYTES):
                yield block

    def head(self, num_bytes: int) -> bytes:
        """Return the first unzipped bytes, fewer if the file is shorter."""
        with self.open() as stream:
            return stream.read(num_bytes)

    def heads(self) -> Iterator[bytes]:
        """Yield the first unzipped bytes, four times as many each time, until they are all or 64 MB.

        For who looks for a first row or value, which may be a long one.
        """
        size = HEAD_BYTES
        while size <= MOST_HEAD_BYTES:
            head = self.head(size)
            yield head
            if len(head) < size:
                return
            size *= 4

    @contextmanager
    def _open_raw(self) -> Iterator[BinaryIO]:
        if isinstance(self.origin, Path):
            with self.origin.open("rb") as raw:
                yield raw
        else:
            self.origin.seek(0)
            yield cast(BinaryIO, self.origin)


def find_file(path: str | os.PathLike[str]) -> InputFile:
    """Return the file at a path. Raises DataError if there is none that can be read."""
    place = Path(path)
    try:
        if place.is_dir():
            raise DataError(f"{place} is a folder; expected a file.", _files_in(place))
        with place.open("rb") as stream:
            suffix, name = place.suffix.lower(), place.name
            if not place.is_file():  # a named pipe or /dev/fd/63: can be read only once
                return _spool(stream, name, suffix)
            gzipped = stream.read(2) == GZIP_MAGIC
    except FileNotFoundError as error:
        raise DataError(f"{place} does not exist; expected a file.", _closest(place)) from error
    except PermissionError as error:
        hint = "Change its permissions (`chmod u+r`), or run as a user who may read it."
        raise DataError(f"{place} cannot be opened: no permission to read it.", hint) from error
    except (OSError, ValueError) as error:
        hint = "Give the path of a file; give texts themselves as a list."
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{str(place)[:40]!r} cannot be opened as a file: {reason}.", hint) from error
    return InputFile(name, _inner_suffix(place, gzipped), gzipped, place)


def standard_input(stream: BinaryIO | None = None) -> InputFile:
    """Return all of standard input (or of the given stream) as a file without a suffix."""
    return _spool(stream if stream is not None else sys.stdin.buffer, "standard input", "")


def _spool(stream: BinaryIO, name: str, suffix: str) -> InputFile:
    copy = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)
    shutil.copyfileobj(stream, copy, BLOCK_BYTES)
    copy.seek(0)
    file = InputFile(name, suffix, copy.read(2) == GZIP_MAGIC, cast(IO[bytes], copy))
    weakref.finalize(file, copy.close)
    return file


def _inner_suffix(place: Path, gzipped: bool) -> str:
    """Return the suffix that names the format: ".csv" of "a.csv.gz"."""
    suffix = place.suffix.lower()
    if suffix in (".gz", ".gzip") and gzipped:
        return Path(place.stem).suffix.lower()
    return suffix


@contextmanager
def _damage_explained(name: str) -> Iterator[None]:
    """Turn the errors of a damaged gzip file into a DataError."""
    hint = "Copy or download it again; `gzip -t` checks a file."
    try:
        yield
    except EOFError as error:
        raise DataError(f"{name} is cut off: its gzip data ends too early.", hint) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{name} is damaged: its gzip data cannot be read ({error}).", hint) from error


def _closest(place: Path) -> str:
    folder = place.parent
    if not folder.is_dir():
        return f"The folder {folder} does not exist either."
    close = did_you_mean(place.name, (other.name for other in folder.iterdir()))
    return close or "Check the path; it is relative to the folder in which the program runs."


def _files_in(folder: Path) -> str:
    names = sorted(other.name for other in folder.iterdir() if other.is_file())
    if not names:
        return "Give the path of one file; this folder holds none."
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"Give the path of one file in it, such as {', '.join(names[:3])}{more}."
