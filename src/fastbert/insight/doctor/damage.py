"""Text files with bytes that are not of their encoding: which rows hold them, and the file as it can be read.

The readers of `data` refuse such a file; here the lines that cannot be decoded are taken for Windows' cp1252, the
usual reason, so that the rest can be checked. Knows nothing of columns.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from fastbert.data.encoding import examine_text
from fastbert.data.files import InputFile, find_file, standard_input
from fastbert.data.sources import Source, is_standard_input, kind_of
from fastbert.errors import DataError

MOST = 0.5  # of the lines: if more cannot be decoded, the file is of another encoding or no text at all


@dataclass(frozen=True)
class Damage:
    """Lines of a file, counted from 1, that are not as the rest. undecodable: not UTF-8.    nul: hold a NUL."""

    undecodable: tuple[int, ...] = ()
    nul: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.undecodable or self.nul)


def open_damaged(path: Path) -> tuple[Source, Damage]:
    """Return a file as it can be read, and what was wrong with its bytes; a sound file is returned as its path.

    Raises DataError where most of it cannot be decoded, as the readers do.
    """
    if path.is_dir():
        return path, Damage()
    file = standard_input() if is_standard_input(path) else find_file(path)
    if kind_of(file) not in ("delimited", "jsonl"):
        return (path if isinstance(file.origin, Path) else file), Damage()
    try:
        examine_text(file)
    except DataError:
        repaired = _repaired(file)
        if repaired is None:
            raise
        return repaired
    # A pipe can be read only once, and has been read; a file is opened anew, by what its path says.
    return (path if isinstance(file.origin, Path) else file), Damage()


def _repaired(file: InputFile) -> tuple[InputFile, Damage] | None:
    """Return the file with each line in UTF-8 and without NULs, None if that would be guesswork."""
    with file.open() as stream:
        lines = stream.read().split(b"\n")
    undecodable, nul, written = [], [], []
    for number, line in enumerate(lines, start=1):
        if b"\0" in line:
            nul.append(number)
            line = line.replace(b"\0", b"")
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            undecodable.append(number)
            line = line.decode("cp1252", "replace").encode("utf-8")
        written.append(line)
    if len(set(undecodable) | set(nul)) > MOST * len(lines):
        return None
    origin = io.BytesIO(b"\n".join(written))
    return InputFile(file.name, file.suffix, False, origin), Damage(tuple(undecodable), tuple(nul))
