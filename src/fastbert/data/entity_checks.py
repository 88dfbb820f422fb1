"""What looks wrong with the entities of tagged texts, in sentences that say what to do.

Places are named, texts are not shown. Knows nothing of tokens or of how texts were read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from fastbert.data.examples import Range, TaggedExample
from fastbert.data.units import align
from fastbert.labels import Labels

MIN_ENTITIES = 10  # of a label in train, for it to be learned; a rough bound
NUM_PLACES = 3  # that a sentence names

Splits = Mapping[str, Sequence[TaggedExample]]


def entity_warnings(splits: Splits, labels: Labels, units_of: Callable[[TaggedExample], Sequence[Range]]) -> list[str]:
    """Return a sentence for each thing that looks wrong; [] if nothing does.

    units_of: the units of a text, with which an answer begins and ends.
    """
    sentences = []
    for split, examples in splits.items():
        sentences += _about_units(split, examples, units_of)
    counts = {split: Counter(label for label in _labels_of(examples)) for split, examples in splits.items()}
    train, valid = counts.get("train", Counter()), counts.get("valid")
    rare = [name for name in labels if train[name] < MIN_ENTITIES]
    if rare:
        named = _listed([f"'{name}' ({train[name]})" for name in rare])
        sentences.append(
            f"{len(rare)} of {len(labels)} labels have fewer than {MIN_ENTITIES} entities in train: {named}. "
            "Expect poor results for them; add texts, or merge labels that are alike."
        )
    absent = [] if valid is None else [name for name in labels if not valid[name]]
    if absent:
        named = _listed([f"'{name}'" for name in absent])
        sentences.append(
            f"valid has no entity of {len(absent)} of {len(labels)} labels ({named}), so nothing can be said about how "
            "well they are learned. Add such texts, or hold out a larger share."
        )
    return sentences


def _about_units(
    split: str, examples: Sequence[TaggedExample], units_of: Callable[[TaggedExample], Sequence[Range]]
) -> list[str]:
    widened, lost, total = [], [], 0
    for example in examples:
        if not example.entities:
            continue
        total += len(example.entities)
        found = align(units_of(example), example.entities)
        widened += [f"{example.where}, characters {entity.start}-{entity.end}" for entity in found.widened]
        lost += [f"{example.where}, characters {entity.start}-{entity.end}" for entity in found.lost]
    sentences = []
    if widened:
        sentences.append(
            f"{len(widened):,} of {total:,} entities in {split} begin or end within a word ({_listed(widened)}). They "
            "are learned with the whole word, and no answer can equal them. Check where they begin and end."
        )
    if lost:
        sentences.append(
            f"{len(lost):,} of {total:,} entities in {split} hold no word of their own ({_listed(lost)}) and cannot be "
            "learned: they are blank, or within a word of another entity."
        )
    return sentences


def _labels_of(examples: Sequence[TaggedExample]) -> list[str]:
    return [entity.label for example in examples for entity in example.entities or ()]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NUM_PLACES
    return "; ".join(names[:NUM_PLACES]) + (f"; and {more:,} more" if more > 0 else "")
