"""Which rows of a training table are held out: a share of them, or one part after another.

What must stay together (equal texts, groups) is kept on one side. Knows nothing of a DataBunch or of models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastbert.config import DataConfig
from fastbert.data.examples import Example
from fastbert.data.folds import fold_indices
from fastbert.data.splits import Ints, SplitMethod, split_indices, text_key
from fastbert.tasks.base import Task


def fold_rows(rows: Sequence[Example], task: Task, config: DataConfig, count: int, seed: int) -> Ints:
    """Return the fold of each row, int64 (N,), from 0.

    Raises ConfigError for a wrong count, DataError where the rows cannot be divided so often.
    """
    kept = _kept_together(rows, config)
    return fold_indices(
        task.strata(rows), folds=count, seed=seed, method=kept.method, groups=kept.groups, keys=_keys(rows)
    )


@dataclass(frozen=True)
class _Together:
    """What is never divided, beside equal texts. alone: all rows are of one group, which says nothing then."""

    groups: list[str | None] | None
    method: SplitMethod
    alone: bool

    def describe(self, config: DataConfig) -> str:
        by_group = "hash of" if config.split == "hash" else "kept together by"
        column = "the document" if config.group is None else f"column '{config.group}'"
        how = config.split if self.groups is None else f"{by_group} {column}"
        return how + (", all rows are of one document" if self.alone else "")


def _kept_together(rows: Sequence[Example], config: DataConfig) -> _Together:
    groups = [example.group for example in rows] if any(example.group is not None for example in rows) else None
    alone = config.group is None and groups is not None and len(set(groups)) == 1
    if alone:  # one document, or one context of all questions: nothing to keep together, and nothing to name instead
        groups = None
    method: SplitMethod = "grouped" if groups is not None and config.split != "hash" else config.split
    return _Together(groups, method, alone)


def _keys(rows: Sequence[Example]) -> list[str]:
    return [text_key(example.text, example.pair) for example in rows]


def hold_out(
    splits: Mapping[str, tuple[Example, ...]], task: Task, config: DataConfig, seed: int
) -> tuple[dict[str, tuple[Example, ...]], str]:
    """Take a validation share from the training rows."""
    train = splits["train"]
    together = _kept_together(train, config)
    kept, held = split_indices(
        task.strata(train),
        share=config.valid_share,
        seed=seed,
        groups=together.groups,
        keys=_keys(train),
        method=together.method,
    )
    how = together.describe(config)
    result = dict(splits)
    result["train"] = tuple(train[index] for index in kept)
    result["valid"] = tuple(train[index] for index in held)
    return result, f"valid: {len(held)} of {len(train)} training rows held out ({how}, seed {seed})"
