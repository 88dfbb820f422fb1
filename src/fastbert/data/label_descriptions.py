"""Reads what labels mean: a file of lines `name` or `name: description`.

Knows nothing of tables, nor of what the phrases are for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from fastbert.data.encoding import examine_text, text_lines
from fastbert.data.files import find_file
from fastbert.data.row_problems import excerpt
from fastbert.errors import DataError

Descriptions = Mapping[str, tuple[str, ...]]  # the phrases of each label, in the order of their lines


def read_label_descriptions(source: str | os.PathLike[str]) -> Descriptions:
    """Return the phrases of each label, in the order of the file.

    A line is a name and, after a colon and a blank, one phrase for it: a description, or a text that the label fits. A
    name without a phrase is its own phrase. A name on several lines has several phrases. Empty lines are left out.
    Raises DataError with the row for a line without a name or a phrase, or that stands there twice.
    """
    file = find_file(source)
    found: dict[str, list[str]] = {}
    for number, line in enumerate(text_lines(file, examine_text(file)), start=1):
        if not line.strip():
            continue
        name, phrase = _parts_of(line)
        if not name or not phrase:
            raise DataError(
                f"{file.name}, row {number}: {excerpt(line.strip())} is no label.",
                "Write `name` or `name: description` on each line.",
            )
        phrases = found.setdefault(name, [])
        if phrase in phrases:
            raise DataError(f"{file.name}, row {number}: label {excerpt(name)} has this phrase already.", "Remove it.")
        phrases.append(phrase)
    if not found:
        raise DataError(f"{file.name} holds no labels.", "Write `name` or `name: description` on each line.")
    return {name: tuple(phrases) for name, phrases in found.items()}


def named_labels(names: str) -> Descriptions:
    """Return the labels of "name,name,...", each its own phrase. Raises DataError for an empty or repeated name.

    >>> named_labels("bug report, praise")
    {'bug report': ('bug report',), 'praise': ('praise',)}
    """
    listed = [name.strip() for name in names.split(",")]
    for name in listed:
        if not name or listed.count(name) > 1:
            what = f"names {excerpt(name)} twice" if name else "has an empty name"
            raise DataError(f"--labels {what}.", "Write names with commas between them, each once.")
    return {name: (name,) for name in listed}


def _parts_of(line: str) -> tuple[str, str]:
    """Return the name and the phrase of a line; a colon inside a name, such as DESC:manner, has no blank behind it."""
    name, colon, phrase = line.strip().partition(": ")
    if colon:
        return name.strip(), phrase.strip()
    return name, "" if name.endswith(":") else name
