"""Which vectors are near each other: all pairs above a limit, or the nearest few, by plain products in blocks.

Exact, and quick enough for some hundred thousand rows; an index would be needed beyond. Knows nothing of texts.

Axes: N and M rows of the two sides, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastbert.errors import DataError

Vectors = npt.NDArray[np.float32]
BLOCK = 2048  # rows: a block of products takes 16 MB
ROUNDING = 1e-6  # of a product of unit vectors in float32: a vector times itself is often 0.9999999
MOST_PAIRS = 1_000_000  # more cannot be looked at; they would mean that the limit is too low


@dataclass(frozen=True)
class Pairs:
    """Pairs of near rows, by falling similarity. first, second: row numbers.    similarity: cosine, float32."""

    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    similarity: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.first)


def similar_pairs(
    vectors_ND: Vectors, others_MD: Vectors | None = None, *, least: float, most: int = MOST_PAIRS
) -> Pairs:
    """Return the pairs whose product is at least `least`: of a row with any of others, or of two rows of one table.

    It may be less by ROUNDING, so that 1 finds equal vectors. Vectors have length 1; each pair of one table is named
    once, with the smaller row first.
    Raises DataError where there are more than `most`.
    """
    found: list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float32]]] = []
    targets_MD = vectors_ND if others_MD is None else others_MD
    count = 0
    for start in range(0, len(vectors_ND), BLOCK):
        rows_BD = vectors_ND[start : start + BLOCK]
        for begin in range(start if others_MD is None else 0, len(targets_MD), BLOCK):
            products_BB = rows_BD @ targets_MD[begin : begin + BLOCK].T
            near_BB = products_BB >= least - ROUNDING
            if others_MD is None and begin == start:
                near_BB &= np.triu(np.ones(near_BB.shape, np.bool_), 1)  # a row is always like itself
            one, two = np.nonzero(near_BB)
            found.append((one + start, two + begin, products_BB[one, two]))
            count += len(one)
            if count > most:
                raise DataError(
                    f"More than {most:,} pairs have a similarity of at least {least:g}.",
                    "Ask for more with --least, and leave out rows whose text repeats another's.",
                )
    if not found:
        nothing = np.zeros(0, np.intp)
        return Pairs(nothing, nothing, np.zeros(0, np.float32))
    first, second, similarity = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((second, first, -similarity))
    return Pairs(first[order], second[order], np.clip(similarity[order], -1.0, 1.0))


def nearest(
    vectors_ND: Vectors, others_MD: Vectors, *, most: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """Return the nearest others of each row, and their products, by falling product: (N, K) each.

    K is `most`, or fewer where there are not so many others. Vectors have length 1; of equals the first comes first.

    >>> nearest(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32)[::-1], most=1)[0].tolist()
    [[1], [0]]
    """
    count = min(max(0, most), len(others_MD))
    rows_NK = np.zeros((len(vectors_ND), count), np.intp)
    similarity_NK = np.zeros((len(vectors_ND), count), np.float32)
    for start in range(0, len(vectors_ND), BLOCK):
        part = slice(start, start + BLOCK)
        products_BM = np.clip(vectors_ND[part] @ others_MD.T, -1.0, 1.0)
        rows_NK[part] = np.argsort(-products_BM, axis=1, kind="stable")[:, :count]
        similarity_NK[part] = np.take_along_axis(products_BM, rows_NK[part], axis=1)
    return rows_NK, similarity_NK
