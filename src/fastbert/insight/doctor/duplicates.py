"""Texts that occur more than once: in one split, in several, and with different truths; and near-duplicates.

Equal texts are those of equal `loose_key`: what an uncased encoder cannot tell apart. Knows nothing of how near texts
are found (`near`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from fastbert.data.examples import Example, QuestionExample, TaggedExample, ValueExample
from fastbert.insight.doctor.findings import Finding, FlaggedRow, by_share, percent, share_phrase
from fastbert.insight.doctor.material import Material, Part
from fastbert.insight.doctor.near import near_pairs

Member = tuple[Part, int]

# Choices of ours, of severity only.
LEAK_STOP, REPEAT_LOOK, NEAR_LOOK, CONFLICT_STOP = 0.01, 0.02, 0.05, 0.05
SURE_ROWS = 5  # that a stop needs: one of 80 test rows is no reason
NEAR = 0.8  # Jaccard index of the letters
FAR_VALUES = 0.5  # standard deviations between two numbers of one text


def loose_key(text: str, pair: str | None = None) -> str:
    r"""Return what makes two texts equal here: NFKC, case folded, each run of white space as one blank.

    >>> loose_key("Ｏpen  the\nDOOR ") == loose_key("open the door")
    True
    """
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded if pair is None else f"{folded}\0{loose_key(pair)}"


@dataclass(frozen=True)
class Repeats:
    """All examples by their text. groups: those of two or more, in the order of the files."""

    material: Material
    by_key: dict[str, list[Member]]

    @classmethod
    def of(cls, material: Material) -> Repeats:
        """Group the examples of all splits."""
        by_key: dict[str, list[Member]] = {}
        for part, index, example in material.examples():
            by_key.setdefault(loose_key(example.text, example.pair), []).append((part, index))
        return cls(material, by_key)

    @cached_property
    def groups(self) -> list[list[Member]]:
        """Return the texts with two examples or more."""
        return [members for members in self.by_key.values() if len(members) > 1]

    @cached_property
    def spread(self) -> float:
        """Return the standard deviation of the numbers, 0.0 for other tasks."""
        values = [
            example.value
            for _, _, example in self.material.examples()
            if isinstance(example, ValueExample) and example.value is not None
        ]
        return float(np.std(values)) if values else 0.0

    def far_apart(self, values: Sequence[float]) -> bool:
        """Return True if numbers of one text differ by more than annotators do."""
        return max(values) - min(values) > FAR_VALUES * self.spread

    def leaks(self, part: Part, index: int) -> bool:
        """Return True if an earlier split has the text of an example, too."""
        example = part.examples[index]
        return self.by_key[loose_key(example.text, example.pair)][0][0] is not part

    def conflict(self, members: Sequence[Member]) -> bool:
        """Return True if two of the examples say different things of one text."""
        examples = [part.examples[index] for part, index in members]
        values = [one.value for one in examples if isinstance(one, ValueExample) and one.value is not None]
        if values:
            return self.far_apart(values)
        truths = {truth for example in examples if (truth := _truth_of(example)) is not None}
        if truths and isinstance(examples[0], QuestionExample):
            return not frozenset.intersection(*truths) and len(truths) > 1
        return len(truths) > 1


def _truth_of(example: Example) -> frozenset[object] | None:
    if example.truth is None:
        return None
    if isinstance(example, QuestionExample):
        return frozenset(text.casefold() for text in example.right_texts)
    if isinstance(example, TaggedExample):  # places move with white space, words do not
        words = (loose_key(example.text[one.start : one.end]) for one in example.entities or ())
        return frozenset(enumerate(zip(words, (one.label for one in example.entities or ()), strict=True)))
    return frozenset(example.truth) if isinstance(example.truth, tuple) else frozenset([example.truth])


def repeat_findings(material: Material) -> list[Finding]:
    """Return what there is to say of texts that occur more than once, and of those that nearly do."""
    repeats = Repeats.of(material)
    return [
        *leaks(repeats),
        *_conflicts(repeats),
        *_repeats(repeats),
        *_near(repeats),
    ]


def leaks(repeats: Repeats) -> list[Finding]:
    """Return a finding for each split with texts that an earlier split has."""
    findings = []
    parts = list(repeats.material.parts.values())
    for part in parts[1:]:
        rows: list[FlaggedRow] = []
        sources: set[str] = set()
        for members in repeats.groups:
            earlier = [(other, index) for other, index in members if parts.index(other) < parts.index(part)]
            if earlier:
                source, first = earlier[0]
                own = [index for other, index in members if other is part]
                rows += [part.flag(index, f"also in {source.split}", source.place(first)) for index in own]
                sources |= {source.split} if own else set()
        if rows:
            severity = by_share(len(rows), len(part), look=0.0, stop=LEAK_STOP)
            findings.append(
                Finding(
                    "leaked_text",
                    "look" if len(rows) < SURE_ROWS else severity,
                    f"{share_phrase(len(rows), len(part))} of {part.split} have a text that is in "
                    f"{' or '.join(sorted(sources, key=list(repeats.material.parts).index))} too.",
                    "The scores will look better than they are: remove these texts from train"
                    f"{repeats.material.if_fixable(' (--fix does)')}.",
                    rows,
                )
            )
    return findings


def _conflicts(repeats: Repeats) -> list[Finding]:
    rows: list[FlaggedRow] = []
    texts = 0
    for members in repeats.groups:
        if repeats.conflict(members):
            texts += 1
            rows += list(_flag_group(members, "the same text, another truth"))
    if not rows:
        return []
    total = repeats.material.num_examples
    return [
        Finding(
            "conflict",
            "look" if len(rows) < SURE_ROWS else by_share(len(rows), total, look=0.0, stop=CONFLICT_STOP),
            f"{texts:,} {'text occurs' if texts == 1 else 'texts occur'} with different truths "
            f"({share_phrase(len(rows), total)}): no model can get all of these right.",
            f"Decide on one for each{repeats.material.if_fixable('; --fix with --drop-conflicts leaves them out')}.",
            rows,
        )
    ]


def _flag_group(members: Sequence[Member], detail: str) -> Iterator[FlaggedRow]:
    """Yield all rows of a group, each with the place of another one, of another truth where there is one."""
    truths = [_truth_of(part.examples[index]) for part, index in members]
    first: dict[frozenset[object] | None, Member] = {}
    for member, truth in zip(members, truths, strict=True):
        first.setdefault(truth, member)
    for (part, index), own in zip(members, truths, strict=True):
        alike = members[1] if (part, index) == members[0] else members[0]
        there, at = next((member for truth, member in first.items() if truth != own), alike)
        yield part.flag(index, detail, there.place(at))


def _repeats(repeats: Repeats) -> list[Finding]:
    rows: list[FlaggedRow] = []
    shares = []
    for part in repeats.material.parts.values():
        own_rows: list[FlaggedRow] = []
        for members in repeats.groups:
            own = [index for other, index in members if other is part]
            if len(own) > 1 and not repeats.conflict([(part, index) for index in own]):
                first = part.place(own[0])
                own_rows += [part.flag(index, "repeats a text with the same truth", first) for index in own[1:]]
        if own_rows:
            shares.append(f"{share_phrase(len(own_rows), len(part))} of {part.split}")
            rows += own_rows
    if not rows:
        return []
    return [
        Finding(
            "duplicate",
            by_share(len(rows), repeats.material.num_examples, look=REPEAT_LOOK),
            f"{', '.join(shares)} repeat a text that is already there, with the same truth.",
            f"Remove them{repeats.material.if_fixable(' (--fix does)')} unless the repetition is meant as a weight.",
            rows,
        )
    ]


# --- nearly the same --------------------------------------------------------------------------------


def _near(repeats: Repeats) -> list[Finding]:
    """Return what there is to say of texts that are at least NEAR alike, equal ones left out."""
    firsts = [members[0] for members in repeats.by_key.values()]
    examples = [part.examples[index] for part, index in firsts]
    answering = repeats.material.task == "answering"
    contexts: dict[str | None, int] = {}
    kinds = [contexts.setdefault(one.pair, len(contexts)) for one in examples] if answering else None
    shown = [one.text if answering or one.pair is None else f"{one.text} {one.pair}" for one in examples]
    found = near_pairs(shown, NEAR, kinds)
    groups = list(repeats.by_key.values())
    across: dict[str, dict[int, FlaggedRow]] = {}
    within: dict[tuple[str, int], FlaggedRow] = {}
    differing: dict[tuple[str, int], FlaggedRow] = {}
    for one, two, likeness in zip(found.first.tolist(), found.second.tolist(), found.likeness.tolist(), strict=True):
        for (part, index), (other, at), conflicting in _ways(repeats, groups[one], groups[two]):
            row = part.flag(index, f"{percent(likeness)} alike", other.place(at))
            if part is not other and not repeats.leaks(part, index):
                across.setdefault(part.split, {}).setdefault(index, row)
            if conflicting:
                differing.setdefault((part.split, index), row)
            elif part is other:
                within.setdefault((part.split, index), row)
    return _about_near(repeats.material, across, list(within.values()), list(differing.values()))


def _ways(repeats: Repeats, one: list[Member], two: list[Member]) -> Iterator[tuple[Member, Member, bool]]:
    """Yield each row of two near texts with the first row of the other text, the later one first; and if they differ.

    Later: of a later split, or of one split further down.
    """
    order = list(repeats.material.parts)
    for left, right in dict.fromkeys([*((left, two[0]) for left in one), *((one[0], right) for right in two)]):
        earlier, later = sorted((left, right), key=lambda member: (order.index(member[0].split), member[1]))
        yield later, earlier, _near_conflict(repeats, later, earlier)


def _near_conflict(repeats: Repeats, one: Member, other: Member) -> bool:
    """Return True if two near texts have different truths.

    Two questions about one context have different answers as a rule; of tagged texts, in which an entity may be what
    differs, the labels are compared.
    """
    examples = [part.examples[index] for part, index in (one, other)]
    if isinstance(examples[0], QuestionExample):
        return False
    if isinstance(examples[0], TaggedExample):
        labels = [[entity.label for entity in cast("TaggedExample", example).entities or ()] for example in examples]
        return labels[0] != labels[1]
    return repeats.conflict([one, other])


def _about_near(
    material: Material,
    across: dict[str, dict[int, FlaggedRow]],
    within: list[FlaggedRow],
    differing: list[FlaggedRow],
) -> list[Finding]:
    findings = []
    for split, rows in across.items():
        part = material.parts[split]
        findings.append(
            Finding(
                "near_leak",
                by_share(len(rows), len(part), look=LEAK_STOP),
                f"{share_phrase(len(rows), len(part))} of {split} are nearly the same as a text of an earlier split.",
                "The scores may look better than they are: if such texts come from one source, keep it on one side.",
                list(rows.values()),
            )
        )
    total = material.num_examples
    if differing:
        findings.append(
            Finding(
                "near_conflict",
                "note",
                f"{share_phrase(len(differing), total)} are nearly the same as another text and have another truth.",
                "Look whether a label is wrong; a small difference may also be the point (minimal pairs).",
                differing,
            )
        )
    if within:
        alone = "valid" not in material.parts and bool(material.if_fixable("grouped by a column"))
        findings.append(
            Finding(
                "near_duplicate",
                by_share(len(within), total, look=NEAR_LOOK),
                f"{share_phrase(len(within), total)} are nearly the same as an earlier text of their split"
                f"{'' if material.task == 'answering' else ', with the same truth'}.",
                "A share that is held out at random would have copies in train: remove them, or name what they have in "
                "common with --group."
                if alone
                else "They teach little: remove them, unless small differences are the point.",
                within,
            )
        )
    return findings
