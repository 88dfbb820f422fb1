"""How long the texts are in tokens of an encoder, and how many are longer than it reads at once.

Knows nothing of how an encoder is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fastbert.data.token_cache import cached
from fastbert.data.tokens import Tokenizer
from fastbert.insight.doctor.findings import Finding, by_share, share_phrase
from fastbert.insight.doctor.material import Material, texts_of

CUT_LOOK = 0.05  # of the rows of a split; a choice of ours
WINDOWED = ("tagging", "answering")  # tasks that read all of a text


@dataclass(frozen=True)
class Lengths:
    """Tokens of the texts of one split, special ones included. over: rows longer than the limit."""

    median: int
    high: int
    longest: int
    over: int

    def to_json(self) -> dict[str, int]:
        """Return plain values."""
        return {"median": self.median, "percentile_95": self.high, "longest": self.longest, "over_limit": self.over}


def measure_lengths(
    material: Material, tokenizer: Tokenizer, max_tokens: int
) -> tuple[Mapping[str, Lengths], list[Finding]]:
    """Return the lengths by split, and a finding for each split with texts that are longer than max_tokens."""
    lengths: dict[str, Lengths] = {}
    findings = []
    whole = material.task in WINDOWED or material.config.truncation == "windows"
    for split, part in material.parts.items():
        windows = cached(tokenizer).encode(*texts_of(part.examples), max_tokens=max_tokens)
        table = windows.table_W
        counts = table["num_tokens"][table["window"] == 0]
        order = np.sort(counts)
        over = np.flatnonzero(counts > max_tokens).tolist()
        high = int(order[min(len(order) - 1, int(len(order) * 0.95))])
        lengths[split] = Lengths(int(order[len(order) // 2]), high, int(order[-1]), len(over))
        if over:
            what = "read in overlapping windows" if whole else f"cut ({material.config.truncation})"
            advice = (
                "That takes as many times the work."
                if whole
                else "Raise --max-tokens if the encoder takes more, or use `--set truncation=windows`."
            )
            findings.append(
                Finding(
                    "long_text",
                    "note" if whole else by_share(len(over), len(part), look=CUT_LOOK),
                    f"{share_phrase(len(over), len(part))} of {split} have more than {max_tokens} tokens and are "
                    f"{what}.",
                    advice,
                    [part.flag(index, f"{int(counts[index]):,} tokens") for index in over],
                )
            )
    return lengths, findings
