"""What the columns that are not used say of the data: do they tell the truth, do they group rows, is there time.

For tables of texts; other formats have no such columns. Knows nothing of the texts.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from fastbert.data.columns import Column
from fastbert.data.examples import ValueExample
from fastbert.data.layout import Layout
from fastbert.insight.doctor.correlation import Floats, pearson, spearman, told_variance
from fastbert.insight.doctor.findings import Finding, Severity, percent
from fastbert.insight.doctor.material import Material, Part
from fastbert.insight.doctor.recurring import (
    GROUP_WORDS,
    counts_rows,
    is_id,
    names_something,
    recurring_ids,
    shared_shares,
    value_of,
)
from fastbert.insight.doctor.times import numbers_of, times_of

# Choices of ours, of severity and silence only.
TOLD = 0.5  # share of the mistakes of guessing the commonest label that a column saves
ALIKE = 0.99  # correlation with the number to be predicted; of a category, the square of it in shares of the variance
BOTH_ALIKE = 0.9  # of ranks and of numbers: one alone may come from a single row
MOST_VALUES = 0.2  # distinct values to rows, of a column that is a category
BINS = 20  # of numbers and times, of as many rows each
MIN_ROWS = 50
MIN_PAIRS = 20  # of numbers: so near a correlation comes about by chance in 10
GROUP_MEAN = (1.5, 200.0)  # rows of a group
GROUP_LIFT = 0.2  # how much more alike the labels of a group are than those of all rows, 0 to 1
RUNS = 0.5  # of the changes of label that a random order would have
_TOLD_ADVICE: Mapping[str, tuple[str, str]] = {  # of labels, and of numbers
    "id": (
        "Rows were numbered label by label: never split by position, and give the column to no model.",
        "Rows were numbered in the order of the number: never split by position, and give the column to no model.",
    ),
    "time": (
        "Labels came at different times: a later file as --valid shows whether the model holds.",
        "The number goes with time: a later file as --valid shows whether the model holds.",
    ),
    "column": (
        "It is not given to the model; leave it so. If it is where rows came from and not another form of the label, "
        "the model may learn the source instead: mix labels within each source.",
        "It is not given to the model; leave it so: it is another form of the number, or was made from it.",
    ),
}


def column_findings(material: Material) -> list[Finding]:
    """Return what the other columns say; nothing where there are none."""
    layout, train = material.layout, material.parts["train"]
    if not isinstance(layout, Layout) or train.table is None:
        return []
    names = [name for name in (*layout.ignored, *filter(None, [layout.group])) if name in train.table.columns]
    columns = {name: Column(train.table, name) for name in names}
    times = {name: times_of(column) for name, column in columns.items()}
    findings: list[Finding] = []
    for name, column in columns.items():
        told = (_told_number if layout.kind == "number" else _told)(material, column, times[name])
        findings += [] if told is None else [told]
        if name == layout.group:
            findings += recurring_ids(material, column, "leaked_group")
        elif times[name] is not None:
            findings += _about_time(material, column)
        elif is_id(material, column):
            findings += recurring_ids(material, column)
        elif told is None:
            findings += _about_groups(material, column)
    return [*findings, *_order(material)]


# --- a column that tells the truth ------------------------------------------------------------------


def _told(material: Material, column: Column, times: list[float] | None) -> Finding | None:
    part = material.parts["train"]
    labels = [", ".join(sorted(material.truth(example))) for example in part.examples]
    values = _classes_of(column, part.indices, times or numbers_of(column.cells))
    if values is None or len(labels) < MIN_ROWS:
        return None
    right, base, total = held_out_guess(values, labels)
    if total == 0 or base == total or (right - base) / (total - base) < TOLD:
        return None
    kind = _kind_of(column, times)
    return Finding(
        f"{kind}_tells_label",
        "look",
        f"Column '{column.name}' tells the label: its value gives {percent(right / total)} of the labels of rows held "
        f"out, the commonest label alone {percent(base / total)}.",
        _TOLD_ADVICE[kind][0],
    )


def _kind_of(column: Column, times: list[float] | None) -> str:
    return "id" if column.is_identifier else "time" if times is not None else "column"


def _classes_of(column: Column, indices: Sequence[int], numbers: list[float] | None) -> list[str] | None:
    """Return the value of each row as a class: a category, or which part of the range of numbers, times or ids."""
    few = len(column.values) <= max(2, MOST_VALUES * len(indices))
    if numbers is not None and not (few and len(column.values) <= BINS):
        chosen = np.array([numbers[index] for index in indices], np.float64)
        known = chosen[~np.isnan(chosen)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else known
        places = np.searchsorted(edges, chosen, side="right").tolist()
        return ["" if math.isnan(value) else str(place) for value, place in zip(chosen, places, strict=True)]
    return [value_of(column.cells[index]) for index in indices] if few else None


def _told_number(material: Material, column: Column, times: list[float] | None) -> Finding | None:
    """Report a column that is another form of the number to be predicted, or from which it follows."""
    part = material.parts["train"]
    truths_N = np.array([one.value for one in part.examples if isinstance(one, ValueExample)], np.float64)
    numbers = times or numbers_of(column.cells)
    how = None if numbers is None else _correlated(np.array([numbers[index] for index in part.indices]), truths_N)
    if how is None and len(column.values) <= MOST_VALUES * len(part):
        share, judged = told_variance([value_of(column.cells[index]) for index in part.indices], truths_N)
        how = f"its value gives {percent(share)} of the variance" if share >= ALIKE**2 and judged >= MIN_ROWS else None
    if how is None:
        return None
    kind = _kind_of(column, times)
    sentence = f"Column '{column.name}' tells the number: {how}."
    return Finding(f"{kind}_tells_label", "look", sentence, _TOLD_ADVICE[kind][1])


def _correlated(numbers_N: Floats, truths_N: Floats) -> str | None:
    """Return in words that two series go together nearly without exception, None if they do not."""
    known_N = ~np.isnan(numbers_N)
    straight = pearson(numbers_N[known_N], truths_N[known_N])
    ranked = spearman(numbers_N[known_N], truths_N[known_N])
    low, high = sorted((abs(straight), abs(ranked)))
    rows = int(known_N.sum())
    if rows < MIN_PAIRS or rows < len(known_N) / 2 or high < ALIKE or low < BOTH_ALIKE:
        return None
    return f"over {rows:,} rows their correlation is {straight:.3f}, that of their ranks {ranked:.3f}"


def held_out_guess(values: Sequence[str], labels: Sequence[str]) -> tuple[int, int, int]:
    """Return how many labels of every other row a value tells, how many the commonest label, and how many there are.

    A value tells the label that most of the remaining rows with it have.

    >>> right, base, total = held_out_guess(["a", "b"] * 20, ["x", "y"] * 20)
    >>> right == total, base < total
    (True, True)
    """
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    order = np.random.default_rng(0).permutation(len(values)).tolist()  # rows may be sorted
    half = len(order) // 2
    for place in order[:half]:
        seen[values[place]][labels[place]] += 1
    total: Counter[str] = sum(seen.values(), Counter())
    commonest = total.most_common(1)[0][0] if total else ""
    right = base = 0
    for place in order[half:]:
        counts = seen.get(values[place])
        right += (counts.most_common(1)[0][0] if counts else commonest) == labels[place]
        base += labels[place] == commonest
    return right, base, len(order) - half


# --- groups -----------------------------------------------------------------------------------------


def _about_groups(material: Material, column: Column) -> list[Finding]:
    """Report a column whose values stand for writers, documents and the like, and lie on both sides of a split."""
    part = material.parts["train"]
    groups = [value_of(column.cells[index]) for index in part.indices]
    sizes = Counter(value for value in groups if value)
    if len(sizes) < 10 or not GROUP_MEAN[0] <= sum(sizes.values()) / len(sizes) <= GROUP_MEAN[1]:
        return []
    lift = label_lift(groups, [material.truth(example) for example in part.examples])
    named = not GROUP_WORDS.isdisjoint(column.words)
    if not named and len(material.parts) > 1:  # numbers from 0 are codes of a category as often as ids
        named = names_something(column) and not counts_rows(material, column.name)
    if lift < GROUP_LIFT and not named:
        return []
    why = f"rows of one value have the same label {percent(lift)} more often than chance" if lift >= GROUP_LIFT else ""
    shared = list(shared_shares(material, column.name, set(sizes)))
    if len(material.parts) > 1:
        if not shared:
            return []
        sentence = f"Values of column '{column.name}' are in train and {' and '.join(shared)} alike"
        advice = f"If rows of one value belong together, divide anew with --group {column.name!r}."
    else:
        sentence = f"Column '{column.name}' groups the rows: {len(sizes):,} values for {len(groups):,} rows"
        advice = f"If rows of one value belong together, train with --group {column.name!r}."
    severity: Severity = "look" if why else "note"
    return [Finding("group", severity, f"{sentence}{'; ' + why if why else ''}.", advice)]


def label_lift(groups: Sequence[str], labels: Sequence[tuple[str, ...]]) -> float:
    """Return how much more often two rows of a group have the same labels than any two rows: 0 not at all, 1 always.

    >>> label_lift(["a", "a", "b", "b"], [("x",), ("x",), ("y",), ("y",)])
    1.0
    """
    by_group: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for group, names in zip(groups, labels, strict=True):
        if group:
            by_group[group][names] += 1
    same, pairs = _agreeing(by_group.values())
    same_all, pairs_all = _agreeing([sum(by_group.values(), Counter())])
    if not pairs or not pairs_all or same_all == pairs_all:
        return 0.0
    chance = same_all / pairs_all
    return max((same / pairs - chance) / (1 - chance), 0.0)


def _agreeing(counts: Iterable[Counter[tuple[str, ...]]]) -> tuple[int, int]:
    same = pairs = 0
    for one in counts:
        total = sum(one.values())
        pairs += total * (total - 1)
        same += sum(count * (count - 1) for count in one.values())
    return same, pairs


# --- time and order ---------------------------------------------------------------------------------


def _about_time(material: Material, column: Column) -> list[Finding]:
    """Say that a random split does not measure later texts; silent where the other splits are later than train."""
    train = _range(material.parts["train"], column.name)
    if train is None:
        return []
    later, mixed = list[str](), list[str]()
    for split, part in material.parts.items():
        found = None if split == "train" else _range(part, column.name)
        if found is not None:
            (later if found[0] >= train[1] else mixed).append(split)
    if later and not mixed:
        return []
    if len(material.parts) == 1:
        sentence = f"Column '{column.name}' is a time, and a share of the rows will be held out at random."
    elif mixed:
        sentence = f"Column '{column.name}' is a time, and {' and '.join(mixed)} lie within the time of train."
    else:
        return []
    advice = "If later texts are what the model will read, put the latest rows into --valid and --test."
    return [Finding("time", "note", sentence, advice)]


def _range(part: Part, name: str) -> tuple[float, float] | None:
    if part.table is None or name not in part.table.columns:
        return None
    times = times_of(Column(part.table, name))
    known = [value for value in times or () if not math.isnan(value)]
    return (float(np.quantile(known, 0.01)), float(np.quantile(known, 0.99))) if known else None


def _order(material: Material) -> list[Finding]:
    """Report files that are sorted by label."""
    findings = []
    for split, part in material.parts.items():
        truths = [material.truth(example) for example in part.examples]
        changes, expected = label_changes(truths)
        if len(truths) >= MIN_ROWS and expected >= 10 and changes < RUNS * expected:
            findings.append(
                Finding(
                    "sorted_by_label",
                    "note",
                    f"The rows of {split} are sorted by label: it changes {changes:,} times from row to row, "
                    f"in a random order {expected:,.0f} times.",
                    "Training here draws and divides rows at random; do not cut this file by position.",
                )
            )
    return findings


def label_changes(truths: Sequence[tuple[str, ...]]) -> tuple[int, float]:
    """Return how often the label changes from row to row, and how often it would in a random order.

    >>> label_changes([("a",), ("a",), ("b",), ("b",)])
    (1, 2.0)
    """
    changes = sum(one != two for one, two in zip(truths, truths[1:], strict=False))
    total = len(truths)
    same = sum(count * (count - 1) for count in Counter(truths).values())
    return changes, (total - 1) * (1 - same / (total * (total - 1))) if total > 1 else 0.0
