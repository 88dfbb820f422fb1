"""What looks wrong in the data of a run, in sentences that say what to do about it.

Nothing here is an error and nothing is changed. Sentences name places, label names and counts,
never a text. Knows nothing of files or tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fastbert.data.examples import Example, TextExample
from fastbert.data.splits import text_key
from fastbert.labels import Labels

Splits = Mapping[str, Sequence[Example]]
LabelledSplits = Mapping[str, Sequence[TextExample]]

# Choices of ours, for warnings only: no result depends on them.
MIN_LABEL_ROWS = 8  # the few-shot minimum usual in the literature (SetFit, Tunstall et al. 2022)
MAX_IMBALANCE = 20  # most frequent label to least frequent
MIN_VALID_ROWS = 50  # with 50 rows the standard error of an accuracy of 0.8 is 0.06
SHORT_TEXT = 4  # characters; a column of shorter cells holds codes, not text
NUM_PLACES = 5
NUM_NAMES = 5


@dataclass(frozen=True)
class Duplicate:
    """Rows with equal text (`text_key`), in one split or across several.

    splits: the splits they are in, in order.    count: number of rows.
    places: where the first rows are, at least one for each split.
    conflicting: two of the rows have different labels.
    """

    kind: Literal["within", "across"]
    splits: tuple[str, ...]
    count: int
    places: tuple[str, ...]
    conflicting: bool


def find_duplicates(splits: Splits) -> list[Duplicate]:
    """Return the texts that occur twice or more: across splits first, then by falling count.

    >>> row = TextExample("same", labels=("a",), where="train.csv, row 2")
    >>> find_duplicates({"train": [row], "valid": [row]})[0].kind
    'across'
    """
    rows_of: dict[str, list[tuple[str, int]]] = {}
    for split, examples in splits.items():
        for index, example in enumerate(examples):
            rows_of.setdefault(text_key(example.text, example.pair), []).append((split, index))
    found = [_duplicate(splits, rows) for rows in rows_of.values() if len(rows) > 1]
    return sorted(found, key=lambda duplicate: (duplicate.kind, -duplicate.count))


def label_counts(examples: Iterable[TextExample], labels: Labels) -> dict[str, int]:
    """Return the number of rows of each label, in label order, zeros included.

    >>> label_counts([TextExample("x", labels=("b",))], Labels(("a", "b")))
    {'a': 0, 'b': 1}
    """
    counts = dict.fromkeys(labels, 0)
    for example in examples:
        for name in set(example.labels or ()).intersection(counts):
            counts[name] += 1
    return counts


def data_warnings(splits: LabelledSplits, labels: Labels) -> list[str]:
    """Return a sentence for each thing that looks wrong with labelled texts, with what to do; [] if nothing does.

    splits: examples under the names "train", "valid" and "test"; any may be missing.
    """
    return [
        *text_warnings(splits),
        *_about_conflicts(find_duplicates(splits)),
        *_about_labels(splits, labels),
        *_about_absent_labels(splits, labels),
    ]


def text_warnings(splits: Splits) -> list[str]:
    """Return a sentence for each thing that looks wrong with the texts of any task."""
    duplicates = find_duplicates(splits)
    return [
        *_about_shared_texts(duplicates),
        *_about_repeats(splits, duplicates),
        *_about_texts(splits),
        *_about_few_rows(splits),
    ]


def group_warnings(splits: Splits, column: str) -> list[str]:
    """Return a sentence for each split that shares groups with train; [] if none does.

    column: name of the group column.
    """
    trained = {example.group for example in splits.get("train", ())} - {None}
    sentences = []
    for split in ("valid", "test"):
        shared = [example.group for example in splits.get(split, ()) if example.group in trained]
        if shared:
            count = len(set(shared))
            advice = ", or give no validation table: groups are then kept on one side." if split == "valid" else "."
            sentences.append(
                f"{count:,} {'group' if count == 1 else 'groups'} of column '{column}' occur in train and {split} "
                f"alike ({len(shared):,} of {len(splits[split]):,} rows of {split}): the scores will look better "
                f"than they are. Remove their rows from train{advice}"
            )
    return sentences


# --- duplicates -------------------------------------------------------------------------------------


def _duplicate(splits: Splits, rows: Sequence[tuple[str, int]]) -> Duplicate:
    names = tuple(dict.fromkeys(split for split, _ in rows))
    firsts = [next(row for row in rows if row[0] == name) for name in names]
    shown = sorted((firsts + [row for row in rows if row not in firsts])[:NUM_PLACES], key=rows.index)
    known = {_unordered(truth) for split, index in rows if (truth := splits[split][index].truth) is not None}
    return Duplicate(
        kind="across" if len(names) > 1 else "within",
        splits=names,
        count=len(rows),
        places=tuple(splits[split][index].where or f"{split}, example {index + 1}" for split, index in shown),
        conflicting=len(known) > 1,
    )


def _unordered(truth: object) -> object:
    return frozenset(truth) if isinstance(truth, tuple) else truth


def _about_shared_texts(duplicates: Sequence[Duplicate]) -> list[str]:
    by_splits: dict[tuple[str, ...], list[Duplicate]] = {}
    for duplicate in duplicates:
        if duplicate.kind == "across":
            by_splits.setdefault(duplicate.splits, []).append(duplicate)
    sentences = []
    for names, found in by_splits.items():
        advice = f"Remove these rows from {names[-1]}."
        if "train" in names:
            advice = "Remove these rows from train, or give one file only: equal texts are then kept on one side."
        sentences.append(
            f"{_texts(len(found))} in {_and(names)} alike (first: {'; '.join(found[0].places)}): "
            f"the scores will look better than they are. {advice}"
        )
    return sentences


def _about_conflicts(duplicates: Sequence[Duplicate]) -> list[str]:
    found = [duplicate for duplicate in duplicates if duplicate.conflicting]
    if not found:
        return []
    return [
        f"{_texts(len(found))} more than once with different labels (first: {'; '.join(found[0].places)}): "
        "no model can get all of these rows right. Decide on one label for each, or on all of them at once "
        "if a text may have several."
    ]


def _about_repeats(splits: Splits, duplicates: Sequence[Duplicate]) -> list[str]:
    """Report plain repetition in one split only where it is a tenth of the rows or more."""
    sentences = []
    for split, examples in splits.items():
        found = [one for one in duplicates if one.splits == (split,) and not one.conflicting]
        extra = sum(duplicate.count - 1 for duplicate in found)
        if found and extra * 10 >= len(examples) and found[0].count < len(examples):
            sentences.append(
                f"{extra} of {len(examples)} rows in {split} repeat a text that is already there "
                f"(first: {'; '.join(found[0].places)}). "
                "Remove them unless the repetition is meant as a weight."
            )
    return sentences


# --- texts ------------------------------------------------------------------------------------------


def _about_texts(splits: Splits) -> list[str]:
    sentences = []
    for split, examples in splits.items():
        keys = {text_key(example.text, example.pair) for example in examples}
        if len(examples) > 1 and len(keys) == 1:
            sentences.append(f"All {len(examples)} texts in {split} are the same. Check which column is the text.")
        elif keys and max(map(len, keys)) < SHORT_TEXT:
            sentences.append(
                f"No text in {split} is longer than {SHORT_TEXT - 1} characters. "
                "Check which column is the text: these look like codes."
            )
    return sentences


# --- labels -----------------------------------------------------------------------------------------


def _about_labels(splits: LabelledSplits, labels: Labels) -> list[str]:
    train = [example for example in splits.get("train", ()) if example.labels is not None]
    counts = label_counts(train, labels)
    if not train or not counts:
        return []
    present = {name: count for name, count in counts.items() if count}
    return [
        *_about_constant_labels(train, counts),
        *_about_rare_labels(present),
        *_about_imbalance(present),
    ]


def _about_constant_labels(train: Sequence[TextExample], counts: Mapping[str, int]) -> list[str]:
    sentences = []
    full = [name for name, count in counts.items() if count == len(train)]
    empty = [name for name, count in counts.items() if count == 0]
    if full:
        sentences.append(
            f"{_labels(full)} on every row in train, so there is nothing to learn about it. "
            "Add rows without it, or remove the label."
        )
    if empty:
        sentences.append(f"{_labels(empty)} on no row in train and cannot be learned. Add rows, or remove the label.")
    return sentences


def _about_rare_labels(present: Mapping[str, int]) -> list[str]:
    rare = sorted((count, name) for name, count in present.items() if count < MIN_LABEL_ROWS)
    if not rare:
        return []
    names = _listed([f"'{name}' ({count})" for count, name in rare])
    return [
        f"{len(rare)} of {len(present)} labels have fewer than {MIN_LABEL_ROWS} rows in train: {names}. "
        "Expect poor results for them; add rows, or merge labels that are alike."
    ]


def _about_imbalance(present: Mapping[str, int]) -> list[str]:
    by_count = sorted(present, key=present.__getitem__)
    if not by_count or present[by_count[-1]] <= MAX_IMBALANCE * present[by_count[0]]:
        return []
    rare, common = by_count[0], by_count[-1]
    return [
        f"The labels in train are far from balanced: '{common}' has {present[common]} rows, "
        f"'{rare}' {present[rare]}. "
        "Accuracy will hide the rare labels: look at f1_macro and at the scores of each label, "
        "and consider loss=auto, which tries weights, a focal loss and repeated rows."
    ]


# --- validation -------------------------------------------------------------------------------------


def _about_few_rows(splits: Splits) -> list[str]:
    valid = splits.get("valid")
    if valid is None or len(valid) >= MIN_VALID_ROWS:
        return []
    return [
        f"valid has only {len(valid)} rows, so its scores are rough and choices made by them are chance. "
        f"Give at least {MIN_VALID_ROWS}, or hold out a larger share."
    ]


def _about_absent_labels(splits: LabelledSplits, labels: Labels) -> list[str]:
    valid = splits.get("valid")
    if valid is None:
        return []
    train_counts, valid_counts = label_counts(splits.get("train", ()), labels), label_counts(valid, labels)
    absent = [name for name, count in valid_counts.items() if count == 0 and train_counts[name] > 0]
    if not absent:
        return []
    return [
        f"{_labels(absent)} on no row in valid, so nothing can be said about how well it is learned. "
        "Add such rows, or hold out a larger share."
    ]


# --- wording ----------------------------------------------------------------------------------------


def _texts(count: int) -> str:
    return "1 text occurs" if count == 1 else f"{count} texts occur"


def _labels(names: Sequence[str]) -> str:
    """Return "Label 'x' is" or "Each of 3 labels ('x', 'y', 'z') is"."""
    if len(names) == 1:
        return f"Label '{names[0]}' is"
    return f"Each of {len(names)} labels ({_listed([repr(name) for name in names])}) is"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NUM_NAMES
    return ", ".join(names[:NUM_NAMES]) + (f" and {more} more" if more > 0 else "")


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]])
