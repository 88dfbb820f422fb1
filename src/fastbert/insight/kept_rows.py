"""What a report knows of rows beside their scores, kept in the bundle: places, lengths, units, and numbers of a task.

One NumPy archive beside `decisions.npz`: with both the report can be written again, without the rows. No text.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fastbert.bundle import Bundle
from fastbert.decisions.saved import Arrays, read_rows, write_rows
from fastbert.insight.evidence import AnswerRows, Evidence, RowFacts
from fastbert.insight.gathering import gather, of_questions, of_values

FILE = "report.npz"
_VALUES = ("predicted", "true")


def keep(folder: Path, evidence: Evidence) -> None:
    """Write what the report of one split needs and `decisions.npz` has not. Raises OSError if the disk fails."""
    rows = evidence.rows
    arrays: Arrays = {"places": np.array(rows.places, np.str_)} if rows.places else {}
    arrays |= {} if rows.tokens_N is None else {"tokens": np.asarray(rows.tokens_N, np.int32)}
    arrays |= {} if rows.cut_N is None else {"cut": rows.cut_N}
    arrays |= {} if rows.units_N is None else {"units": np.asarray(rows.units_N, np.int32)}
    if evidence.values is not None:
        arrays |= dict(zip(_VALUES, (evidence.values.predicted_N, evidence.values.true_N), strict=True))
    if evidence.answers is not None:
        arrays |= evidence.answers.to_arrays()
    write_rows(folder, {evidence.split: arrays} if arrays else {}, FILE)


def recall(bundle: Bundle, split: str) -> Evidence:
    """Return what a bundle holds of the rows of a split, by its present rule; without rows where it holds none.

    Raises BundleError for a file that cannot be read.
    """
    arrays, packed = read_rows(bundle.folder, FILE).get(split, {}), read_rows(bundle.folder).get(split, {})
    if packed:
        raw, examples = bundle.task.unpack(packed)
        return gather(bundle, split, raw, bundle.task.redecide(raw, bundle.decisions), examples, _row_facts(arrays))
    if arrays.keys() >= set(_VALUES):
        predicted_N, true_N = (np.asarray(arrays[name], np.float64) for name in _VALUES)
        return of_values(bundle, split, predicted_N, true_N, _row_facts(arrays))
    names = list(AnswerRows.__dataclass_fields__)
    if arrays.keys() >= set(names):
        return of_questions(bundle, split, AnswerRows(*(arrays[name] for name in names)), _row_facts(arrays))  # type: ignore[arg-type]  # as they were kept
    return Evidence(bundle, split)


def _row_facts(arrays: Mapping[str, np.ndarray]) -> RowFacts:
    places, tokens, cut, units = (arrays.get(name) for name in ("places", "tokens", "cut", "units"))
    return RowFacts(
        () if places is None else tuple(places.tolist()),
        None if tokens is None else np.asarray(tokens, np.int64),
        None if cut is None else np.asarray(cut, np.bool_),
        None if units is None else np.asarray(units, np.int64),
    )
