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
from fastbert.tasks.regression import Regression


def fold_rows(rows: Sequence[Example], task: Task, config: DataConfig, count: int, seed: int) -> Ints:
    """Return the fold of each row, int64 (N,), from 0.

    Raises ConfigError for a wrong count, DataError where the rows cannot be divided so often.
    """
    kept = _kept_together(rows, config)
    return fold_indices(
        task.strata(rows), folds=count, seed=seed, method=kept.method, groups=kept.groups, keys=_keys(rows)
    )


def fold_up(
    splits: Mapping[str, tuple[Example, ...]], task: Task, config: DataConfig, seed: int
) -> tuple[dict[str, tuple[Example, ...]], str]:
    """Return the training rows as validation rows, too, and a sentence about the folds. Raises as `fold_rows` does."""
    train, count = splits["train"], config.valid_folds or 0
    fold_rows(train, task, config, count, seed)  # can they be divided?
    how = _kept_together(train, config).describe(config)
    fact = (
        f"valid: none held out; each of the {len(train):,} training rows is answered by a model of {count} that has "
        f"learned from the others ({how}, seed {seed}), and the model to save learns from all"
    )
    return {**splits, "valid": train}, fact


def unseen_in_folds(rows: Sequence[Example], task: Task, config: DataConfig, seed: int) -> tuple[str, ...]:
    """Return which labels are in one fold alone, as a sentence, or nothing."""
    fold_N = fold_rows(rows, task, config, config.valid_folds or 0, seed)
    parts = [
        [row for row, fold in zip(rows, fold_N, strict=True) if fold != place] for place in range(int(fold_N.max()) + 1)
    ]
    names = unseen_labels(task, rows, parts)
    if not names:
        return ()
    return (
        f"Some fold's model will not have seen {names}: all rows or groups with it lie in that fold. Their scores will "
        "be lower than those of the model to save can be. Give more rows of it.",
    )


def unseen_labels(task: Task, rows: Sequence[Example], parts: Sequence[Sequence[Example]]) -> str:
    """Return the labels of rows that some part has none of, at most five by name; "" where there are none."""
    if isinstance(task, Regression):  # it counts values
        return ""
    counts, whole = [task.counts(part) for part in parts], task.counts(rows)
    unseen = [name for name in whole if whole[name] and any(count.get(name, 0) == 0 for count in counts)]
    return ", ".join(unseen[:5]) + (", ..." if len(unseen) > 5 else "")


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
