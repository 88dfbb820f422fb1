"""What a run on a corpus will do, and what it did: shown to people and saved beside the checkpoint.

Knows nothing of how either is done. No text of a corpus is in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from fastbert.config import AdaptConfig
from fastbert.display import Block, View, duration, number
from fastbert.training.masked_loop import Progress

FACTS = "adaptation.json"  # beside the checkpoint: plan and scores


@dataclass(frozen=True)
class AdaptPlan:
    """What will be done. train, valid, encoder, runtime, masking: phrases.

    sequences: of the first epoch.    tokens: of the corpus that is trained on.    head_steps: in which a new head
    learns alone.    seconds: that training and evaluations are estimated to take on this machine.
    """

    config: AdaptConfig
    train: str
    valid: str
    encoder: str
    runtime: str
    masking: str
    tokens: int
    sequences: int
    steps: int
    head_steps: int
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "encoder": self.encoder,
            "runtime": self.runtime,
            "train": self.train,
            "valid": self.valid,
            "tokens": self.tokens,
            "sequences": self.sequences,
            "steps": self.steps,
            "head_steps": self.head_steps,
            "estimated_seconds": round(self.seconds, 1),
            "masking": self.masking,
            "options": self.config.to_json(),
            "notes": list(self.notes),
            "reasons": list(self.reasons),
            "warnings": list(self.warnings),
        }

    def _masks(self) -> str:
        written, epochs = self.config.pregenerate, self.config.epochs or 1
        if not written:
            return "anew in each epoch"
        if written >= epochs:
            return "anew in each epoch, all written first"
        return f"of {written} epochs, which are written first and used in turn"

    def view(self) -> View:
        """Return the plan for people."""
        config = self.config
        pairs = (
            ", pairs with next-sentence prediction" if config.next_sentence else ", documents packed without padding"
        )
        lines = (
            f"corpus     {self.train}; held out {self.valid}",
            f"examples   {self.sequences:,} sequences of up to {config.max_tokens} tokens an epoch{pairs}",
            f"masking    {self.masking}, {self._masks()}",
            f"encoder    {self.encoder}",
            f"machine    {self.runtime}",
            f"training   {config.epochs} epochs = {self.steps:,} steps of {config.batch_size} sequences, "
            f"peak lr {config.lr:g}",
            f"estimate   about {duration(self.seconds)}",
        )
        blocks = [Block("Plan", lines)]
        facts = (*self.notes, *self.reasons)
        blocks += [Block("Inferred", tuple(f"- {fact}" for fact in facts))] if facts else []
        blocks += [Block("Worth a look", tuple(f"- {one}" for one in self.warnings))] if self.warnings else []
        return View(tuple(blocks))


@dataclass(frozen=True)
class AdaptResult:
    """What a run gave. folder: the checkpoint.    key: hash of corpus, encoder and options."""

    folder: Path
    plan: AdaptPlan
    progress: Progress
    key: str

    @classmethod
    def read(cls, folder: Path, plan: AdaptPlan) -> Self | None:
        """Return the result that lies beside a checkpoint, None if there is none. plan: what would be done now."""
        try:
            found = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            numbers = {name: found[name] for name in ("epochs", "steps", "tokens", "seconds")}
            return cls(folder, plan, Progress(**numbers, evaluations=tuple(found["evaluations"])), found["key"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def scores(self) -> Mapping[str, float]:
        """Return the scores of the text held out, at the end."""
        return self.progress.evaluations[-1]

    @property
    def tokens_per_second(self) -> float:
        """Return tokens trained on per second of training steps."""
        return self.progress.tokens / self.progress.seconds if self.progress.seconds else 0.0

    def to_json(self) -> dict[str, object]:
        """Return what is saved beside the checkpoint and printed as JSON."""
        progress = self.progress
        return {
            "key": self.key,
            "plan": self.plan.to_json(),
            "scores": dict(self.scores),
            "evaluations": [dict(scores) for scores in progress.evaluations],
            "epochs": progress.epochs,
            "steps": progress.steps,
            "tokens": progress.tokens,
            "seconds": round(progress.seconds, 3),
            "tokens_per_second": round(self.tokens_per_second, 1),
        }

    def block(self) -> Block:
        """Return the scores before and after, as a table."""
        first, last = self.progress.evaluations[0], self.scores
        rows = tuple(
            (name, *(number(scores.get(column)) for column in last))
            for name, scores in (("before", first), ("after", last))
        )
        return Block("Held-out text", (), ("", *last), rows)
