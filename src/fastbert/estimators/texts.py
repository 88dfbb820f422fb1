"""What scikit-learn calls X, read as texts: lists, arrays, series and frames, of one text or of two a row.

Knows nothing of tokens, of y or of models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast, runtime_checkable

import numpy as np

from fastbert.errors import DataError

NUM_ROWS_NAMED = 5


class ArrayError(DataError, ValueError):
    """An X or y that cannot be used; a ValueError too, which scikit-learn's callers expect."""


@dataclass(frozen=True)
class Texts:
    """The rows of an X. pairs: the second texts, None where rows have one.    names: of its columns, () if it has none.

    len(texts) is the number of rows; every text is a str.
    """

    texts: Sequence[str]
    pairs: Sequence[str] | None = None
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def num_columns(self) -> int:
        """Return 1, or 2 for pairs."""
        return 1 if self.pairs is None else 2

    def rows(self) -> list[str | tuple[str, str]]:
        """Return the rows as a predictor takes them."""
        return list(self.texts) if self.pairs is None else list(zip(self.texts, self.pairs, strict=True))

    def blank_rows(self) -> list[int]:
        """Return the rows, from 0, where a text is empty or nothing but blanks."""
        columns = [self.texts] if self.pairs is None else [self.texts, self.pairs]
        return sorted({row for column in columns for row, text in enumerate(column) if not text.strip()})


@runtime_checkable
class _Convertible(Protocol):
    def to_numpy(self) -> object: ...


def read_texts(X: object) -> Texts:
    """Return the texts of an X.

    X: a list, tuple, 1-d array or Series of texts; or two texts a row: a list of tuples, an array of two columns, a
        DataFrame of two. One column is a text alone. pandas and polars need not be installed.
    Raises ArrayError for anything else, and for rows without text, naming them from 0.

    >>> read_texts(["one", "two"]).rows(), read_texts([("a", "b")]).rows()
    (['one', 'two'], [('a', 'b')])
    """
    if isinstance(X, str | bytes):
        raise ArrayError("X is a single text; expected one text for each row.", "Put it in a list: [text].")
    names = _column_names(X)
    columns = _columns(X)
    if not columns or not len(columns[0]):
        raise ArrayError("X has 0 rows; a minimum of 1 is required.", "Give at least one text.")
    texts = [_texts_of(column, place if len(columns) > 1 else None) for place, column in enumerate(columns)]
    return Texts(texts[0], texts[1] if len(texts) > 1 else None, names)


def listed_rows(rows: Sequence[int]) -> str:
    """Return "row 3" or "rows 0, 3, 4, 7, 8, ...", for messages.

    >>> listed_rows([3]), listed_rows(range(7))
    ('row 3', 'rows 0, 1, 2, 3, 4, ...')
    """
    more = ", ..." if len(rows) > NUM_ROWS_NAMED else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {', '.join(map(str, rows[:NUM_ROWS_NAMED]))}{more}"


def is_missing(cell: object) -> bool:
    """Return True for None, NaN, and the missing values of pandas."""
    return (
        cell is None or (isinstance(cell, float) and math.isnan(cell)) or type(cell).__name__ in ("NAType", "NaTType")
    )


def _column_names(X: object) -> tuple[str, ...]:
    """Return the names of a frame's columns, () if there are none or one of them is no text."""
    names = tuple(getattr(X, "columns", ()))
    return tuple(map(str, names)) if all(isinstance(name, str) for name in names) else ()


def _columns(X: object) -> list[Sequence[object]]:
    """Return the one or two columns of an X."""
    if hasattr(X, "toarray"):
        raise ArrayError(
            "X is a sparse matrix; expected texts.", "Leave the vectorizer out: the model reads text itself."
        )
    if isinstance(X, _Convertible):  # pandas, polars, pyarrow
        X = X.to_numpy()
    elif hasattr(X, "__array__"):
        X = np.asarray(X)
    if isinstance(X, np.ndarray):
        return _columns_of_array(X)
    if not isinstance(X, Sequence):
        raise ArrayError(
            f"X is of type {type(X).__name__}; expected texts.",
            "Give a list, an array, a Series of texts, or a DataFrame of one or two columns of text.",
        )
    if not any(isinstance(row, list | tuple | np.ndarray) for row in X):
        return [X]
    widths = {len(row) if isinstance(row, list | tuple | np.ndarray) else 0 for row in X}
    if len(widths) > 1:
        raise ArrayError("The rows of X differ in length; expected one text a row, or two in each.")
    _check_width(widths.pop())
    return [list(column) for column in zip(*cast("Sequence[Sequence[object]]", X), strict=True)]


def _columns_of_array(X: np.ndarray) -> list[Sequence[object]]:
    if X.ndim == 1:
        return [X.tolist()]
    if X.ndim != 2:
        raise ArrayError(f"X has {X.ndim} dimensions; expected one, or two with one or two columns of text.")
    _check_width(X.shape[1])
    return [X[:, place].tolist() for place in range(X.shape[1])]


def _check_width(width: int) -> None:
    if width not in (1, 2):
        raise ArrayError(
            f"X has {width} columns; expected one text a row, or two.",
            "Choose the text, such as X['text'], or with a ColumnTransformer.",
        )


def _texts_of(column: Sequence[object], place: int | None) -> list[str]:
    """Return a column as texts. place: its number where there are two, for messages."""
    where = "X" if place is None else f"column {place} of X"
    missing = [row for row, cell in enumerate(column) if is_missing(cell)]
    if missing:
        raise ArrayError(
            f"{where}: {len(missing):,} of {len(column):,} texts are missing ({listed_rows(missing)}): None or NaN.",
            "Drop these rows, or put a text there.",
        )
    other = next((row for row, cell in enumerate(column) if not isinstance(cell, str)), None)
    if other is not None:
        raise ArrayError(
            f"{where}, row {other}, is of type {type(column[other]).__name__}; expected text.",
            "Choose the column that holds the text, or convert it: X.astype(str).",
        )
    return [str(cell) for cell in column]  # of numpy's own str, plain ones
