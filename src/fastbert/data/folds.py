"""Divide rows into folds, the same way every time: each row is held out once, with all that must stay with it.

What must stay together, what is kept in proportion and the three methods are those of `splits`. Knows nothing of
files, tasks or tokens, and never looks at a text but to compare it.
"""

# N rows, U units (rows that must stay together), C classes, F folds, P parts that folds should have equal shares of

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastbert.data.splits import (
    MAX_PASSES,
    Cells,
    Ints,
    SplitMethod,
    Targets,
    both_ways,
    hash_share,
    row_units,
    text_key,
)
from fastbert.errors import ConfigError, DataError

MOST_FOLDS = 100


def fold_indices(
    targets: Targets,
    *,
    folds: int,
    seed: int,
    method: SplitMethod = "stratified",
    groups: Sequence[str | None] | None = None,
    keys: Sequence[str] | None = None,
) -> Ints:
    """Return the fold of each row, int64 (N,), counted from 0; every fold has a row.

    stratified, grouped, hash; targets, groups, keys: as in `split_indices`. With "stratified" the rows of each label
    are dealt out in equal numbers, but for one, as far as rows with several labels and equal texts allow.
    A label that only one text or group has is in one fold, and the others are all it is learned from.
    Raises ConfigError for a wrong number of folds, DataError where there are fewer units than folds.

    >>> sorted(fold_indices([("a",)] * 6 + [("b",)] * 3, folds=3, seed=0)[-3:].tolist())
    [0, 1, 2]
    """
    check_folds(folds)
    folded = None if keys is None else [text_key(key) for key in keys]
    if method == "hash" and folded is not None:
        owners = groups or [None] * len(targets)
        names = [key if group is None else group for key, group in zip(folded, owners, strict=True)]
        # salted: the validation share of what is left goes by the hash of the same texts
        fold_N = np.array([int(hash_share(f"fold\0{name}", seed) * folds) for name in names], dtype=np.int64)
        return _without_empty(fold_N, folds)
    cells = Cells.count(targets, row_units(len(targets), folded, groups))
    num_units = len(cells.sizes_U)
    if num_units < folds:
        alike = "texts" if groups is None else "groups"
        raise DataError(
            f"The {len(targets):,} rows cannot be divided into {folds} folds: there are {num_units} different {alike}, "
            "and one is never divided.",
            f"Use at most {num_units} folds." if num_units > 1 else "Give more rows, or group by another column.",
        )
    rng = np.random.default_rng(seed)
    fold_U = _deal_groups(cells, folds, rng) if method == "grouped" else _deal_by_labels(cells, folds, rng)
    _spread_labels(cells, fold_U, folds)
    return _without_empty(fold_U[cells.units_N], folds)


def check_folds(folds: int) -> None:
    """Raise ConfigError for a number of folds that cannot be."""
    if isinstance(folds, bool) or not isinstance(folds, int) or not 2 <= folds <= MOST_FOLDS:
        raise ConfigError(f"folds is {folds!r}; it must be a whole number from 2 to {MOST_FOLDS}.", "5 is usual.")


def _deal_by_labels(cells: Cells, folds: int, rng: np.random.Generator) -> Ints:
    """Deal units out by iterative stratification.

    Sechidis, Tsoumakas & Vlahavas, "On the stratification of multi-label data", ECML PKDD 2011, algorithm 1: the
    rarest label first, each row to the fold that still wants most of that label, ties to the one that wants most rows,
    then at random. A unit of several rows counts as many, and large units come first.
    """
    num_units = len(cells.sizes_U)
    # in rows times folds, so that all are whole numbers and equal wants are equal
    wanted_FC = [cells.rows_C.tolist() for _ in range(folds)]
    wanted_F = [int(cells.sizes_U.sum())] * folds
    rank_U = np.empty(num_units, dtype=np.int64)
    rank_U[np.lexsort((rng.permutation(num_units), -cells.sizes_U))] = np.arange(num_units)
    coins_UF, sizes_U = rng.random((num_units, folds)).tolist(), cells.sizes_U.tolist()
    labels_of, units_of = both_ways(cells, rank_U)
    left_C = cells.rows_C.tolist()
    fold_U = [-1] * num_units
    while any(left_C):
        rarest = min((label for label, left in enumerate(left_C) if left), key=left_C.__getitem__)
        for unit in units_of[rarest]:
            if fold_U[unit] >= 0:
                continue
            wants = [(wanted_FC[fold][rarest], wanted_F[fold], coins_UF[unit][fold]) for fold in range(folds)]
            fold_U[unit] = chosen = wants.index(max(wants))
            wanted_F[chosen] -= folds * sizes_U[unit]
            for label, count in labels_of[unit]:
                wanted_FC[chosen][label] -= folds * count
                left_C[label] -= count
    return np.array(fold_U, dtype=np.int64)


def _deal_groups(cells: Cells, folds: int, rng: np.random.Generator) -> Ints:
    """Deal groups out greedily, large ones first, then move single ones while that helps.

    The cost is the squared distance of each fold from an equal share, for each label and for all rows, as a part of
    that label's rows: it is least where a unit goes to the fold that has least of what the unit has.
    """
    num_units, num_labels = len(cells.sizes_U), len(cells.rows_C)
    parts_UP = np.zeros((num_units, num_labels + 1))
    parts_UP[cells.units_K, cells.labels_K] = cells.counts_K / cells.rows_C[cells.labels_K]
    parts_UP[:, -1] = cells.sizes_U / cells.sizes_U.sum()
    parts_UP[:, -1] *= np.sqrt(num_labels)  # the number of rows weighs as much as all labels together
    order = np.lexsort((rng.permutation(num_units), -cells.sizes_U)).tolist()
    load_FP = np.zeros((folds, num_labels + 1))
    fold_U = np.full(num_units, -1, dtype=np.int64)
    for _ in range(MAX_PASSES):
        changed = False
        for unit in order:
            before = int(fold_U[unit])
            if before >= 0:
                load_FP[before] -= parts_UP[unit]
            cost_F = load_FP @ parts_UP[unit]
            best = int(cost_F.argmin())
            if before >= 0 and cost_F[before] <= cost_F[best] + 1e-12:  # not for a rounding error
                best = before
            load_FP[best] += parts_UP[unit]
            fold_U[unit], changed = best, changed or best != before
        if not changed:
            break
    return fold_U


def _spread_labels(cells: Cells, fold_U: Ints, folds: int) -> None:
    """Move a unit, in place, of each label that lies in one fold alone though it has several units."""
    for label in range(len(cells.rows_C) - 1):  # the last one means "no label"
        holders = cells.units_K[cells.labels_K == label]
        if len(holders) > 1 and len(set(fold_U[holders].tolist())) == 1:
            rows_F = np.bincount(fold_U, cells.sizes_U, minlength=folds)
            rows_F[fold_U[holders[0]]] = np.inf
            fold_U[holders[cells.sizes_U[holders].argmin()]] = int(rows_F.argmin())


def _without_empty(fold_N: Ints, folds: int) -> Ints:
    """Return the folds as they are. Raises DataError if one is empty."""
    empty = np.flatnonzero(np.bincount(fold_N, minlength=folds) == 0)
    if len(empty):
        raise DataError(
            f"Dividing {len(fold_N):,} rows into {folds} folds leaves {len(empty)} of them empty.",
            "Use fewer folds, or the split method 'stratified'.",
        )
    return fold_N
