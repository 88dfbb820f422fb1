"""Which labels go together, of rows that have several: how often, which are one, which imply another, which never meet.

Knows nothing of texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from fastbert.insight.doctor.findings import Finding, counted, share_phrase
from fastbert.insight.doctor.material import Material

# Choices of ours, for the severity and the silence of findings: no result depends on them.
PAIR_ROWS = 20  # of a label, before it is said to imply another, or never to go with it
IMPLIED = 0.99
EXPECTED_TOGETHER = 10.0
MOST_PAIRS = 10

Pair = tuple[str, str]


@dataclass(frozen=True)
class LabelPairs:
    """Rows of each split that have two labels. by_split: split -> pair, in the order of names -> rows."""

    by_split: Mapping[str, Counter[Pair]]

    @classmethod
    def of(cls, material: Material) -> LabelPairs:
        """Count the pairs of all splits; none of tasks with one label a row, or of entities."""
        if material.task != "multi_label":
            return cls({})
        return cls(
            {
                split: Counter(
                    pair for example in part.examples for pair in combinations(sorted(material.truth(example)), 2)
                )
                for split, part in material.parts.items()
            }
        )

    def ranked(self) -> list[Pair]:
        """Return all pairs that occur, those of most rows first."""
        total: Counter[Pair] = sum(self.by_split.values(), Counter())
        return sorted(total, key=lambda pair: (-total[pair], pair))

    def count(self, split: str, one: str, two: str) -> int:
        """Return how many rows of a split have both labels, in either order."""
        return self.by_split[split][min(one, two), max(one, two)]

    def to_json(self) -> dict[str, list[dict[str, object]]]:
        """Return the pairs of each split with their rows, the most frequent first."""
        return {
            split: [
                {"labels": list(pair), "rows": rows}
                for pair, rows in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
            ]
            for split, pairs in self.by_split.items()
        }


def pair_findings(material: Material) -> list[Finding]:
    """Return what there is to say of labels that go together in train, or never do."""
    rows = [material.truth(example) for example in material.parts["train"].examples]
    if rows and all(len(row) == 1 for row in rows):
        return [
            Finding(
                "one_label_each",
                "look",
                "Every row of train has exactly one label, but they are read as a choice of several.",
                "Use --task single_label if a row can have only one.",
            )
        ]
    single = Counter(name for row in rows for name in row)
    pairs = LabelPairs.of(material).by_split["train"]
    return [*_always(single, pairs, len(rows)), *_never(single, pairs, len(rows))]


def _always(single: Counter[str], pairs: Counter[Pair], num_rows: int) -> list[Finding]:
    same, implied = [], []
    for (one, two), count in pairs.most_common():
        low, high = sorted((one, two), key=lambda name: single[name])
        if single[low] < PAIR_ROWS or single[low] == num_rows:  # a label of every row is said to be one elsewhere
            continue
        if count == single[one] == single[two]:
            same.append((one, two, count))
        elif count >= IMPLIED * single[low] and single[high] <= num_rows / 2:  # most rows have the other one anyway
            implied.append((low, high, f"{share_phrase(count, single[low])}"))
    findings = []
    if same:
        shown = "; ".join(f"'{one}' and '{two}' ({count:,})" for one, two, count in same[:MOST_PAIRS])
        findings.append(
            Finding(
                "same_label",
                "look",
                f"{counted(len(same), 'pair of labels is', 'pairs of labels are')} on the same rows of train: {shown}.",
                "One of the two is enough, unless rows will come that have only one.",
            )
        )
    if implied:
        shown = "; ".join(f"'{low}' has '{high}' in {share}" for low, high, share in implied[:MOST_PAIRS])
        findings.append(
            Finding(
                "implied_label",
                "note",
                f"{counted(len(implied), 'label implies', 'labels imply')} another one in train: {shown}.",
                "If that is so by definition, it can be a rule and need not be learned.",
            )
        )
    return findings


def _never(single: Counter[str], pairs: Counter[Pair], num_rows: int) -> list[Finding]:
    least = EXPECTED_TOGETHER * num_rows / max(single.values(), default=1)
    frequent = sorted(name for name, count in single.items() if count >= least)  # of 10,000 labels hardly any
    found = (
        (single[one] * single[two] / num_rows, one, two)
        for one, two in combinations(frequent, 2)
        if (one, two) not in pairs
    )
    never = sorted((one for one in found if one[0] >= EXPECTED_TOGETHER), reverse=True)
    if not never:
        return []
    shown = "; ".join(f"'{one}' and '{two}' ({expected:.0f} expected)" for expected, one, two in never[:5])
    return [
        Finding(
            "never_together",
            "note",
            f"{counted(len(never), 'pair of labels is', 'pairs of labels are')} on no row of train together, though "
            f"chance alone would bring them together: {shown}.",
            "Check that it is so by their meaning, and not because annotators stopped at the first label.",
        )
    ]
