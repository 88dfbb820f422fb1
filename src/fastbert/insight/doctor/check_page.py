"""The page of a checkup: check.html, which opens from a disk, offline, in light and dark; and rows.csv beside it.

Unlike the report of a model it shows texts, shortened: it is about rows, and is written only where it was asked for.
Knows nothing of how anything was found.
"""

from __future__ import annotations

import csv
import shutil
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from fastbert._version import __version__
from fastbert.display import shorten
from fastbert.errors import DataError, TrainingError
from fastbert.insight.doctor.checkup import Checkup
from fastbert.insight.doctor.findings import MEANINGS, SEVERITIES, Finding, Severity
from fastbert.insight.doctor.view import label_table, pair_table, summary_lines, verdict
from fastbert.insight.page import Html, bar, definitions, document, element, section, sentences, table

PAGE, ROWS = "check.html", "rows.csv"
COLUMNS = ("file", "row", "split", "kind", "severity", "text", "label", "detail", "other_row")
SHOWN_ROWS = 10
LONG_TABLE = 40
HEAT_LABELS, SHOWN_PAIRS = 30, 20
STRONGEST = 0.55  # shade of a cell; on a darker one its number could not be read
_TITLES: dict[Severity, str] = {"stop": "Stop", "look": "Look", "note": "Note"}


def write_checkup(checkup: Checkup, folder: Path) -> Path:
    """Write check.html and rows.csv into a folder, which is made; return the path of the page.

    Both appear when they are complete. Raises TrainingError if the disk fails.
    """
    part = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        part.mkdir(parents=True)
        (part / PAGE).write_text(check_page(checkup), encoding="utf-8")
        with (part / ROWS).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
            writer.writerow(COLUMNS)
            writer.writerows(_rows(checkup.findings))
        folder.mkdir(exist_ok=True)
        for name in (PAGE, ROWS):
            (part / name).replace(folder / name)
    except OSError as error:
        raise TrainingError(f"{folder} could not be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder / PAGE


def check_out(folder: Path) -> None:
    """Raise DataError for a place where no folder can be, before any work."""
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file; expected a folder for {PAGE} and {ROWS}.", "Give --out another name.")


def _rows(findings: Iterable[Finding]) -> Iterator[tuple[str, ...]]:
    for finding in findings:
        for row in finding.rows:
            # A lone return would end the row for many readers: Python before 3.13 does not quote it.
            text, label = (part.replace("\r\n", "\n").replace("\r", "\n") for part in (row.text, row.label))
            yield (row.file, row.row, row.split, finding.kind, finding.severity, text, label, row.detail, row.other)


def check_page(checkup: Checkup) -> str:
    """Return the page."""
    return document(
        "Data check",
        _header(checkup),
        *(_severity(checkup, severity) for severity in SEVERITIES),
        _labels(checkup),
        _pairs(checkup),
        _reading(checkup),
        element("footer", f"FastBert {__version__}. All rows are in {ROWS}. This page loads nothing from elsewhere."),
    )


def _header(checkup: Checkup) -> Html:
    tiles = [
        element(
            "div",
            _TITLES[severity],
            element("b", str(checkup.count(severity))),
            element("small", MEANINGS[severity]),
            class_="tile",
        )
        for severity in SEVERITIES
    ]
    return element(
        "header",
        element("h1", "Data check"),
        element("p", verdict(checkup)),
        element("div", *tiles, class_="tiles"),
        definitions(summary_lines(checkup)),
        sentences(checkup.notes),
    )


def _severity(checkup: Checkup, severity: Severity) -> Html:
    found = [finding for finding in checkup.findings if finding.severity == severity]
    if not found:
        return Html("")
    return section(_TITLES[severity], *map(_finding, found), note=f"{MEANINGS[severity].capitalize()}.")


def _finding(finding: Finding) -> Html:
    parts = [element("h3", finding.sentence)]
    parts.append(sentences([finding.advice], class_="warnings" if finding.severity == "stop" else "advice"))
    if finding.table:
        parts.append(table(finding.headers, finding.table))
    if finding.rows:
        count = len(finding.rows)
        shown = [
            [row.place, shorten(row.text, 120), shorten(row.label, 40), row.detail, row.other]
            for row in finding.rows[:SHOWN_ROWS]
        ]
        title = f"{count:,} {'row' if count == 1 else 'rows'}" + (
            f", the first {SHOWN_ROWS}" if count > SHOWN_ROWS else ""
        )
        headers = ["row", "text", "truth", "detail", "other row"]
        parts.append(element("details", element("summary", title), table(headers, shown, class_="wide")))
    return element("div", *parts)


def _labels(checkup: Checkup) -> Html:
    headers, rows = label_table(checkup)
    if not rows:
        return Html("")
    counts = checkup.counts.by_split
    most = {split: max(found.values(), default=1) for split, found in counts.items()}
    drawn = [
        [name, *(bar(cell, counts[split][name] / most[split]) for split, cell in zip(counts, cells, strict=True))]
        for name, *cells in rows
    ]
    shown = table(headers, drawn, class_="numbers")
    if len(rows) > LONG_TABLE:
        shown = element("details", element("summary", f"{len(rows)} labels"), shown)
    return section("Labels", shown, note=f"How many {checkup.counts.what} of each split have a label.")


def _pairs(checkup: Checkup) -> Html:
    """Return how often two labels go together: all of train as a matrix, and the most frequent pairs of every split."""
    headers, rows = pair_table(checkup, SHOWN_PAIRS)
    if not rows:
        return Html("")
    names = checkup.counts.names
    total = len(checkup.pairs.ranked())
    note = "Rows of train with both labels; darker: a larger share of the rows that have the label on the left."
    if len(names) > HEAT_LABELS:
        note += f" The {HEAT_LABELS} most frequent of {len(names):,} labels."
    title = f"{total:,} {'pair' if total == 1 else 'pairs'}, the first {len(rows)}"
    pairs = element("details", element("summary", title), table(headers, rows, class_="numbers"))
    return section("Labels that go together", _matrix(checkup, names[:HEAT_LABELS]), pairs, note=note)


def _matrix(checkup: Checkup, names: list[str]) -> Html:
    single = checkup.counts.by_split["train"]
    columns = (element("th", shorten(name, 20), title=name, scope="col") for name in names)
    body = []
    for one in names:
        counts = [single[one] if one == two else checkup.pairs.count("train", one, two) for two in names]
        cells = [
            element(
                "td",
                f"{count:,}" if count else "",
                class_="true" if one == two else "other",
                style=f"background:rgba(var(--heat),{STRONGEST * count / max(single[one], 1):.2f})",
            )
            for two, count in zip(names, counts, strict=True)
        ]
        body.append(element("tr", element("th", shorten(one, 40), scope="row"), *cells))
    head = element("tr", element("th", "label", scope="col"), *columns)
    inner = element("table", element("thead", head), element("tbody", *body), class_="heat")
    return element("div", inner, class_="scroll", tabindex="0")


def _reading(checkup: Checkup) -> Html:
    return section("How the files were read", sentences(checkup.material.layout.reasons))
