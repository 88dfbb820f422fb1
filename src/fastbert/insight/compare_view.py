"""A comparison for a terminal: scores, differences, each label, cost, and the outcome in sentences.

Names and numbers only, no text of a row. Knows nothing of how they were computed.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastbert.display import Block, View, number
from fastbert.insight.compare import Comparison, Duel
from fastbert.insight.cost import Cost
from fastbert.metrics.paired import Interval

MARK = "*"


def comparison_view(comparison: Comparison, costs: Sequence[Cost] = ()) -> View:
    """Return everything but rows."""
    blocks = [_scores(comparison), *([_differences(comparison)] if comparison.duels else [])]
    blocks += [block for block in (_labels(comparison), _costs(costs)) if block is not None]
    return View((*blocks, Block("Outcome", outcome(comparison))))


def outcome(comparison: Comparison) -> tuple[str, ...]:
    """Return the verdicts, and what they do not cover."""
    found = [duel.verdict for duel in comparison.duels]
    found += [comparison.basis] if comparison.basis else []
    if len(comparison.duels) > 1:
        found.append(
            f"'Better' and 'worse' hold for all {len(comparison.duels)} comparisons together (Bonferroni); intervals "
            "are those of one."
        )
    if comparison.duels:
        found.append(
            "Intervals (95 %) are about the choice of these rows. Another seed of training may change as much: "
            "train each twice before you decide by a small difference."
        )
    return tuple(found)


def label_note(comparison: Comparison) -> str:
    """Return what the marks at labels mean, and how many to expect by chance."""
    count = sum(len(duel.labels) for duel in comparison.duels)
    by_chance = (
        f"; of {count} such differences about {max(1, round(count / 20))} is so by chance" if count >= 10 else ""
    )
    return f"{MARK} the 95 % interval of the difference leaves out 0{by_chance}."


def won_note(comparison: Comparison) -> str:
    """Return what rows won and lost are."""
    if any(duel.test is not None for duel in comparison.duels):
        return "Won, lost: rows that only one of the two has right."
    return "Won, lost: rows where one of the two is nearer, by more than a tenth of a deviation."


def shown_interval(one: Interval | None, value: float | None, *, sign: bool = False) -> str:
    """Return a number with its interval, "-" for none.

    >>> shown_interval(Interval(0.5, 0.41, 0.6), 0.5), shown_interval(None, 0.5)
    ('0.5000 [0.4100, 0.6000]', '0.5000')
    """
    form = "+.4f" if sign else ".4f"
    if value is None:
        return "-"
    if one is None or one.low != one.low:  # NaN
        return format(value, form)
    return f"{format(value, form)} [{format(one.low, form)}, {format(one.high, form)}]"


def p_text(p_value: float | None) -> str:
    """Return a p-value for people.

    >>> p_text(0.0321), p_text(1e-9), p_text(None)
    ('0.032', '< 0.001', '-')
    """
    if p_value is None:
        return "-"
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def size_text(size_bytes: int | None) -> str:
    """Return a size in megabytes."""
    return "-" if size_bytes is None else f"{size_bytes / 1e6:,.1f} MB"


def _scores(comparison: Comparison) -> Block:
    names = comparison.headlines
    rows = tuple(
        (one.name, *(shown_interval(one.intervals.get(name), one.scores.get(name)) for name in names))
        for one in comparison.standings
    )
    return Block(f"Scores on {comparison.rows:,} rows, with 95 % intervals", (), ("model", *names), rows)


def _differences(comparison: Comparison) -> Block:
    names = [name for name in comparison.headlines if any(name in duel.differences for duel in comparison.duels)]
    rows = tuple((duel.name, *(_difference(duel, name) for name in names), *_rows(duel)) for duel in comparison.duels)
    headers = ("model", *names, "won", "lost", "McNemar p")
    lines = (f"{MARK} told apart from {comparison.against}. {won_note(comparison)}",)
    return Block(f"Differences to {comparison.against}", lines, headers, rows)


def _difference(duel: Duel, name: str) -> str:
    found = duel.differences.get(name)
    if found is None:
        return "-"
    return shown_interval(found, found.value, sign=True) + (f" {MARK}" if found.told_apart else "")


def _rows(duel: Duel) -> tuple[str, str, str]:
    return f"{len(duel.won):,}", f"{len(duel.lost):,}", p_text(duel.p_value)


def _labels(comparison: Comparison) -> Block | None:
    names = list(dict.fromkeys(name for one in comparison.standings for name in one.per_label))
    if not names:
        return None
    rows = []
    for label in names:
        known = [one.per_label.get(label, {}) for one in comparison.standings]
        support = next((scores["support"] for scores in known if scores.get("support") is not None), 0)
        cells = [label, number(support), *(number(scores.get("f1"), 3) for scores in known)]
        rows.append((*cells, *(_label_difference(duel, label) for duel in comparison.duels)))
    headers = (
        *("label", "rows" if comparison.task != "tagging" else "entities"),
        *(one.name for one in comparison.standings),
        *(f"{duel.name} - {duel.against}" for duel in comparison.duels),
    )
    lines = (label_note(comparison),) if comparison.duels else ()
    return Block("F1 of each label", lines, headers, tuple(rows))


def _label_difference(duel: Duel, label: str) -> str:
    found = duel.labels.get(label)
    return "-" if found is None else f"{found.value:+.3f}" + (f" {MARK}" if found.told_apart else "")


def _costs(costs: Sequence[Cost]) -> Block | None:
    if not costs:
        return None
    rows = tuple(
        (
            one.name,
            f"{one.ms_per_text:.2f}",
            f"{one.texts_per_second:,.0f}",
            size_text(one.size_bytes),
            "-" if one.num_parameters is None else f"{one.num_parameters:,}",
        )
        for one in costs
    )
    headers = ("model", "ms for one text", "texts/s in a batch", "on disk", "parameters")
    return Block("Cost, measured here in turn", (), headers, rows)
