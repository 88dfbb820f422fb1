"""The YAML at the head of a model card, which a model hub searches and shows: kind, base model, tags, scores.

Its keys are those of the Hugging Face Hub (`model-index` for scores). Knows nothing of the rest of the card.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path

from fastbert.bundle import Bundle
from fastbert.insight.run_facts import RunFacts

NO_PIPELINE = "other"  # the hub wants a kind of task for every result


def front_matter(bundle: Bundle, facts: RunFacts) -> str:
    """Return the lines from --- to ---. Scores are the headline ones of each split that a table is known of."""
    lines = ["library_name: transformers"]
    if bundle.task.pipeline:
        lines.append(f"pipeline_tag: {bundle.task.pipeline}")
    encoder = str(facts.options.get("encoder", ""))
    if re.fullmatch(r"[\w.-]+/[\w.-]+", encoder) and not encoder.startswith(".") and not Path(encoder).exists():
        lines.append(f"base_model: {json.dumps(encoder)}")
    tags = ["fastbert", bundle.task.name.replace("_", "-")]
    return "\n".join(["---", *lines, "tags:", *(f"- {tag}" for tag in tags), *_index(bundle, facts), "---"])


def _index(bundle: Bundle, facts: RunFacts) -> list[str]:
    results = [
        line
        for split, scores in bundle.scores.items()
        if (table := _table_of(split, facts))
        for line in _result(bundle, facts.name_of(split), table, scores)
    ]
    return ["model-index:", f"- name: {_text(bundle.folder.name)}", "  results:", *results] if results else []


def _table_of(split: str, facts: RunFacts) -> str:
    """Return the table that the rows of a split come from, "" where it has no name."""
    own = facts.tables.get(split)
    return str(own or facts.tables.get("train") or "")


def _result(bundle: Bundle, split: str, table: str, scores: Mapping[str, float]) -> list[str]:
    known = [(name, scores[name]) for name in bundle.task.headlines if math.isfinite(scores.get(name, math.nan))]
    if not known:
        return []
    metrics = [line for name, value in known for line in (f"    - type: {name}", f"      value: {round(value, 6)}")]
    return [
        "  - task:",
        f"      type: {bundle.task.pipeline or NO_PIPELINE}",
        "    dataset:",
        f"      name: {_text(table)}",
        f"      type: {_text(Path(table).stem)}",
        f"      split: {_text(split)}",
        "    metrics:",
        *metrics,
    ]


def _text(value: str) -> str:
    """Return a string of YAML; JSON's strings are some, but for the two halves that JSON makes of an emoji."""
    return json.dumps(value, ensure_ascii=False)
