"""A corpus as token ids in flat arrays, with where words, sentences and documents begin.

Made once; every epoch takes its sequences from it by index. Knows nothing of special tokens, masks or files.

Axes: T tokens, S sentences, D documents; a 1 behind an axis: one more entry, the end of the last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fastbert.data.corpus import Corpus
from fastbert.data.tokens import Tokenizer
from fastbert.errors import DataError

Ids = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CorpusTokens:
    """Token ids of all documents in order, without special tokens.

    continues_T: True where a token continues the word of the token before it.
    sentences_S1: where in ids_T each sentence begins.    documents_D1: where in sentences_S1 each document begins.
    A sentence or document of which the tokenizer leaves nothing is not in it.
    """

    ids_T: Ids
    continues_T: Flags
    sentences_S1: Places
    documents_D1: Places

    @property
    def num_documents(self) -> int:
        """Return the number of documents."""
        return len(self.documents_D1) - 1

    @property
    def starts_D1(self) -> Places:
        """Return where in ids_T each document begins."""
        return self.sentences_S1[self.documents_D1]

    def unknown_share(self, tokenizer: Tokenizer) -> float:
        """Return which share of the tokens stands for what the vocabulary does not know."""
        unknown = tokenizer.unknown_id
        return 0.0 if unknown is None else float(np.mean(self.ids_T == unknown))

    @cached_property
    def fingerprint(self) -> str:
        """Return a hash of the tokens and of their bounds."""
        digest = hashlib.blake2b(digest_size=20)
        for array in (self.ids_T, self.continues_T, self.sentences_S1, self.documents_D1):
            digest.update(f"{array.dtype.str}{len(array)}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def tokenize_corpus(corpus: Corpus, tokenizer: Tokenizer) -> CorpusTokens:
    """Return the tokens of a corpus. Raises DataError if the tokenizer leaves none."""
    texts = [line for document in corpus.documents for line in document]
    ids, words, lengths = bytearray(), bytearray(), []
    for found, word_ids in tokenizer.encode_words(texts):
        ids += np.array(found, np.int32).tobytes()
        words += continuations(word_ids).tobytes()
        lengths.append(len(found))
    if not ids:
        raise DataError(
            "The tokenizer of the encoder finds no token in the corpus.", "Check the encoding of the files."
        )
    lengths_S = np.array(lengths, np.int64)
    filled_S = lengths_S > 0
    # sentences that are left of each document
    owners_S = np.repeat(np.arange(len(corpus.documents)), [len(document) for document in corpus.documents])
    counts_D = np.bincount(owners_S[filled_S], minlength=len(corpus.documents))
    return CorpusTokens(
        np.frombuffer(ids, np.int32),
        np.frombuffer(words, np.bool_),
        _bounds(lengths_S[filled_S]),
        _bounds(counts_D[counts_D > 0]),
    )


def continuations(word_ids: Sequence[int | None]) -> Flags:
    """Return for each token whether it is of the same word as the token before it.

    >>> continuations([0, 1, 1, None, None, 2]).tolist()
    [False, False, True, False, False, False]
    """
    words_T = np.array([-1 if word is None else word for word in word_ids], np.int64)
    continues_T = np.zeros(len(words_T), np.bool_)
    continues_T[1:] = (words_T[1:] == words_T[:-1]) & (words_T[1:] >= 0)
    return continues_T


def _bounds(lengths: Places) -> Places:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
