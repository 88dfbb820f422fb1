"""Texts for the bench: made-up ones of a given length, and the options under which a bundle was trained.

Knows nothing of speed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fastbert.bundle import read_bundle
from fastbert.errors import ConfigError
from fastbert.models.loading import open_encoder

_SPREAD = 0.5  # lengths lie between half and one and a half of the mean, so that batches have padding to save
_WORDS = 2000


def made_up_rows(encoder: str, tokens: int, count: int, seed: int) -> list[dict[str, object]]:
    """Return labelled rows whose texts have a mean length, in tokens, of words that the encoder knows.

    Raises ConfigError for a length that the encoder does not take.
    """
    opened = open_encoder(encoder)
    most = opened.default_max_tokens
    if not 4 <= tokens <= most:
        raise ConfigError(f"tokens is {tokens}; it must be at least 4 and at most {most}, which the encoder takes.")
    special = set(opened.fast_tokenizer.all_special_tokens)
    known = (token for token in opened.fast_tokenizer.get_vocab() if token.isalpha() and token not in special)
    words = sorted(known)[:_WORDS]
    rng = np.random.default_rng(seed)
    lengths = np.linspace(1 - _SPREAD, 1 + _SPREAD, count) * tokens
    rows: list[dict[str, object]] = []
    for index, length in enumerate(rng.permutation(lengths)):
        num_words = max(1, min(round(length), most) - 2)  # two special tokens frame a text
        rows.append({"text": " ".join(rng.choice(words, num_words)), "label": ("yes", "no")[index % 2]})
    return rows


def bundle_options(folder: Path) -> dict[str, object]:
    """Return the options of a bundle that speed depends on, its own folder as encoder among them."""
    bundle = read_bundle(folder)
    if bundle.head is not None:
        raise ConfigError(
            f"{folder}: the model has a head of its own, {bundle.head}, which the bench cannot build.",
            "Time its encoder: fastbert bench --encoder FOLDER.",
        )
    return {"encoder": str(folder), "max_tokens": bundle.max_tokens, "pooling": bundle.pooling}
