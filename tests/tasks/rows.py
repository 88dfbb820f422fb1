"""Six labelled rows, short and long, and a tokenizer for them. The word tokenizer has one token a word."""

from __future__ import annotations

import numpy as np

from fastbert.data.examples import TextExample
from fastbert.data.tokens import Tokenizer
from fastbert.tasks.classification import Classification, MultiLabel
from tests.helpers import word_tokenizer

LONG = "the app is slow and the export button does nothing , please help me"
SIX_TEXTS = ("the app", LONG, "bug", "good " * 30, LONG + LONG, "")
SIX_LABELS = (("bug",), ("praise", "bug"), (), ("question",), ("bug",), ("praise",))
RNG = np.random.default_rng(0)


def tokenizer() -> Tokenizer:
    return Tokenizer(word_tokenizer(), pad_id=0, max_tokens=64, input_names=["input_ids", "attention_mask"])


def rows_for(task: Classification) -> list[TextExample]:
    """Return six labelled examples, short and long ones; one label each for a single-label task."""
    several = isinstance(task, MultiLabel)
    labels = [given_labels if several else (given_labels or ("bug",))[:1] for given_labels in SIX_LABELS]
    return [
        TextExample(text, labels=names, where=f"train.csv, row {number}")
        for number, (text, names) in enumerate(zip(SIX_TEXTS, labels, strict=True), start=2)
    ]
