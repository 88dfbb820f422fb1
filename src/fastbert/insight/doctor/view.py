"""What a checkup found, for a screen: counts, then findings, the worst first, each with a few rows.

Shows shortened texts, for the user's own screen alone. Knows nothing of how anything was found.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastbert.display import Block, View, shorten
from fastbert.insight.doctor.checkup import Checkup
from fastbert.insight.doctor.findings import MEANINGS, SEVERITIES, Finding, percent

SHOWN_LABELS = 40
SHOWN_PAIRS = 10
SHOWN_ROWS = 3
SHOWN_CELLS = 5
TEXT_WIDTH = 70


def checkup_view(checkup: Checkup) -> View:
    """Return the checkup as blocks of text."""
    return View((_summary(checkup), *_labels(checkup), *_pairs(checkup), *_findings(checkup)))


def summary_lines(checkup: Checkup) -> list[tuple[str, str]]:
    """Return what was checked as names and values: the task, the files, the lengths."""
    material = checkup.material
    lines = [("task", material.task.replace("_", " "))]
    for part in material.parts.values():
        lines.append((part.split, f"{part.num_rows:,} rows of {part.name} ({part.format})"))
    for split, found in checkup.lengths.items():
        over = f"{found.over:,} over the limit of {checkup.max_tokens}" if found.over else f"limit {checkup.max_tokens}"
        lengths = f"median {found.median}, 95 % up to {found.high}, longest {found.longest}; {over}"
        lines.append((f"tokens of {split}", lengths))
    return lines


def verdict(checkup: Checkup) -> str:
    """Return how many findings there are of each severity, in one sentence."""
    counts = [f"{checkup.count(severity)} to {severity}" for severity in SEVERITIES[:2] if checkup.count(severity)]
    notes = checkup.count("note")
    counts += [f"{notes} {'note' if notes == 1 else 'notes'}"] if notes else []
    return f"{', '.join(counts)}." if counts else "Nothing was found."


def label_table(checkup: Checkup) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return headers and rows of how often each label occurs in each split."""
    counts = checkup.counts.by_split
    rows = [(name, *(f"{counts[split][name]:,}" for split in counts)) for name in checkup.counts.names]
    return ("label", *counts), rows


def pair_table(checkup: Checkup, most: int) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return headers and rows of the most frequent pairs of labels: rows of each split with both, and their share.

    The share is that of the rows of train that have the rarer label.
    """
    pairs, single = checkup.pairs, checkup.counts.by_split["train"]
    rows = []
    for one, two in pairs.ranked()[:most]:
        counts = [pairs.count(split, one, two) for split in pairs.by_split]
        share = pairs.count("train", one, two) / max(min(single[one], single[two]), 1)
        rows.append((one, two, *(f"{count:,}" for count in counts), percent(share)))
    return ("label", "with", *pairs.by_split, "of the rarer in train"), rows


def _summary(checkup: Checkup) -> Block:
    lines = [f"{name:<16}{value}" for name, value in summary_lines(checkup)]
    lines += [f"{'reading':<16}{reason}" for reason in checkup.material.layout.reasons]
    return Block(f"Data check: {verdict(checkup)}", (*lines, *(f"{'note':<16}{note}" for note in checkup.notes)))


def _labels(checkup: Checkup) -> Iterator[Block]:
    headers, rows = label_table(checkup)
    if rows:
        title = f"Labels, {checkup.counts.what}"
        title += f" (the first {SHOWN_LABELS} of {len(rows)})" if len(rows) > SHOWN_LABELS else ""
        yield Block(title, (), headers, tuple(rows[:SHOWN_LABELS]))


def _pairs(checkup: Checkup) -> Iterator[Block]:
    headers, rows = pair_table(checkup, SHOWN_PAIRS)
    if rows:
        total = len(checkup.pairs.ranked())
        title = "Pairs of labels, rows" + (f" (the first {SHOWN_PAIRS} of {total:,})" if total > SHOWN_PAIRS else "")
        yield Block(title, (), headers, tuple(rows))


def _findings(checkup: Checkup) -> Iterator[Block]:
    for severity in SEVERITIES:
        found = [finding for finding in checkup.findings if finding.severity == severity]
        if found:
            yield Block(f"{severity.upper()}: {MEANINGS[severity]}")
        yield from map(_finding, found)


def _finding(finding: Finding) -> Block:
    lines = [f"-> {finding.advice}"]
    for row in finding.rows[:SHOWN_ROWS]:
        other = f" ({row.other})" if row.other else ""
        what = ": ".join(part for part in (row.label and shorten(row.label, 40), row.detail) if part)
        lines.append(f"   {row.place}: {shorten(row.text, TEXT_WIDTH)!r}{f' [{what}{other}]' if what else ''}")
    more = len(finding.rows) - SHOWN_ROWS
    lines += [f"   and {more:,} more rows"] if more > 0 else []
    rows = tuple(finding.table[:SHOWN_CELLS]) if len(finding.table) > 1 else ()
    return Block(f"[{finding.kind}] {finding.sentence}", tuple(lines), finding.headers if rows else (), rows)
