"""Small corpora as token arrays, for the tests of masking and chunking. The words are those of `tests.helpers`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastbert.data.corpus_tokens import CorpusTokens
from fastbert.data.frames import Frames
from fastbert.data.masking import Masking
from fastbert.data.tokens import Tokenizer
from tests.helpers import DEFAULT_WORDS, word_tokenizer


def corpus_of(documents: Sequence[Sequence[int]], *, first_id: int = 5) -> CorpusTokens:
    """Return documents of sentences of so many tokens each; ids count on from first_id over ordinary words."""
    sizes = [size for document in documents for size in document]
    ids_T = (np.arange(sum(sizes)) % len(DEFAULT_WORDS) + first_id).astype(np.int32)
    counts = [len(document) for document in documents]
    starts = [np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64) for lengths in (sizes, counts)]
    return CorpusTokens(ids_T, np.zeros(len(ids_T), np.bool_), *starts)


def word_level(family: str = "bert") -> Tokenizer:
    """Return a tokenizer of whole words with the special tokens of a family."""
    names = ["input_ids", "token_type_ids", "attention_mask"]
    return Tokenizer(word_tokenizer(family=family), pad_id=0, max_tokens=64, input_names=names)


def frames_and_masking(rate: float = 0.15) -> tuple[Frames, Masking]:
    tokenizer = word_level()
    return tokenizer.frames, Masking.of(tokenizer, rate)
