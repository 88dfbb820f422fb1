"""Bodies and answers of several lines: CSV, and a JSON value on each line. Knows no contract.

A problem names the line, never what stands in it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from fastbert.serving.problems import Problem, check_number, malformed, too_large
from fastbert.serving.settings import Limits

CSV, LINES = "text/csv", "application/jsonlines"
LINE_TYPES = (LINES, "application/jsonl", "application/x-jsonlines", "application/x-ndjson")
_LARGEST_CELL = 100_000_000  # the body's limit comes first; csv's own is 131,072 characters


def text_of_body(body: bytes) -> str:
    """Return a body as text, without a byte order mark. Raises Problem (400) where it is not UTF-8."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise malformed("The body is not in UTF-8.") from None


def csv_rows(body: bytes, limits: Limits) -> list[list[str]]:
    """Return the rows of CSV, its header among them.

    limits: of which as many rows are read as texts, beside the header.
    Raises Problem: 422 for more, 413 for too many cells, 400 where it cannot be read, or an empty line stands in it.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _LARGEST_CELL))
    text = text_of_body(body.rstrip(b"\r\n"))
    if text.count(",") > limits.characters:  # a row is parsed whole, however many cells it has
        raise too_large(f"The body has more than {limits.characters:,} commas.", "", "Send it in several requests.")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            check_number(len(rows), limits.texts, "rows")  # the header is one of them
            rows.append(row)
    except csv.Error:
        raise malformed(f"Line {reader.line_num} is no CSV: a quote is open, or text follows one.") from None
    if not rows:
        raise malformed("The body is empty; expected CSV.")
    for number, row in enumerate(rows, start=1):
        if not row:
            raise malformed(f"Row {number} is empty; each gets an answer.", "Leave it out.")
    return rows


def json_lines(body: bytes, most: int) -> list[bytes]:
    """Return the lines of a body, at most so many.

    Raises Problem: 422 for more, 400 for an empty one: each gets an answer.
    """
    body = body.removeprefix(b"\xef\xbb\xbf").rstrip()
    if not body:
        raise malformed("The body is empty; expected a JSON value on each line.")
    check_number(body.count(b"\n") + 1, most, "lines")
    lines = body.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            raise at_line(malformed("The line is empty; each gets an answer.", "Leave it out."), number)
    return lines


def at_line(problem: Problem, number: int) -> Problem:
    """Return a problem with the line that it is in."""
    place = f"line {number}" + (f", {problem.where}" if problem.where else "")
    return Problem(problem.status, problem.code, problem.message, place, problem.hint, problem.headers)


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV. A number keeps all its digits."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def accepted(header: str, known: Sequence[str], usual: str) -> str:
    """Return the content type that a caller likes best of those known, usual where it does not say.

    Raises Problem (406) for others.

    >>> accepted("text/csv;q=0.5, application/json", ["application/json", "text/csv"], "text/csv")
    'application/json'
    >>> accepted("*/*", ["application/json", "text/csv"], "text/csv")
    'text/csv'
    """
    if not header.strip():
        return usual
    wanted: list[tuple[float, str]] = []
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        wanted.append((_quality(parameters), name))
    for quality, name in sorted(wanted, key=lambda one: -one[0]):
        if quality <= 0:
            continue
        if name == "*/*" or (name.endswith("/*") and usual.startswith(name[:-1])):
            return usual
        family = LINE_TYPES if name in LINE_TYPES else (name,)
        for one in known:
            if one in family or (name.endswith("/*") and one.startswith(name[:-1])):
                return name if name in LINE_TYPES else one
    raise Problem(406, "not_acceptable", f"Answers are {', '.join(known)}.", "Accept", "Accept one of these, or */*.")


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
