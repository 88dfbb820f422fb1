"""Divide rows into a training part and a held-out part, the same way every time.

Rows with equal text stay on one side, so that no held-out text was seen in training; only the
hash of a group looks at nothing but the group. Knows nothing of files, tasks or tokens, and never
looks at a text but to compare it.
"""

# N rows, U units (rows that must stay together), C classes; one more column holds the rows without label

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fastbert.data.examples import Example
from fastbert.errors import ConfigError, DataError

SplitMethod = Literal["stratified", "grouped", "hash"]
Targets = NDArray[np.bool_] | Sequence[tuple[str, ...] | None]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MIN_ROWS_TO_HOLD_OUT = 5  # a smaller class may have no held-out row: each row is worth more in training
MAX_PASSES = 20  # over the groups: a bound; after 3 passes little is left to gain


def split_indices(
    targets: Targets,
    *,
    share: float,
    seed: int,
    method: SplitMethod = "stratified",
    groups: Sequence[str | None] | None = None,
    keys: Sequence[str] | None = None,
) -> tuple[list[int], list[int]]:
    """Return the sorted row indices of the training part and of the held-out part.

    stratified: every class, or every label of multi-label rows, is divided in proportion.
        Every label keeps a row in training; a class of 5 rows or more has one held out
        wherever `share` of all rows is enough for that.
    grouped: rows of one group stay together; label shares are kept as far as groups allow.
    hash: a row's side follows from its text alone, so it stays when rows come, go or move;
        with groups from the name of its group alone, so equal texts of two groups may be torn
        apart. Shares are kept on average only.

    targets: bool (N, C), or the label names of each row; None and () are rows without label.
    share: part of the rows to hold out, above 0 and below 1.
    groups: group of each row (methods "grouped" and "hash"); None is a group of its own.
    keys: text of each row; equal ones, after `text_key`, stay on one side.
    Raises ConfigError for a wrong option and DataError if a part would be empty.

    >>> train, held_out = split_indices([("a",)] * 8 + [("b",)] * 2, share=0.5, seed=0)
    >>> len(train), len(held_out), held_out[-1] >= 8
    (5, 5, True)
    """
    num_rows = len(targets)
    _check(num_rows, share, method, groups, keys)
    folded = None if keys is None else [text_key(key) for key in keys]
    if folded is not None and method == "hash":
        owners = groups or [None] * num_rows
        names = [key if group is None else group for key, group in zip(folded, owners, strict=True)]
        held_N = np.array([hash_share(name, seed) < share for name in names], dtype=np.bool_)
        if held_N.all() or not held_N.any():
            side = "training" if held_N.all() else "held-out"
            raise DataError(
                f"Splitting {num_rows} rows by hash with share {share} leaves the {side} part empty.",
                "Use the split method 'stratified', another share, or more rows.",
            )
        return _indices(held_N)

    cells = Cells.count(targets, row_units(num_rows, folded, groups))
    if len(cells.sizes_U) < 2:
        raise DataError(
            f"The {num_rows} rows cannot be split: they all have the same text or belong to one group.",
            "Give a separate validation file, or group by another column.",
        )
    if method == "grouped":
        hold_out = _hold_out_groups
    else:
        hold_out = _hold_out_by_class if cells.single else _hold_out_by_labels
    held_U = hold_out(cells, share, np.random.default_rng(seed))
    _keep_labels_in_training(cells, held_U)
    _leave_no_side_empty(cells, held_U)
    return _indices(held_U[cells.units_N])


def text_key(text: str, pair: str | None = None) -> str:
    r"""Return what makes two texts equal: Unicode NFC, each run of white space as one space.

    Case and punctuation count. Two texts of a pair are joined by a NUL.

    >>> text_key("  two  lines\n") == text_key("two lines")
    True
    """
    folded = " ".join(unicodedata.normalize("NFC", text).split())
    return folded if pair is None else f"{folded}\0{text_key(pair)}"


def hash_share(key: str, seed: int) -> float:
    """Return a number in [0, 1) that depends on the key and the seed alone (BLAKE2b, 8 bytes).

    >>> hash_share("some text", 0) == hash_share("some text", 0) != hash_share("some text", 1)
    True
    """
    content = f"{seed}\0{key}".encode("utf-8", errors="surrogatepass")
    # 53 bits are what a float holds: with 64 the largest values would round up to 1.0
    return (int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big") >> 11) / 2**53


def _check(
    num_rows: int,
    share: float,
    method: str,
    groups: Sequence[str | None] | None,
    keys: Sequence[str] | None,
) -> None:
    if not 0 < share < 1:
        raise ConfigError(f"The share to hold out is {share}; it must lie between 0 and 1, such as 0.2.")
    if method not in ("stratified", "grouped", "hash"):
        raise ConfigError(f"Split method '{method}' is not one of stratified, grouped, hash.")
    if method == "grouped" and groups is None:
        raise ConfigError("Split method 'grouped' needs a group for each row.", "Name the group column.")
    if method == "stratified" and groups is not None:
        raise ConfigError("Split method 'stratified' would tear groups apart.", "Use the split method 'grouped'.")
    if method == "hash" and keys is None:
        raise ConfigError("Split method 'hash' needs the text of each row.", "Give the texts as keys.")
    for name, values in (("groups", groups), ("keys", keys)):
        if values is not None and len(values) != num_rows:
            raise ValueError(f"{name} has {len(values)} entries for {num_rows} rows")
    if num_rows < 2:
        raise DataError(f"A table of {num_rows} rows cannot be split.", "Give a separate validation file.")


def _indices(held_N: Mask) -> tuple[list[int], list[int]]:
    return np.flatnonzero(~held_N).tolist(), np.flatnonzero(held_N).tolist()


# --- units and their labels -------------------------------------------------------------------------


def row_units(num_rows: int, keys: Sequence[str] | None, groups: Sequence[str | None] | None) -> Ints:
    """Return the unit of each row, in order of appearance; rows linked by key or group share one."""
    parents = list(range(num_rows))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    links: list[Sequence[Hashable]] = [values for values in (keys, groups) if values is not None]
    for values in links:
        first: dict[Hashable, int] = {}
        for row, value in enumerate(values):
            if value is None:
                continue
            here, there = root(row), root(first.setdefault(value, row))
            parents[max(here, there)] = min(here, there)
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(root(row), len(numbers)) for row in range(num_rows)], dtype=np.int64)


def example_units(examples: Sequence[Example]) -> Ints:
    """Return the unit of each example, from 0: those of one group, or with one text, are right or wrong together.

    Where all are of one group, it tells none from another, and only texts do.
    """
    groups = [example.group for example in examples]
    keys = [text_key(example.text, example.pair) for example in examples]
    return row_units(len(examples), keys, None if len(set(groups)) == 1 else groups)


@dataclass(frozen=True)
class Cells:
    """How many rows of each label are in each unit: the cells of a sparse table, sorted by unit.

    The last label counts the rows without label: they are spread like a label.
    single: no row has two labels.
    """

    # K cells that are not zero
    units_N: Ints
    units_K: Ints
    labels_K: Ints
    counts_K: Ints
    sizes_U: Ints  # rows of each unit
    rows_C: Ints  # rows of each label
    single: bool

    @classmethod
    def count(cls, targets: Targets, units_N: Ints) -> Cells:
        """Count the labels of each unit. units_N: unit of each row, as `row_units` returns it."""
        rows, labels, num_labels = _label_pairs(targets)
        per_row_N = np.bincount(rows, minlength=len(units_N))
        unlabeled = np.flatnonzero(per_row_N == 0)
        rows = np.concatenate([rows, unlabeled])
        labels = np.concatenate([labels, np.full(len(unlabeled), num_labels, dtype=np.int64)])
        codes_K, counts_K = np.unique(units_N[rows] * (num_labels + 1) + labels, return_counts=True)
        return cls(
            units_N=units_N,
            units_K=codes_K // (num_labels + 1),
            labels_K=codes_K % (num_labels + 1),
            counts_K=counts_K,
            sizes_U=np.bincount(units_N),
            rows_C=np.bincount(labels, minlength=num_labels + 1),
            single=bool((per_row_N <= 1).all()),
        )

    def main_labels(self) -> Ints:
        """Return the label of each unit: the majority where equal texts have different labels."""
        order = np.lexsort((self.labels_K, -self.counts_K, self.units_K))
        _, first = np.unique(self.units_K[order], return_index=True)
        labels_U: Ints = self.labels_K[order][first]
        return labels_U


def _label_pairs(targets: Targets) -> tuple[Ints, Ints, int]:
    """Return the row and the label id of each label that a row has, and the number of labels."""
    if isinstance(targets, np.ndarray):
        rows, labels = np.nonzero(targets)
        return rows, labels, targets.shape[1]
    names = sorted({name for row in targets for name in row or ()})
    ids = {name: index for index, name in enumerate(names)}
    pairs = [(index, ids[name]) for index, row in enumerate(targets) for name in sorted(set(row or ()))]
    pairs_K2 = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return pairs_K2[:, 0], pairs_K2[:, 1], len(names)


# --- one label a row --------------------------------------------------------------------------------


def _hold_out_by_class(cells: Cells, share: float, rng: np.random.Generator) -> Mask:
    """Fill each class's quota of held-out rows with its units, in random order."""
    classes_U = cells.main_labels()
    rows_C = np.bincount(classes_U, cells.sizes_U).astype(np.int64)
    free_C = _quotas(rows_C, share).tolist()
    unserved = {label for label, quota in enumerate(free_C) if quota > 0}
    held_U = np.zeros(len(classes_U), dtype=np.bool_)
    order = rng.permutation(len(classes_U))
    for unit in order.tolist():
        label, size = int(classes_U[unit]), int(cells.sizes_U[unit])
        if size <= free_C[label]:
            held_U[unit] = True
            free_C[label] -= size
            unserved.discard(label)
    for label in sorted(unserved):  # every unit of these classes is larger than the quota
        members = order[classes_U[order] == label]
        if len(members) > 1:
            held_U[members[cells.sizes_U[members].argmin()]] = True
    return held_U


def _quotas(rows_C: Ints, share: float) -> Ints:
    """Return the rows to hold out of each class: largest remainders between two bounds.

    A class keeps a row in training. A class of MIN_ROWS_TO_HOLD_OUT has one held out,
    unless that would exceed `share` of all rows.
    """
    wanted = round(int(rows_C.sum()) * share)
    most_C = np.maximum(rows_C - 1, 0)
    least_C = np.minimum((rows_C >= MIN_ROWS_TO_HOLD_OUT).astype(np.int64), most_C)
    if least_C.sum() > wanted:
        least_C[:] = 0
    ideal_C = rows_C * share
    quotas_C: Ints = np.clip(np.floor(ideal_C).astype(np.int64), least_C, most_C)
    while quotas_C.sum() > wanted and (quotas_C > least_C).any():
        excess_C = np.where(quotas_C > least_C, quotas_C - ideal_C, -np.inf)
        quotas_C[_largest(excess_C, int(quotas_C.sum()) - wanted)] -= 1
    while quotas_C.sum() < wanted and (quotas_C < most_C).any():
        remainder_C = np.where(quotas_C < most_C, ideal_C - quotas_C, -np.inf)
        quotas_C[_largest(remainder_C, wanted - int(quotas_C.sum()))] += 1
    return quotas_C


def _largest(values: Floats, count: int) -> Ints:
    """Return the positions of the `count` largest finite values; of equal ones, the first."""
    positions: Ints = np.argsort(-values, kind="stable")[:count]
    finite: Ints = positions[np.isfinite(values[positions])]
    return finite


# --- several labels a row ---------------------------------------------------------------------------


def _hold_out_by_labels(cells: Cells, share: float, rng: np.random.Generator) -> Mask:
    """Divide multi-label units by iterative stratification.

    Sechidis, Tsoumakas & Vlahavas, "On the stratification of multi-label data", ECML PKDD
    2011, algorithm 1, with two subsets: the rarest label first, each row to the subset that
    still wants most of that label, ties to the one that wants most rows, then at random.
    A unit of several rows counts as many, and large units come first.
    """
    shares = (1 - share, share)  # training, held out
    wanted_SC = [(part * cells.rows_C).tolist() for part in shares]
    wanted_S = [part * int(cells.sizes_U.sum()) for part in shares]
    num_units = len(cells.sizes_U)
    rank_U = np.empty(num_units, dtype=np.int64)
    rank_U[np.lexsort((rng.permutation(num_units), -cells.sizes_U))] = np.arange(num_units)
    coins_U, sizes_U = rng.integers(2, size=num_units).tolist(), cells.sizes_U.tolist()
    labels_of, units_of = both_ways(cells, rank_U)
    left_C = cells.rows_C.tolist()
    side_U = [-1] * num_units
    while any(left_C):
        rarest = min((label for label, left in enumerate(left_C) if left), key=left_C.__getitem__)
        for unit in units_of[rarest]:
            if side_U[unit] >= 0:
                continue
            needs = [(wanted_SC[side][rarest], wanted_S[side], coins_U[unit] == side) for side in (0, 1)]
            side_U[unit] = side = int(needs[1] > needs[0])
            wanted_S[side] -= sizes_U[unit]
            for label, count in labels_of[unit]:
                wanted_SC[side][label] -= count
                left_C[label] -= count
    held_U: Mask = np.array(side_U) == 1
    return held_U


def both_ways(cells: Cells, rank_U: Ints) -> tuple[list[list[tuple[int, int]]], list[list[int]]]:
    """Return the (label, rows) pairs of each unit, and the units of each label by rank."""
    labels_of: list[list[tuple[int, int]]] = [[] for _ in cells.sizes_U]
    units_of: list[list[int]] = [[] for _ in cells.rows_C]
    order = np.argsort(rank_U[cells.units_K], kind="stable")
    columns = (cells.units_K, cells.labels_K, cells.counts_K)
    for unit, label, count in zip(*(column[order].tolist() for column in columns), strict=True):
        labels_of[unit].append((label, count))
        units_of[label].append(unit)
    return labels_of, units_of


# --- groups -----------------------------------------------------------------------------------------


def _hold_out_groups(cells: Cells, share: float, rng: np.random.Generator) -> Mask:
    """Choose groups greedily, large ones first, then change single ones while that helps.

    The cost is the squared distance of the held-out rows from their target, for each label
    and for all rows, as a part of that label's rows.
    """
    num_units, num_labels = len(cells.sizes_U), len(cells.rows_C)
    parts = np.zeros((num_units, num_labels + 1))
    parts[cells.units_K, cells.labels_K] = cells.counts_K / cells.rows_C[cells.labels_K]
    parts[:, -1] = cells.sizes_U / cells.sizes_U.sum()
    parts[:, -1] *= np.sqrt(num_labels)  # the number of rows weighs as much as all labels together
    gap = share * parts.sum(axis=0)  # what is still missing
    order = np.lexsort((rng.permutation(num_units), -cells.sizes_U)).tolist()
    held_U = np.zeros(num_units, dtype=np.bool_)
    for unit in order:
        if parts[unit, -1] <= gap[-1] and _cost(gap - parts[unit]) < _cost(gap):
            held_U[unit] = True
            gap = gap - parts[unit]
    for _ in range(MAX_PASSES):
        changed = False
        for unit in order:
            changed_gap = gap + parts[unit] if held_U[unit] else gap - parts[unit]
            if _cost(changed_gap) < _cost(gap) * (1 - 1e-6):  # not for a rounding error
                held_U[unit] = not held_U[unit]
                gap, changed = changed_gap, True
        if not changed:
            break
    return held_U


def _cost(gap: Floats) -> float:
    return float(gap @ gap)


# --- repairs ----------------------------------------------------------------------------------------


def _keep_labels_in_training(cells: Cells, held_U: Mask) -> None:
    """Move a held-out unit to training, in place, for each label that training lacks."""
    trained_K = ~held_U[cells.units_K]
    trained_C = np.bincount(cells.labels_K[trained_K], minlength=len(cells.rows_C))
    missing_C = (trained_C == 0) & (cells.rows_C > 0)
    for label in np.flatnonzero(missing_C[:-1]).tolist():  # the last one means "no label"
        holders = cells.units_K[cells.labels_K == label]
        if held_U[holders].all():  # else an earlier repair brought this label along
            held_U[holders[cells.sizes_U[holders].argmin()]] = False


def _leave_no_side_empty(cells: Cells, held_U: Mask) -> None:
    """Move one unit, in place, if a side has none: one with common labels, and a small one."""
    if held_U.all() or not held_U.any():
        rarest_U = np.full(len(held_U), len(cells.units_N))
        np.minimum.at(rarest_U, cells.units_K, cells.rows_C[cells.labels_K])
        best = np.lexsort((cells.sizes_U, -rarest_U))[0]
        held_U[best] = not held_U[best]
