"""All checks of the data, one after the other, and what they found.

A new check is one more row of CHECKS. Knows nothing of files' formats or of how findings are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fastbert.data.tokens import Tokenizer
from fastbert.insight.doctor.columns import column_findings
from fastbert.insight.doctor.duplicates import repeat_findings
from fastbert.insight.doctor.findings import SEVERITIES, Finding, Severity, ranked
from fastbert.insight.doctor.label_pairs import LabelPairs
from fastbert.insight.doctor.labels import LabelCounts, label_findings
from fastbert.insight.doctor.lengths import Lengths, measure_lengths
from fastbert.insight.doctor.material import Material
from fastbert.insight.doctor.reading_notes import reading_findings
from fastbert.insight.doctor.telling import telling_findings
from fastbert.insight.doctor.texts import text_findings
from fastbert.insight.doctor.truths import answer_findings, entity_findings, value_findings

Check = Callable[[Material], list[Finding]]
CHECKS: Mapping[str, Check] = {
    "files": reading_findings,
    "repeated texts": repeat_findings,
    "labels": label_findings,
    "numbers": value_findings,
    "entities": entity_findings,
    "contexts": answer_findings,
    "texts": text_findings,
    "telling words": telling_findings,
    "other columns": column_findings,
}


@dataclass(frozen=True)
class Checkup:
    """What was checked and found.

    findings: the worst first.    counts: rows, or entities, of each label.    lengths: in tokens, by split; empty
    where no encoder was at hand, which `notes` then say.    pairs: rows with two labels, where rows have several.
    """

    material: Material
    findings: Sequence[Finding]
    counts: LabelCounts
    lengths: Mapping[str, Lengths] = field(default_factory=dict)
    max_tokens: int | None = None
    notes: tuple[str, ...] = ()
    pairs: LabelPairs = field(default_factory=lambda: LabelPairs({}))

    def count(self, severity: Severity) -> int:
        """Return how many findings are of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def with_findings(self, more: Sequence[Finding]) -> Checkup:
        """Return the checkup with findings that were made elsewhere."""
        return replace(self, findings=ranked([*self.findings, *more]))

    def with_note(self, note: str) -> Checkup:
        """Return the checkup with one more sentence about what was not measured."""
        return replace(self, notes=(*self.notes, note))

    def to_json(self) -> dict[str, object]:
        """Return plain values, without any text of a row."""
        parts = self.material.parts.values()
        return {
            "task": self.material.task,
            "files": {
                part.split: {"file": str(part.path), "format": part.format, "rows": part.num_rows} for part in parts
            },
            "severities": {severity: self.count(severity) for severity in SEVERITIES},
            "findings": [finding.to_json() for finding in self.findings],
            "label_counts": {split: dict(counts) for split, counts in self.counts.by_split.items()},
            "label_pairs": self.pairs.to_json(),
            "tokens": {split: lengths.to_json() for split, lengths in self.lengths.items()},
            "max_tokens": self.max_tokens,
            "notes": list(self.notes),
        }


def check_material(
    material: Material,
    *,
    tokenizer: Tokenizer | None = None,
    max_tokens: int | None = None,
    on_check: Callable[[str], None] = lambda name: None,
    notes: Sequence[str] = (),
) -> Checkup:
    """Run all checks.

    tokenizer, max_tokens: of the encoder to be trained; without them lengths are not measured.
    on_check: called with the name of each check before it runs.
    """
    findings: list[Finding] = []
    for name, check in CHECKS.items():
        on_check(name)
        findings += check(material)
    lengths: Mapping[str, Lengths] = {}
    limit = None
    if tokenizer is not None:
        on_check("lengths")
        limit = tokenizer.max_tokens if max_tokens is None else max_tokens
        lengths, more = measure_lengths(material, tokenizer, limit)
        findings += more
    counts, pairs = LabelCounts.of(material), LabelPairs.of(material)
    return Checkup(material, ranked(findings), counts, lengths, limit, tuple(notes), pairs)
