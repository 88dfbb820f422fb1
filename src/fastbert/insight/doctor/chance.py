"""How sure a count is: the few formulas of statistics that the checks need, without SciPy.

Knows nothing of rows or labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist


def wilson_low(hits: int, total: int, z: float = 1.96) -> float:
    """Return the lower end of the Wilson score interval of a share (Wilson 1927); z: 1.96 for 95 %.

    >>> round(wilson_low(98, 100), 3), wilson_low(0, 0)
    (0.93, 0.0)
    """
    if total == 0:
        return 0.0
    share = hits / total
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max((share + z * z / (2 * total) - spread) / (1 + z * z / total), 0.0)


def one_sided_z(level: float) -> float:
    """Return the z that a standard normal variable exceeds with a probability.

    >>> round(one_sided_z(0.025), 2)
    1.96
    """
    return NormalDist().inv_cdf(1 - level)


def chi_square(table: Sequence[Sequence[int]]) -> tuple[float, float]:
    """Return the statistic of Pearson's test of independence and its p value; empty rows and columns do not count.

    With one degree of freedom the p value is exact, else by the cube-root transformation of Wilson & Hilferty 1931,
    right to 0.001 or so.

    >>> statistic, p = chi_square([[20, 30], [30, 20]])
    >>> round(statistic, 2), round(p, 3)
    (4.0, 0.046)
    """
    rows = [sum(row) for row in table]
    columns = [sum(column) for column in zip(*table, strict=True)]
    total = sum(rows)
    degrees = (sum(map(bool, rows)) - 1) * (sum(map(bool, columns)) - 1)
    if degrees < 1:
        return 0.0, 1.0
    statistic = sum(
        (count - row * column / total) ** 2 / (row * column / total)
        for cells, row in zip(table, rows, strict=True)
        for count, column in zip(cells, columns, strict=True)
        if row and column
    )
    if degrees == 1:
        return statistic, math.erfc(math.sqrt(statistic / 2))
    spread = 2 / (9 * degrees)
    z = ((statistic / degrees) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return statistic, 0.5 * math.erfc(z / math.sqrt(2))


def likelihood_z(hits: int, total: int, hits_else: int, total_else: int) -> float:
    """Return how surely a word is more frequent in one group of rows than in the others, in standard errors.

    The signed root of the log-likelihood ratio of Dunning 1993, "Accurate methods for the statistics of surprise and
    coincidence". Unlike a log-odds ratio it holds where the other rows never have the word.

    hits, total: rows of the group with the word, and all.    hits_else, total_else: of the other rows.

    >>> round(likelihood_z(10, 20, 0, 20), 2), likelihood_z(5, 20, 10, 40)
    (4.15, 0.0)
    """
    rows, everything = hits + hits_else, total + total_else
    table = (
        (hits, rows * total),
        (total - hits, (everything - rows) * total),
        (hits_else, rows * total_else),
        (total_else - hits_else, (everything - rows) * total_else),
    )
    ratio = sum(count * math.log(count * everything / product) for count, product in table if count)
    sign = 1 if hits * total_else >= hits_else * total else -1
    return sign * math.sqrt(max(2 * ratio, 0.0))
