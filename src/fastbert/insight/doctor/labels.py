"""What looks wrong with the labels as a whole: counts, names, splits.

Labels are those of rows, or of entities in tagged text. Knows nothing of texts.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from fastbert.data.checks import MAX_IMBALANCE, MIN_LABEL_ROWS
from fastbert.data.columns import listed
from fastbert.data.entity_checks import MIN_ENTITIES
from fastbert.data.label_reader import layout_names
from fastbert.data.layout import Layout
from fastbert.insight.doctor.chance import chi_square
from fastbert.insight.doctor.findings import Finding, FlaggedRow, Severity, counted, percent
from fastbert.insight.doctor.label_pairs import pair_findings
from fastbert.insight.doctor.material import Material, Part

# Choices of ours, for the severity and the silence of findings: no result depends on them.
SHIFT_NOTE, SHIFT_LOOK = 0.05, 0.15  # total variation distance: the share of rows that would need another label
SHIFT_P = 0.001
TYPO_LETTERS = 5  # of the shorter of two names that differ in one letter
MOST_NAMES, LONGEST_NAME = 10_000, 60  # labels, and letters of one, in which slips are sought
TYPO_SHARE = 0.1  # rows of the rarer name to those of the other


@dataclass(frozen=True)
class LabelCounts:
    """Rows (or entities) of each label in each split. by_split: split -> label -> count.    what: "rows".

    known: the labels that a labels file or 0/1 columns name, if any do; train need not have rows of each.
    """

    by_split: Mapping[str, Counter[str]]
    what: str
    known: tuple[str, ...] = ()

    @classmethod
    def of(cls, material: Material) -> LabelCounts:
        """Count the labels of all splits."""
        tagging = material.task == "tagging"
        by_split = {}
        for split, part in material.parts.items():
            counts: Counter[str] = Counter()
            for example in part.examples:
                if tagging and isinstance(example.truth, tuple):
                    counts.update(entity.label for entity in example.truth)
                else:
                    counts.update(material.truth(example))
            by_split[split] = counts
        known = layout_names(material.layout) if isinstance(material.layout, Layout) else None
        return cls(by_split, "entities" if tagging else "rows", known or ())

    @property
    def names(self) -> list[str]:
        """Return all labels, the most frequent first."""
        total: Counter[str] = Counter()
        for counts in self.by_split.values():
            total.update(counts)
        return sorted(total, key=lambda name: (-total[name], name))


def label_findings(material: Material) -> list[Finding]:
    """Return what there is to say of labels; nothing for tasks without any."""
    if material.task not in ("single_label", "multi_label", "tagging"):
        return []
    counts = LabelCounts.of(material)
    return [
        *_unknown(material, counts),
        *_misspelt(material, counts),
        *_rare(counts, MIN_ENTITIES if material.task == "tagging" else MIN_LABEL_ROWS),
        *_absent(counts),
        *_imbalance(material, counts),
        *_shifts(material, counts),
        *(pair_findings(material) if material.task == "multi_label" else []),
    ]


def _rows_with(part: Part, material: Material, names: set[str], detail: str) -> list[FlaggedRow]:
    return [
        part.flag(index, detail.format(label=", ".join(sorted(names & set(material.truth(example))))))
        for index, example in enumerate(part.examples)
        if names & set(material.truth(example))
    ]


def _unknown(material: Material, counts: LabelCounts) -> list[Finding]:
    findings = []
    for split, part in material.parts.items():
        strange = [name for name in counts.by_split[split] if name not in counts.by_split["train"]]
        if split != "train" and strange:
            rows = _rows_with(part, material, set(strange), "label {label} is not in train")
            findings.append(_unseen(split, strange, rows) if counts.known else _refused(split, strange, rows))
    return findings


def _refused(split: str, strange: Sequence[str], rows: Sequence[FlaggedRow]) -> Finding:
    return Finding(
        "unknown_label",
        "stop",
        f"{split} has {len(strange)} {_labels(strange)} that train does not have: {listed(strange, 8)}.",
        "Training refuses such a file: correct the names, or move rows of these labels to train.",
        rows,
    )


def _unseen(split: str, strange: Sequence[str], rows: Sequence[FlaggedRow]) -> Finding:
    """Return the finding for names that training knows, of a file of labels or of 0/1 columns."""
    return Finding(
        "unseen_label",
        "look",
        f"{split} has rows of {len(strange)} {_labels(strange)} of which train has none: {listed(strange, 8)}.",
        "They cannot be learned, and every such row counts as a mistake: move some to train.",
        rows,
    )


def _misspelt(material: Material, counts: LabelCounts) -> list[Finding]:
    """Report names that are the same but for case, blanks and signs, and those with one letter changed."""
    total: Counter[str] = Counter()
    for found in counts.by_split.values():
        total.update(found)
    same = pairs_by(counts.names, lambda name: [fold_label(name)])  # the first of two is the more frequent
    near = [
        (one, two)
        for one, two in pairs_by(counts.names[:MOST_NAMES], _slips)
        if fold_label(one) != fold_label(two) and _is_slip(one, two) and total[two] <= max(TYPO_SHARE * total[one], 1)
    ]
    findings = []
    ways: tuple[tuple[str, Severity, list[tuple[str, str]], str, str], ...] = (
        ("label_spelling", "stop", same, "but for case, blanks or signs", " (--fix merges case and blanks)"),
        ("label_typo", "look", near, "but for one letter", ""),
    )
    for kind, severity, pairs, how, fix in ways:
        if pairs:
            shown = "; ".join(f"'{one}' ({total[one]:,}) and '{two}' ({total[two]:,})" for one, two in pairs[:5])
            rows = [
                row
                for part in material.parts.values()
                for row in _rows_with(part, material, {two for _, two in pairs}, "label {label}: check its spelling")
            ]
            findings.append(
                Finding(
                    kind,
                    severity,
                    f"{counted(len(pairs), 'pair of labels is', 'pairs of labels are')} the same {how}: {shown}.",
                    f"If they mean the same, write them alike: else they are learned as two labels{fix}.",
                    rows,
                )
            )
    return findings


def fold_label(name: str) -> str:
    """Return a name without what people write now so, now so: case, blanks, hyphens, underscores, full stops.

    >>> fold_label("Bug-Report ") == fold_label("bug report"), fold_label("1") == fold_label("-1")
    (True, False)
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    short = re.sub(r"(?<=\w)[\s\-_./]+(?=\w)|\s+|\.$", "", folded)
    return short or folded


def pairs_by(names: Sequence[str], keys_of: Callable[[str], Iterable[str]]) -> list[tuple[str, str]]:
    """Return the pairs of names that share a key, each once and in order: not all pairs are looked at.

    >>> pairs_by(["ab", "b", "xa", "ac"], lambda name: name)
    [('ab', 'b'), ('ab', 'xa'), ('ab', 'ac'), ('xa', 'ac')]
    """
    holders: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        for key in set(keys_of(name)):
            holders.setdefault(key, []).append(place)
    places = {pair for found in holders.values() if len(found) > 1 for pair in combinations(found, 2)}
    return [(names[one], names[two]) for one, two in sorted(places)]


def _slips(name: str) -> Iterator[str]:
    """Yield a name, and it without each of its letters: two names with a slip between them share one of these."""
    if TYPO_LETTERS <= len(name) <= LONGEST_NAME:
        folded = name.casefold()
        yield folded
        yield from (folded[:place] + folded[place + 1 :] for place in range(len(folded)))


def _is_slip(one: str, two: str) -> bool:
    """Return True for two words of letters with one letter added, left out, changed or two exchanged."""
    if min(len(one), len(two)) < TYPO_LETTERS or abs(len(one) - len(two)) > 1:
        return False
    if re.sub(r"\d+", "", one) == re.sub(r"\d+", "", two):
        return False  # class1 and class2
    left, right = one.casefold(), two.casefold()
    start = next((place for place in range(min(len(left), len(right))) if left[place] != right[place]), None)
    if start is None:
        return left + "s" != right and right + "s" != left  # a plural may be meant
    rest = (left[start:], right[start:])
    swapped = len(left) == len(right) and rest[0][:2] == rest[1][:2][::-1] and rest[0][2:] == rest[1][2:]
    changed = len(left) == len(right) and rest[0][1:] == rest[1][1:]
    added = rest[0][1:] == rest[1] or rest[1][1:] == rest[0]
    return swapped or changed or added


def _rare(counts: LabelCounts, least: int) -> list[Finding]:
    train = {**dict.fromkeys(counts.known, 0), **counts.by_split["train"]}
    rare = sorted((count, name) for name, count in train.items() if count < least)
    if not rare:
        return []
    names = ", ".join(f"'{name}' ({count})" for count, name in rare[:8]) + (", ..." if len(rare) > 8 else "")
    return [
        Finding(
            "rare_label",
            "look",
            f"{len(rare)} of {len(train)} labels have fewer than {least} {counts.what} in train: {names}.",
            "Expect poor results for them: add some, or merge labels that are alike.",
        )
    ]


def _absent(counts: LabelCounts) -> list[Finding]:
    findings = []
    for split in counts.by_split:
        absent = [name for name in counts.names if counts.by_split["train"][name] and not counts.by_split[split][name]]
        if split != "train" and absent:
            findings.append(
                Finding(
                    "absent_label",
                    "look" if split == "valid" else "note",
                    f"{split} has no {counts.what} of {len(absent)} of {len(counts.by_split['train'])} labels: "
                    f"{listed(absent, 8)}.",
                    "Nothing can be said of how well they are learned: move some there.",
                )
            )
    return findings


def _imbalance(material: Material, counts: LabelCounts) -> list[Finding]:
    train = counts.by_split["train"].most_common()
    rows = len(material.parts["train"])
    findings = []
    constant = [name for name, count in train if count == rows and material.task == "multi_label"]
    if constant:
        findings.append(
            Finding(
                "constant_label",
                "look",
                f"Every row of train has the {_labels(constant)} {listed(constant, 8)}: there is nothing to learn.",
                "Add rows without it, or remove the label.",
            )
        )
    if len(train) > 1 and train[0][1] > MAX_IMBALANCE * train[-1][1]:
        (most, many), (least, few) = train[0], train[-1]
        findings.append(
            Finding(
                "imbalance",
                "note",
                f"The labels of train are far from balanced: '{most}' has {many:,} {counts.what}, '{least}' {few:,}.",
                "Accuracy hides rare labels: look at f1_macro and at the scores of each label, and consider "
                "`--set loss=balanced`.",
            )
        )
    return findings


def _shifts(material: Material, counts: LabelCounts) -> list[Finding]:
    """Report splits whose labels are not those of train: surely, and by more than a little."""
    findings = []
    train, names = counts.by_split["train"], counts.names
    for split, found in counts.by_split.items():
        sizes = (sum(train.values()), sum(found.values()))
        if split == "train" or not all(sizes):
            continue
        _, p = chi_square([[train[name] for name in names], [found[name] for name in names]])
        shares = {name: (train[name] / sizes[0], found[name] / sizes[1]) for name in names}
        distance = sum(abs(one - two) for one, two in shares.values()) / 2
        if p < SHIFT_P and distance >= SHIFT_NOTE:
            widest = sorted(shares, key=lambda name: -abs(shares[name][0] - shares[name][1]))[:3]
            shown = ", ".join(f"'{name}' {percent(shares[name][0])} and {percent(shares[name][1])}" for name in widest)
            findings.append(
                Finding(
                    "label_shift",
                    "look" if distance >= SHIFT_LOOK else "note",
                    f"The labels of train and {split} are not distributed alike: {shown} (chi-square test, p "
                    f"{'below 0.0001' if p < 1e-4 else f'= {p:.4f}'}; {percent(distance)} of the labels would have to "
                    "be others).",
                    f"If {split} is what the model will meet, let train be like it; if not, divide the rows anew.",
                )
            )
    return findings


def _labels(names: Sequence[str]) -> str:
    return "label" if len(names) == 1 else "labels"
