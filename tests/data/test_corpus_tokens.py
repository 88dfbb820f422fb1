"""A corpus as flat arrays of tokens."""

from __future__ import annotations

import numpy as np
import pytest
import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, processors

from fastbert.data.corpus import Corpus
from fastbert.data.corpus_tokens import continuations, tokenize_corpus
from fastbert.data.tokens import Tokenizer
from fastbert.errors import DataError
from tests.data.corpora import word_level


def pieces() -> Tokenizer:
    """Return a WordPiece tokenizer of a few pieces."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "play", "##ing", "##s", "a", "game"]
    backend = tokenizers.Tokenizer(models.WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.add_special_tokens(tokens[:5])
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return Tokenizer(backend, pad_id=0, max_tokens=64, input_names=["input_ids"])


def test_tokens_lie_flat_with_the_bounds_of_sentences_and_documents() -> None:
    tokens = tokenize_corpus(Corpus((("playing games", "a game"), ("plays",))), pieces())

    assert tokens.ids_T.tolist() == [5, 6, 9, 7, 8, 9, 5, 7]
    assert tokens.continues_T.tolist() == [False, True, False, True, False, False, False, True]
    assert tokens.sentences_S1.tolist() == [0, 4, 6, 8]
    assert tokens.documents_D1.tolist() == [0, 2, 3]
    assert tokens.starts_D1.tolist() == [0, 6, 8]
    assert tokens.num_documents == 2


def test_a_special_token_written_in_a_text_is_no_part_of_a_word() -> None:
    tokens = tokenize_corpus(Corpus((("a [MASK] playing",),)), pieces())

    assert tokens.ids_T.tolist() == [8, 4, 5, 6]
    assert tokens.continues_T.tolist() == [False, False, False, True]


def test_sentences_without_tokens_are_left_out() -> None:
    tokens = tokenize_corpus(Corpus((("\u200d", "a game"), ("\u200d",), ("a",))), pieces())

    assert tokens.sentences_S1.tolist() == [0, 2, 3]
    assert tokens.documents_D1.tolist() == [0, 1, 2]


def test_a_corpus_without_tokens_is_refused() -> None:
    with pytest.raises(DataError, match="finds no token in the corpus"):
        tokenize_corpus(Corpus((("\u200d",),)), pieces())


def test_equal_tokens_have_the_same_fingerprint_and_others_another() -> None:
    first, same, other = (
        tokenize_corpus(Corpus(documents), word_level())
        for documents in ((("the app",), ("works",)), (("the app",), ("works",)), (("the app", "works"),))
    )

    assert first.fingerprint == same.fingerprint != other.fingerprint
    assert np.array_equal(first.ids_T, other.ids_T)


def test_a_half_surrogate_is_no_obstacle() -> None:
    assert len(tokenize_corpus(Corpus((("a \ud83d game",),)), pieces()).ids_T) == 3


def test_nothing_continues_in_no_words() -> None:
    assert continuations([]).tolist() == []
