"""Small tables for people: aligned text in a terminal, HTML in a notebook.

Knows nothing of what is shown. Nothing is printed here; a `View` is returned and shows itself.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_BLOCKS = "▁▂▃▄▅▆▇█"
_STYLE = "border-collapse:collapse;font-size:13px"
_LINES = "white-space:pre-wrap;font-size:13px;margin:4px 0"
_CELL = "padding:2px 8px;text-align:left;vertical-align:top;border-bottom:1px solid #ccc"


@dataclass(frozen=True)
class Block:
    """A title, lines of text, and a table; each may be empty."""

    title: str = ""
    lines: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    def to_text(self) -> str:
        """Return the block as lines of at most the width that its cells need."""
        parts = [self.title] if self.title else []
        parts += [f"  {line}" for line in self.lines]
        if self.rows:
            table = [self.headers, *self.rows] if self.headers else list(self.rows)
            widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
            parts += ["  " + "  ".join(map(_aligned, row, widths)).rstrip() for row in table]
        return "\n".join(parts)

    def to_html(self) -> str:
        """Return the block as an HTML fragment; every text is escaped."""
        parts = [f"<h4>{html.escape(self.title)}</h4>"] if self.title else []
        if self.lines:
            lines = "\n".join(html.escape(line) for line in self.lines)
            parts.append(f'<pre style="{_LINES}">{lines}</pre>')
        if self.rows:
            head = "".join(f'<th style="{_CELL}">{html.escape(name)}</th>' for name in self.headers)
            body = "".join(
                "<tr>" + "".join(f'<td style="{_CELL}">{html.escape(cell)}</td>' for cell in row) + "</tr>"
                for row in self.rows
            )
            parts.append(f'<table style="{_STYLE}"><tr>{head}</tr>{body}</table>')
        return "".join(parts)


@dataclass(frozen=True)
class View:
    """Blocks that show themselves: `repr` in a terminal, HTML in a notebook."""

    blocks: tuple[Block, ...]

    def __repr__(self) -> str:
        return "\n\n".join(block.to_text() for block in self.blocks)

    def _repr_html_(self) -> str:
        return "".join(block.to_html() for block in self.blocks)


def shorten(text: str, width: int = 60) -> str:
    r"""Return one line of at most width characters.

    >>> shorten("a  long\nline", 8)
    'a long …'
    """
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def number(value: float | None, digits: int = 4) -> str:
    """Return a number with few digits, or "-" for None.

    >>> number(0.51239), number(None), number(12)
    ('0.5124', '-', '12')
    """
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.{digits}f}"


def duration(seconds: float) -> str:
    """Return seconds for people.

    >>> duration(8), duration(130), duration(7300)
    ('8 s', '2 min 10 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def utilisation(mfu: float, product_rate: float) -> str:
    """Return which share of a machine's matrix rate was used, for people.

    >>> utilisation(0.431, 213e9)
    'MFU 43 % (of the 213 GFLOP/s that a matrix product reaches here)'
    """
    return f"MFU {100 * mfu:.0f} % (of the {product_rate / 1e9:,.0f} GFLOP/s that a matrix product reaches here)"


def sparkline(values: Sequence[float], width: int = 60) -> str:
    """Return values as at most width blocks, from 0 to the largest; many values are averaged.

    >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7])
    '▁▂▃▄▅▆▇█'
    """
    count = min(width, len(values))
    edges = [len(values) * index // count for index in range(count + 1)] if count else []
    means = [sum(values[low:high]) / (high - low) for low, high in pairwise(edges)]
    top = max(means, default=0.0)
    return "".join(_BLOCKS[round(max(mean, 0.0) / top * (len(_BLOCKS) - 1)) if top > 0 else 0] for mean in means)


def label_score_rows(
    per_label: dict[str, dict[str, float | int | None]],
    columns: Sequence[str] = ("precision", "recall", "f1", "average_precision", "support", "predicted"),
) -> Block:
    """Return the per-label table of the command line: columns that a label has a score for, those asked for first."""
    found = dict.fromkeys(name for scores in per_label.values() for name in scores)
    columns = [*(name for name in columns if name in found), *(name for name in found if name not in columns)]
    rows = tuple((name, *(number(scores.get(column)) for column in columns)) for name, scores in per_label.items())
    return Block(headers=("label", *columns), rows=rows)


def _aligned(cell: str, width: int) -> str:
    numeric = cell.replace(".", "", 1).replace("-", "", 1).replace(",", "").isdigit()
    return cell.rjust(width) if numeric else cell.ljust(width)
