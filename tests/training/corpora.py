"""A corpus of a few documents as a file, and a run on it that takes a second. The words are those of a tiny encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fastbert.config import AdaptConfig
from tests.helpers import DEFAULT_WORDS


def write_corpus(path: Path, num_documents: int = 60, num_sentences: int = 4) -> Path:
    """Write documents of sentences in which each word is followed by the next one of the vocabulary."""
    rng = np.random.default_rng(0)
    words = [word for word in DEFAULT_WORDS if word.isalpha()]
    documents = []
    for _ in range(num_documents):
        starts = rng.integers(len(words) - 9, size=num_sentences)
        documents.append("\n".join(" ".join(words[start : start + 8]) for start in starts))
    path.write_text("\n\n".join(documents) + "\n", encoding="utf-8")
    return path


def quick(**changes: object) -> AdaptConfig:
    """Return options for a run of some steps."""
    return AdaptConfig(epochs=3, lr=3e-3, batch_size=8, max_tokens=24, valid_share=0.1, precision="fp32").changed(
        **changes
    )
