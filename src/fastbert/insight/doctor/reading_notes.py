"""What happened to the files while they were read: bytes, rows that are no examples, what the readers noted.

Knows nothing of what is in the rows that could be read.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastbert.data.cell_values import is_empty
from fastbert.data.checks import MIN_VALID_ROWS
from fastbert.data.layout import Layout
from fastbert.insight.doctor.findings import Finding, FlaggedRow, share_phrase
from fastbert.insight.doctor.material import UNSEEN, Material, Part, Reason

_MORE_UNSEEN = " From texts of invisible characters it learns as if they said something: --fix drops them too."
UNICODE = ("utf-8", "utf-16", "utf-32")
_ASIDE: dict[Reason, tuple[str, str]] = {
    "no_text": ("have no text", "Training stops at them: --fix drops them, `--on-bad-row skip` leaves them out."),
    "no_label": (
        "have a text and no label",
        "Training stops at them: label them, or leave them out with `--on-bad-row skip`.",
    ),
    "wrong_label": ("hold a wrong value where the label is", "Training stops at them: correct them."),
}


def reading_findings(material: Material) -> list[Finding]:
    """Return what there is to say of files and of rows that training could not use."""
    return [finding for part in material.parts.values() for finding in _about(part, material)]


def _about(part: Part, material: Material) -> Iterator[Finding]:
    yield from _about_bytes(part, material)
    for reason, (what, advice) in _ASIDE.items():
        rows = [_flag(part, material, one.index, one.what) for one in part.aside if one.reason == reason]
        if rows:
            sentence = f"{share_phrase(len(rows), part.num_rows)} of {part.split} {what}."
            unseen = any(row.detail == UNSEEN for row in rows)
            yield Finding(reason, "stop", sentence, advice + (_MORE_UNSEEN if unseen else ""), rows)
    for sentence in part.skipped:
        yield Finding(
            "unreadable", "stop", f"{sentence}.", "Training stops at them; `--on-bad-row skip` leaves them out."
        )
    for sentence in part.notes:
        yield Finding("reading", "note", sentence, "Check that it is meant so.")
    if part.split != "train" and len(part) < MIN_VALID_ROWS:
        yield Finding(
            "few_rows",
            "note",
            f"{part.split} has only {len(part)} rows, so its scores are rough.",
            f"Give at least {MIN_VALID_ROWS}.",
        )


def _about_bytes(part: Part, material: Material) -> Iterator[Finding]:
    for kind, lines, what, fix in (
        (
            "undecodable",
            part.damage.undecodable,
            "are not UTF-8, though the rest is",
            material.if_fixable(" --fix writes them as UTF-8, taken for Windows' cp1252: check them."),
        ),
        ("nul", part.damage.nul, "hold a NUL character", material.if_fixable(" --fix leaves it out.")),
    ):
        if lines:
            rows = [
                FlaggedRow(part.split, part.name, f"line {line}", "", detail=f"line {line} of the file")
                for line in lines
            ]
            count = "1 line" if len(lines) == 1 else f"{len(lines):,} lines"
            yield Finding(kind, "stop", f"{count} of {part.split} {what}.", f"Training refuses the file.{fix}", rows)
    encoding = None if part.table is None else part.table.format.encoding
    if encoding is not None and not encoding.startswith(UNICODE):
        yield Finding(
            "encoding",
            "note",
            f"{part.name} is not UTF-8; it is read as {encoding}.",
            "Check a text with accents, and save it as UTF-8 to be sure.",
        )


def _flag(part: Part, material: Material, index: int, what: str) -> FlaggedRow:
    assert part.table is not None and isinstance(material.layout, Layout)  # only their rows are set aside
    row = part.table.rows[index]
    cells = [row.cells[part.table.index_of(name)] for name in material.layout.text_columns]
    text = " | ".join("" if is_empty(cell) else str(cell) for cell in cells)
    return FlaggedRow(part.split, part.name, str(row.number), text.strip(), detail=what)
