"""Vocabularies learned from a corpus."""

from __future__ import annotations

import pytest

from fastbert.data.corpus import Corpus
from fastbert.data.vocabulary import SPECIAL_TOKENS, VocabularyKind, train_vocabulary
from fastbert.errors import ConfigError, DataError

LINES = ("The players were playing a game.", "She plays games; he played one.", "Caf\u00e9s play music, too!")
CORPUS = Corpus((LINES,) * 5)


@pytest.mark.parametrize("kind", ["wordpiece", "bpe"])
def test_a_vocabulary_has_the_size_and_the_special_tokens_first(kind: VocabularyKind) -> None:
    tokenizer = train_vocabulary(CORPUS, 300, kind=kind)

    assert [tokenizer.id_to_token(index) for index in range(5)] == list(SPECIAL_TOKENS)
    assert 30 < tokenizer.get_vocab_size() <= 300


@pytest.mark.parametrize("kind", ["wordpiece", "bpe"])
def test_the_text_it_was_learned_from_has_no_unknown_token_and_is_framed(kind: VocabularyKind) -> None:
    encoded = train_vocabulary(CORPUS, 300, kind=kind).encode(LINES[0], LINES[2])

    assert "[UNK]" not in encoded.tokens
    assert (encoded.tokens[0], encoded.tokens[-1], encoded.tokens.count("[SEP]")) == ("[CLS]", "[SEP]", 2)
    assert (encoded.type_ids[0], encoded.type_ids[-1]) == (0, 1)


def test_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="vocabulary is 'foo'; expected wordpiece or bpe"):
        train_vocabulary(CORPUS, 300, kind="foo")  # type: ignore[arg-type]


def test_a_size_beyond_all_memory_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"vocab_size is 1,000,000,000; it may be 1,000,000 at most"):
        train_vocabulary(CORPUS, 10**9)


@pytest.mark.parametrize("kind", ["wordpiece", "bpe"])
def test_the_same_corpus_gives_the_same_vocabulary(kind: VocabularyKind) -> None:
    first, again = (train_vocabulary(CORPUS, 280, kind=kind).to_str() for _ in range(2))

    assert first == again


def test_ideographs_have_all_the_room_that_pieces_leave() -> None:
    """Each is a word of its own: none has a continuation, and nothing is joined to pieces."""
    characters = [chr(0x4E00 + index) for index in range(300)]
    corpus = Corpus(tuple((line,) for line in ("".join(characters), "".join(characters[:100]), "".join(characters))))

    full, short = (train_vocabulary(corpus, size) for size in (400, 205))

    assert full.get_vocab_size() == 305 and short.get_vocab_size() == 205
    assert not [token for token in full.get_vocab() if token.startswith("##")]
    assert "[UNK]" not in full.encode(corpus.documents[0][0]).tokens
    assert set(characters[:100]) < set(short.get_vocab())
    assert sorted(full.get_vocab().values()) == list(range(305))


def test_characters_that_join_are_continuations_too_and_signs_are_not() -> None:
    vocabulary = train_vocabulary(CORPUS, 300).get_vocab()

    assert {"##a", "a", ";", ","} <= set(vocabulary)
    assert not {"##;", "##,"} & set(vocabulary)


def test_case_is_kept_where_it_is_asked_for() -> None:
    cased, folded = (train_vocabulary(CORPUS, 300, lowercase=lowercase) for lowercase in (False, True))

    assert cased.encode("She").ids != cased.encode("she").ids
    assert folded.encode("She").ids == folded.encode("she").ids
    assert folded.encode("Caf\u00e9s").ids == folded.encode("cafes").ids


@pytest.mark.parametrize(("kind", "least"), [("wordpiece", 6), ("bpe", 261)])
def test_a_vocabulary_without_room_is_refused(kind: VocabularyKind, least: int) -> None:
    with pytest.raises(ConfigError, match=f"vocab_size is 5; {kind} needs at least {least}"):
        train_vocabulary(CORPUS, 5, kind=kind)


def test_a_corpus_without_pieces_is_refused() -> None:
    with pytest.raises(DataError, match="too small to learn a vocabulary from"):
        train_vocabulary(Corpus((("\u200d",),)), 100)


def test_a_half_surrogate_is_no_obstacle() -> None:
    assert train_vocabulary(Corpus((("caf\ud83d \u00e9 caf", "caf"),)), 100).get_vocab_size() > 6


@pytest.mark.parametrize(
    "line",
    [
        "m\u00e1 ma m\u00e0 m\u1ea1",
        "\u0939\u093f\u0928\u094d\u0926\u0940 \u092e\u0947\u0902",
        "\u0e17\u0e35\u0e48\u0e19\u0e35\u0e48",
    ],
)
def test_marks_are_kept_where_they_are_letters(line: str) -> None:
    """Vowels of Hindi and Thai, tones of Vietnamese."""
    tokenizer = train_vocabulary(Corpus(((line,),) * 9), 300)

    assert tokenizer.normalizer.normalize_str(line) == line
    assert "[UNK]" not in tokenizer.encode(line).tokens


def test_a_phrase_of_many_characters_is_no_unknown_word() -> None:
    line = "\u0e01\u0e02" * 150

    assert "[UNK]" not in train_vocabulary(Corpus(((line,),) * 9), 300).encode(line).tokens
