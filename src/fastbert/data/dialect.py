"""How a delimited file is written: what separates cells and whether double quotes wrap them.

Two questions, answered in turn. The delimiter comes from the first records: it is the one
that gives every record the same number of cells. Whether quotes wrap cells (RFC 4180) or are
data (CoLA, MRPC, STS-B) comes from the whole file, because the first quote may come late:
the reading that fits more rows wins.
Knows nothing of encodings or header rows.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

MAX_CELL_CHARACTERS = 100_000_000  # Python's own limit of 131,072 is less than one long document
SAMPLE_RECORDS = 200
SAMPLE_LINES = 4000  # 200 records with 20 line breaks each
SAMPLE_CHARACTERS = 1 << 20
ENOUGH_QUOTED = 10_000  # lines with quotes that tell how quotes are used; a file with fewer is read whole
DELIMITERS = {".csv": ",;\t|", ".tsv": "\t,;|", ".tab": "\t,;|"}
OTHER_DELIMITERS = "\t;|,"  # .txt and unknown: prose is full of commas
NO_DELIMITER = "\udc1f"  # half a surrogate pair: cannot occur in decoded text
LONE_RETURN = "\udc0d"  # stands for a carriage return inside a line while `csv` reads it


@dataclass(frozen=True)
class Dialect:
    """delimiter: None if each line is one cell.    quoting: double quotes wrap cells."""

    delimiter: str | None
    quoting: bool


class RawRecord(NamedTuple):  # a dataclass costs 0.2 s more on 200,000 rows
    """One record. line: where it starts, from 1.    problem: why it has no cells."""

    line: int
    cells: list[str]
    problem: str | None = None


def read_records(lines: Iterable[str], dialect: Dialect) -> Iterator[RawRecord]:
    """Split lines into records; an empty line is a record without cells."""
    return _quoted_records(lines, dialect) if dialect.quoting else _plain_records(lines, dialect)


def is_blank(record: RawRecord) -> bool:
    """Return True for a line that holds nothing but spaces, if anything.

    >>> is_blank(RawRecord(1, [" "])), is_blank(RawRecord(1, ["", ""]))
    (True, False)
    """
    if len(record.cells) > 1 or record.problem is not None:
        return False
    text = "".join(record.cells)
    return not text.strip() and "\n" not in text  # a line break was written in quotes, on purpose


def detect_delimiter(lines: Iterable[str], suffix: str) -> str | None:
    """Return the delimiter that splits the first records alike, None if none does.

    lines: from the start of the file; only a sample is taken.
    suffix: ".csv" and ".tsv" say which delimiter to expect first.
    """
    sample, whole = _sample(lines)
    readings = [_reading(sample, delimiter, whole) for delimiter in DELIMITERS.get(suffix, OTHER_DELIMITERS)]
    splitting = [reading for reading in readings if reading.num_cells > 1]
    firm = [reading for reading in splitting if not reading.is_prose]
    expected = suffix in DELIMITERS
    enough = [r for r in firm if expected or r.delimiter == "\t" or r.num_records > 1]
    for threshold in (1.0, 0.9):
        found = [reading for reading in enough if reading.share >= threshold]
        if found:
            return max(found, key=lambda reading: reading.share).delimiter
    if not expected:
        return None
    even = [reading for reading in splitting if reading.share == 1.0]
    begun = [reading for reading in readings if reading.splits_first and not reading.is_prose]
    return next((reading.delimiter for reading in even + begun), None)


def detect_quoting(lines: Iterable[str], delimiter: str | None, suffix: str) -> bool:
    """Return True if double quotes wrap cells, False if they are part of the text.

    lines: all lines of the file. The reading with fewer odd rows wins. If quotes are data
    it is also odd that a cell stands in quotes: with commas any such cell, otherwise only
    one that needs its quotes (unless most lines have some), because "Jaws" may be a title.
    """
    if delimiter is None and suffix not in DELIMITERS:
        return False  # one text a line: a text may be all in quotes
    watch = _LineWatch(delimiter or DELIMITERS[suffix][0], whole_line=delimiter is None)
    records = _quoted_records(watch.over(lines), Dialect(delimiter, True))
    widths: Counter[int] = Counter()
    num_spanning = num_broken = 0
    for record in records:
        if record.problem is not None:
            num_broken += 1
        elif not is_blank(record):
            widths[len(record.cells)] += 1
            num_spanning += any("\n" in cell for cell in record.cells)
        if watch.num_quoted >= ENOUGH_QUOTED:
            break
    by_commas = watch.delimiter in ",;"
    usual = by_commas or 2 * watch.num_wrapped >= watch.num_lines
    plain_odd = watch.num_wrapped if usual else watch.num_needed
    if by_commas or delimiter is None:
        plain_odd += num_spanning  # not with tabs: a lone quote is a token in WNUT 17
    if delimiter is not None:
        plain_odd += _num_odd(watch.widths)
    return num_broken + _num_odd(widths) < plain_odd or watch.num_quoted == 0


def _plain_records(lines: Iterable[str], dialect: Dialect) -> Iterator[RawRecord]:
    for number, line in enumerate(lines, start=1):
        content = _without_end(line)
        if not content:
            yield RawRecord(number, [])
        elif dialect.delimiter is None:
            yield RawRecord(number, [content])
        else:
            yield RawRecord(number, content.split(dialect.delimiter))


def _quoted_records(lines: Iterable[str], dialect: Dialect) -> Iterator[RawRecord]:
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL_CHARACTERS))
    guard = _ReturnGuard()
    reader = csv.reader(guard.over(lines), delimiter=dialect.delimiter or NO_DELIMITER, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RawRecord(start, [], _explain(str(error)))
        else:
            yield RawRecord(start, guard.restored(cells) if guard.active else cells)


def _explain(problem: str) -> str:
    if "unexpected end" in problem:
        return "a double quote opens a cell and is never closed"
    if "expected after" in problem:
        return "text follows the closing double quote of a cell; expected a delimiter or the end of the line"
    if "field larger" in problem:
        return f"a cell has more than {MAX_CELL_CHARACTERS:,} characters; a closing double quote may be missing"
    return f"not readable as delimited text ({problem})"


class _ReturnGuard:
    """Carries carriage returns inside lines past `csv`, which refuses them unquoted."""

    def __init__(self) -> None:
        self.active = False

    def over(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            found = line.find("\r")
            if found >= 0 and line[found:] not in ("\r\n", "\r"):
                self.active = True
                content = _without_end(line)
                line = content.replace("\r", LONE_RETURN) + line[len(content) :]
            yield line

    def restored(self, cells: list[str]) -> list[str]:
        return [cell.replace(LONE_RETURN, "\r") for cell in cells]


class _LineWatch:
    """Counts, line by line, how cells and quotes look if quotes are data."""

    def __init__(self, delimiter: str, *, whole_line: bool) -> None:
        self.delimiter = delimiter
        self.widths: Counter[int] = Counter()
        self.num_lines = self.num_quoted = self.num_wrapped = self.num_needed = 0
        mark = re.escape(delimiter)
        before, after = ("^", r"(?=[\r\n]*$)") if whole_line else (f"(?:^|{mark})", rf"(?={mark}|[\r\n]*$)")
        self._wrapped = re.compile(before + r'"([^"]*(?:""[^"]*)*)"' + after)

    def over(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            if line.strip():
                self.num_lines += 1
                self.widths[line.count(self.delimiter) + 1] += 1
                if '"' in line:
                    self._note_quotes(line)
            yield line

    def _note_quotes(self, line: str) -> None:
        self.num_quoted += 1
        inner = self._wrapped.findall(line)
        self.num_wrapped += bool(inner)
        # an empty cell in quotes is how writers tell an empty text from a missing one
        needed = ('""', self.delimiter, "\r")
        self.num_needed += any(not cell or any(sign in cell for sign in needed) for cell in inner)


@dataclass(frozen=True)
class _Reading:
    """How the sample looks under one delimiter. share: of records with num_cells cells."""

    delimiter: str
    num_cells: int
    num_records: int
    share: float
    splits_first: bool
    is_prose: bool


def _reading(sample: list[str], delimiter: str, whole: bool) -> _Reading:
    """Return the better of the two readings, with and without quoting."""
    best = _Reading(delimiter, 0, 0, 0.0, False, _is_prose(sample, delimiter))
    for quoting in (True, False):
        records = list(islice(read_records(sample, Dialect(delimiter, quoting)), SAMPLE_RECORDS + 1))
        if len(records) > SAMPLE_RECORDS or (quoting and not whole):
            records.pop()  # the sample may end inside it
        filled = [record for record in records if not is_blank(record)]
        widths = Counter(len(record.cells) for record in filled if record.problem is None)
        for num_cells, count in widths.most_common(1):
            share = count / len(filled)
            if share > best.share:
                first = filled[0]  # it has no cells if it is broken
                splits_first = len(first.cells) != 1 and delimiter in sample[first.line - 1]
                best = _Reading(delimiter, num_cells, len(filled), share, splits_first, best.is_prose)
    return best


def _is_prose(sample: list[str], delimiter: str) -> bool:
    """Return True if the sign is never used as a delimiter: "yes, 2,50 or more"."""
    if delimiter == "\t":
        return False
    mark = re.escape(delimiter)
    used = re.compile(rf"{mark}(?! )(?!(?<=\d{mark})\d)")
    return not any(used.search(line) for line in sample)


def _sample(lines: Iterable[str]) -> tuple[list[str], bool]:
    """Return the first lines and whether they are all there are."""
    sample: list[str] = []
    room = SAMPLE_CHARACTERS
    for line in lines:
        if len(sample) == SAMPLE_LINES or room <= 0:
            return sample, False
        sample.append(line)
        room -= len(line)
    return sample, True


def _num_odd(widths: Counter[int]) -> int:
    """Return how many rows do not have the most common number of cells."""
    return widths.total() - max(widths.values(), default=0)


def _without_end(line: str) -> str:
    """Return a line without its own line end; other carriage returns are text."""
    if line.endswith("\r\n"):
        return line[:-2]
    return line[:-1] if line.endswith(("\n", "\r")) else line
