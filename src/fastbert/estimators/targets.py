"""What scikit-learn calls y, read as label names, and answers given back in the kind in which y came.

`Classes` remembers that kind: values of one column, a 0/1 matrix, or lists of labels. The model knows names alone.
Knows nothing of texts or of models.

Axes: N rows, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from fastbert.errors import BundleError, ConfigError
from fastbert.estimators.texts import ArrayError, is_missing, listed_rows
from fastbert.tasks.base import Prediction
from fastbert.tasks.label_prediction import labelled

Kind = Literal["single", "indicator", "lists"]
Array = npt.NDArray[np.generic]
TASKS = ("auto", "single_label", "multi_label")


@dataclass(frozen=True)
class Classes:
    """The classes of a classifier. kind: how y was written.    values_C: `classes_`.    names: theirs in the model."""

    kind: Kind
    values_C: Array
    names: tuple[str, ...]

    @property
    def task(self) -> Literal["single_label", "multi_label"]:
        """Return the task that the classes ask for."""
        return "single_label" if self.kind == "single" else "multi_label"

    @classmethod
    def of(cls, y: object, task: str = "auto") -> Classes:
        """Find the classes of a y.

        y: one value a row, a 0/1 matrix (an array, a frame or sparse) or a list of labels a row.
        task: "single_label" or "multi_label" refuses a y of the other kind.
        Raises ArrayError for a y that holds no classes, or only one; ConfigError for an unknown task.
        """
        if task not in TASKS:
            raise ConfigError(f"task is {task!r}; expected one of {', '.join(TASKS)}.")
        found = _of_lists(y) if _holds_lists(y) else _of_array(y)
        if task not in ("auto", found.task):
            written = {"single": "one value a row", "indicator": "a 0/1 matrix", "lists": "a list a row"}[found.kind]
            expected = "one value a row" if task == "single_label" else "a 0/1 matrix, or a list of labels a row"
            raise ArrayError(f"task is '{task}', but y is {written}; expected {expected}.", "Drop task, or change y.")
        return found

    def rows_of(self, y: object) -> list[tuple[str, ...]]:
        """Return the label names of each row of a y of this kind. Raises ArrayError for a class that is not known."""
        if self.kind == "lists":
            rows = [tuple(dict.fromkeys(row)) for row in _listed(y)]
            unknown = sorted({str(label) for row in rows for label in row} - set(self.names))
            self._refuse(unknown)
            return [tuple(map(str, row)) for row in rows]
        if self.kind == "indicator":
            cells_NC = _matrix(y)
            if cells_NC.ndim != 2 or cells_NC.shape[1] != len(self.names):
                raise ArrayError(f"y has the shape {cells_NC.shape}; expected {len(self.names)} columns of 0 and 1.")
            return [tuple(self.names[place] for place in np.flatnonzero(row)) for row in cells_NC]
        values_N = _one_column(y)
        name_of = dict(zip(self.values_C.tolist(), self.names, strict=True))
        values = values_N.tolist()
        self._refuse(sorted({str(value) for value in values if value not in name_of}))
        return [(name_of[value],) for value in values]

    def give_back(self, predictions: Sequence[Prediction]) -> Array:
        """Return the decided labels as y was written: values (N,), a 0/1 matrix (N, C), or lists of labels (N,).

        Of one value a row every prediction has a label, the decided one first.
        """
        place_of = {name: place for place, name in enumerate(self.names)}
        places = [[place_of[name] for name in labelled(prediction).labels] for prediction in predictions]
        if self.kind == "single":
            return self.values_C[[row[0] for row in places]]
        if self.kind == "lists":
            values = self.values_C.tolist()
            lists_N = np.empty(len(places), dtype=object)
            lists_N[:] = [[values[place] for place in sorted(row)] for row in places]
            return lists_N
        cells_NC = np.zeros((len(places), len(self.names)), np.int64)
        for row, found in enumerate(places):
            cells_NC[row, found] = 1
        return cells_NC

    def scores_of(self, predictions: Sequence[Prediction]) -> npt.NDArray[np.float64]:
        """Return the probabilities, float64 (N, C), in the order of the classes."""
        rows = [[labelled(prediction).scores[name] for name in self.names] for prediction in predictions]
        return np.array(rows, np.float64).reshape(len(rows), len(self.names))

    def to_json(self) -> dict[str, object]:
        """Return plain values, for the bundle."""
        dtype = "object" if self.values_C.dtype.kind == "O" else self.values_C.dtype.str
        return {"kind": self.kind, "values": self.values_C.tolist(), "dtype": dtype}

    @classmethod
    def from_json(cls, values: Mapping[str, object], names: Sequence[str]) -> Classes:
        """Read what `to_json` wrote. names: of the model. Raises BundleError where they do not fit."""
        kind, given, dtype = values.get("kind"), values.get("values"), values.get("dtype")
        if kind not in get_args(Kind) or not isinstance(given, list) or len(given) != len(names):
            raise BundleError("bundle.json: the classes of the estimator are damaged.", "Save the estimator again.")
        return cls(cast("Kind", kind), np.array(given, dtype=str(dtype)), tuple(names))

    @classmethod
    def of_names(cls, task: str, names: Sequence[str]) -> Classes:
        """Return the classes of a model that no estimator trained: its label names."""
        values_C = np.array(names, dtype=object)
        return cls("single" if task == "single_label" else "indicator", values_C, tuple(names))

    def _refuse(self, unknown: Sequence[str]) -> None:
        if unknown:
            shown = ", ".join(self.names[:20]) + (", ..." if len(self.names) > 20 else "")
            raise ArrayError(f"y holds '{unknown[0]}', which is none of the {len(self.names)} classes ({shown}).")


def read_numbers(y: object) -> npt.NDArray[np.float64]:
    """Return the y of a regression as float64 (N,). Raises ArrayError for anything but finite numbers."""
    values_N = _one_column(y)
    try:
        numbers_N = values_N.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ArrayError("y does not hold numbers.", "Use FastBertClassifier for classes.") from error
    wrong = np.flatnonzero(~np.isfinite(numbers_N)).tolist()
    if wrong:
        raise ArrayError(f"y contains NaN or infinity ({listed_rows(wrong)}).", "Drop these rows.")
    return numbers_N


def _of_array(y: object) -> Classes:
    values = _matrix(y)
    if values.ndim == 2 and values.shape[1] > 1:
        if type_of_target(values) != "multilabel-indicator":
            raise ArrayError(
                f"Unknown label type: y has {values.shape[1]} columns that are not 0 and 1 alone.",
                "Give one value a row, or a 0/1 column for each label.",
            )
        columns = tuple(getattr(y, "columns", ()))
        named = len(columns) == values.shape[1] and all(isinstance(name, str) for name in columns)
        values_C = np.array(columns, dtype=object) if named else np.arange(values.shape[1])
        return Classes("indicator", values_C, _names(values_C))
    values_N = _one_column(y)
    check_classification_targets(values_N)
    values_C = np.unique(values_N)
    if len(values_C) < 2:
        raise ArrayError(
            f"y holds only one class, {values_C.tolist()[0]!r}, in {len(values_N):,} rows.", "Training needs two."
        )
    return Classes("single", values_C, _names(values_C))


def _of_lists(y: object) -> Classes:
    used: set[Any] = {label for row in _listed(y) for label in row}
    if len(used) < 2:
        raise ArrayError(f"The lists of y hold {len(used)} different labels; training needs at least two classes.")
    try:
        values_C = np.array(sorted(used), dtype=object)
    except TypeError as error:
        raise ArrayError("The labels of y are of different types.", "Write all of them as text.") from error
    return Classes("lists", values_C, _names(values_C))


def _names(values_C: Array) -> tuple[str, ...]:
    """Return classes as label names. Raises ArrayError for those that a bundle cannot hold."""
    values = values_C.tolist()
    for value in values:
        if not isinstance(value, str | int | float | bool) or not str(value).strip():
            raise ArrayError(
                f"y holds the class {value!r}; expected text that is not blank, or a number, or true and false.",
                "Give the classes names: y.astype(str).",
            )
    return tuple(map(str, values))


def _holds_lists(y: object) -> bool:
    """Return True if the rows of y are lists of labels: not of numbers alone, as a matrix has, and of all lengths."""
    if isinstance(y, np.ndarray) and y.ndim != 1:
        return False
    rows = _as_sequence(y)
    if rows is None or not len(rows) or not all(isinstance(row, list | tuple | set | frozenset) for row in rows):
        return False
    same_length = len({len(row) for row in rows}) == 1
    cells = (cell for row in rows for cell in row)
    return not (same_length and all(not isinstance(cell, str) for cell in cells))


def _listed(y: object) -> list[Sequence[object]]:
    """Return the rows of a y that holds lists. Raises ArrayError for any other."""
    rows = _as_sequence(y)
    wrong = (
        None
        if rows is None
        else [n for n, row in enumerate(rows) if not isinstance(row, list | tuple | set | frozenset)]
    )
    if rows is None or wrong:
        raise ArrayError(f"y: {listed_rows(wrong or [0])}: expected a list of labels in every row.")
    return [sorted(row, key=str) if isinstance(row, set | frozenset) else list(row) for row in rows]


def _as_sequence(y: object) -> Sequence[Any] | None:
    """Return the rows of a y, None if it has no order."""
    if hasattr(y, "to_list"):  # a Series of pandas or polars
        y = y.to_list()
    if isinstance(y, np.ndarray):
        y = y.tolist()
    return y if isinstance(y, Sequence) and not isinstance(y, str | bytes) else None


def _matrix(y: object) -> Array:
    """Return y as an array of one or two axes. Raises ArrayError where it is none."""
    if y is None:
        raise ArrayError("y is missing: this estimator requires y to be passed, but the target y is None.")
    if hasattr(y, "toarray"):
        y = y.toarray()
    elif hasattr(y, "to_numpy"):
        y = y.to_numpy()
    try:
        values = np.asarray(y)
    except ValueError as error:
        raise ArrayError("The rows of y differ in length and are no lists of labels.") from error
    if values.ndim not in (1, 2):
        raise ArrayError(f"y has {values.ndim} dimensions; expected one value a row, or a 0/1 column for each label.")
    return values


def _one_column(y: object) -> Array:
    """Return y as one axis, without missing values."""
    values = _matrix(y)
    if values.ndim == 2 and values.shape[1] != 1:
        raise ArrayError(f"y should be a 1d array of one value a row; it has the shape {values.shape}.")
    values_N = column_or_1d(values, warn=True)
    if values_N.dtype.kind == "f" and not np.isfinite(values_N).all():
        raise ArrayError(
            f"y contains NaN or infinity ({listed_rows(np.flatnonzero(~np.isfinite(values_N)).tolist())}).",
            "Drop these rows.",
        )
    missing = [row for row, value in enumerate(values_N) if is_missing(value)] if values_N.dtype.kind == "O" else []
    if missing:
        raise ArrayError(f"y contains NaN or None ({listed_rows(missing)}).", "Drop these rows.")
    return cast("Array", values_N)
