"""What looks wrong with truths that are no labels of rows: numbers, and entities in texts.

Knows nothing of single texts. Entities are checked at their words by `data.entity_checks`, too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from fastbert.data.entity_checks import entity_warnings
from fastbert.data.examples import QuestionExample, TaggedExample, ValueExample
from fastbert.data.units import find_units
from fastbert.insight.doctor.findings import Finding, FlaggedRow, by_share, percent, share_phrase
from fastbert.insight.doctor.material import Material, Part
from fastbert.labels import Labels

Numbers = npt.NDArray[np.float64]

# Choices of ours, of severity only.
FAR = 8.0  # standard deviations of the middle half, from the median: beyond what any bell has
SHIFT = 0.3  # standard deviations between two means
SURE = 4.0  # standard errors
SPAN_ROWS, SPAN_MINORITY = 5, 0.2  # of a text that is an entity: times it occurs, and share of its rarer labels


def value_findings(material: Material) -> list[Finding]:
    """Return what there is to say of the numbers of a regression."""
    by_split = {split: _values(part) for split, part in material.parts.items()}
    train = by_split["train"]
    if material.task != "regression" or not len(train):
        return []
    low, middle, high = np.quantile(train, [0.25, 0.5, 0.75])
    findings = []
    if train.min() == train.max():
        only = f"All numbers of train are {train[0]:g}: there is nothing to learn."
        return [Finding("constant_value", "stop", only, "Check that --label names the right column.")]
    spread = (high - low) / 1.349  # the quartiles of a normal distribution are 1.349 standard deviations apart
    rows = [
        part.flag(index, f"{value:g} is far from the median {middle:g}")
        for split, part in material.parts.items()
        for index, value in enumerate(by_split[split].tolist())
        if spread > 0 and abs(value - middle) > FAR * spread
    ]
    if rows:
        findings.append(
            Finding(
                "far_value",
                "look",
                f"{share_phrase(len(rows), material.num_examples)} have a number that is far from the others (median "
                f"{middle:g}, middle half {low:g} to {high:g}).",
                "Check units and decimal points; with numbers that are meant, `--set loss=huber` follows them less.",
                rows,
            )
        )
    return [*findings, *_value_shifts(by_split)]


def _value_shifts(by_split: Mapping[str, Numbers]) -> Iterator[Finding]:
    """Yield a finding for each split whose mean is surely, and by more than a little, another one."""
    train = by_split["train"]
    for split, values in by_split.items():
        if split == "train" or not len(values):
            continue
        gap = abs(values.mean() - train.mean())
        error = np.hypot(train.std() / len(train) ** 0.5, values.std() / len(values) ** 0.5)
        if gap > SHIFT * train.std() and gap > SURE * error:
            yield Finding(
                "value_shift",
                "note",
                f"The numbers of train and {split} are not alike: means {train.mean():.3g} and {values.mean():.3g}.",
                f"If {split} is what the model will meet, let train be like it; if not, divide the rows anew.",
            )


def _values(part: Part) -> Numbers:
    found = [example.value for example in part.examples if isinstance(example, ValueExample)]
    return np.array([value for value in found if value is not None], np.float64)


def entity_findings(material: Material) -> list[Finding]:
    """Return what there is to say of entities: where they begin and end, and whether they are labelled alike."""
    if material.task != "tagging":
        return []
    splits = {split: cast("Sequence[TaggedExample]", part.examples) for split, part in material.parts.items()}
    # Without labels it speaks of their edges alone; counts are `labels`' part.
    edges = entity_warnings(splits, Labels(()), _units_of)
    findings = [Finding("entity_edges", "look", *_halves(sentence)) for sentence in edges]
    return [*findings, *_labelled_otherwise(material, splits)]


def _halves(sentence: str) -> tuple[str, str]:
    what, _, advice = sentence.partition(". ")
    return f"{what}.", advice


def _units_of(example: TaggedExample) -> Sequence[tuple[int, int]]:
    return find_units(example.text) if example.words is None else example.words


def _labelled_otherwise(material: Material, splits: Mapping[str, Sequence[TaggedExample]]) -> list[Finding]:
    """Report entities whose words have, nearly always, another label elsewhere."""
    usual = _usual_labels(example for examples in splits.values() for example in examples)
    rows: list[FlaggedRow] = []
    for split, part in material.parts.items():
        for index, example in enumerate(splits[split]):
            for entity in example.entities or ():
                words = _words(example, entity.start, entity.end)
                if words in usual and usual[words] != entity.label:
                    rows.append(
                        part.flag(index, f"'{words}' is {entity.label} here, {usual[words]} in most other places")
                    )
    if not rows:
        return []
    total = sum(len(example.entities or ()) for examples in splits.values() for example in examples)
    return [
        Finding(
            "entity_label",
            by_share(len(rows), total, look=0.02),
            f"{len(rows):,} of {total:,} entities ({percent(len(rows) / total)}) have another label than the same "
            "words have nearly always.",
            "Look whether they are meant so.",
            rows,
        )
    ]


def _usual_labels(examples: Iterable[TaggedExample]) -> dict[str, str]:
    """Return the label that the words of entities have nearly always, where they have another one, too."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for example in examples:
        for entity in example.entities or ():
            counts[_words(example, entity.start, entity.end)][entity.label] += 1
    usual = {}
    for words, labels in counts.items():
        (label, count), total = labels.most_common(1)[0], sum(labels.values())
        if total >= SPAN_ROWS and len(labels) > 1 and count >= (1 - SPAN_MINORITY) * total:
            usual[words] = label
    return usual


def _words(example: TaggedExample, start: int, end: int) -> str:
    return " ".join(example.text[start:end].casefold().split())


def answer_findings(material: Material) -> list[Finding]:
    """Return what there is to say of questions: contexts that several splits share."""
    if material.task != "answering":
        return []
    findings = []
    parts = list(material.parts.values())
    known = {cast("QuestionExample", example).pair for example in parts[0].examples}
    for part in parts[1:]:
        rows = [
            part.flag(index, "train asks about this context")
            for index, example in enumerate(part.examples)
            if example.pair in known
        ]
        if rows:
            findings.append(
                Finding(
                    "shared_context",
                    by_share(len(rows), len(part), look=0.0, stop=0.01),
                    f"{share_phrase(len(rows), len(part))} of {part.split} are about a context that train asks about, "
                    "too.",
                    "The scores will look better than they are: keep the questions of a context on one side.",
                    rows,
                )
            )
    return findings
