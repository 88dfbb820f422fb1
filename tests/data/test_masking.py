"""Masks compared with their definition: shares, whole words, special tokens."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import models, processors

from fastbert.data.masking import Masked, Masking, mask_tokens
from fastbert.data.tokens import Tokenizer
from fastbert.errors import ConfigError, EncoderError
from tests.data.corpora import word_level
from tests.data.test_corpus_tokens import pieces

SPECIAL, MASK, ORDINARY = 2, 4, np.arange(5, 1005, dtype=np.int32)


def masking(rate: float = 0.15, whole_word: bool = True) -> Masking:
    return Masking(rate, whole_word, MASK, ORDINARY)


def text(num: int, seed: int, longest_word: int = 4) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Return tokens, some special, in words of up to so many tokens."""
    rng = np.random.default_rng(seed)
    ids = rng.choice(ORDINARY, num)
    ids[rng.random(num) < 0.1] = SPECIAL
    words = np.repeat(np.arange(num), rng.integers(1, longest_word + 1, num))[:num]
    continues = np.zeros(num, np.bool_)
    continues[1:] = words[1:] == words[:-1]
    return ids, continues


def mask(num: int, seed: int, lengths: list[int] | None = None, whole_word: bool = True, rate: float = 0.15) -> Masked:
    ids, continues = text(num, seed)
    sizes = np.array([num] if lengths is None else lengths)
    return mask_tokens(ids, continues, sizes, masking(rate, whole_word), np.random.default_rng(seed))


@given(st.integers(0, 300), st.integers(0, 10_000), st.booleans())
def test_targets_are_what_was_there_and_nothing_else_changes(num: int, seed: int, whole_word: bool) -> None:
    ids, _ = text(num, seed)
    masked = mask(num, seed, whole_word=whole_word)

    assert np.array_equal(masked.targets_M, ids[masked.places_M])
    assert SPECIAL not in masked.targets_M
    untouched = np.setdiff1d(np.arange(num), masked.places_M)
    assert np.array_equal(masked.ids_T[untouched], ids[untouched])
    assert np.all(np.diff(masked.places_M) > 0)


@given(st.integers(1, 300), st.integers(0, 10_000))
def test_a_word_is_masked_whole_or_not_at_all(num: int, seed: int) -> None:
    ids, continues = text(num, seed)
    masked = mask(num, seed)
    hidden = np.zeros(num, np.bool_)
    hidden[masked.places_M] = True

    inside = continues[1:] & (ids[1:] != SPECIAL) & (ids[:-1] != SPECIAL)
    assert np.array_equal(hidden[1:][inside], hidden[:-1][inside])


@given(st.integers(0, 10_000))
def test_each_sequence_has_its_share(seed: int) -> None:
    lengths = [128, 3, 64, 128]
    ids, _ = text(sum(lengths), seed)
    masked = mask(sum(lengths), seed, lengths)

    owner = np.repeat(np.arange(4), lengths)
    budgets = 0.15 * np.bincount(owner[ids != SPECIAL], minlength=4)
    counts = np.bincount(owner[masked.places_M], minlength=4)
    assert np.all(np.abs(counts - budgets) < 4)  # at most the rest of one word of four tokens


def test_a_phrase_of_very_many_tokens_is_no_word_to_hide() -> None:
    """Thai has no blanks inside a phrase; one of 40 tokens would be hidden or shown as a whole."""
    ids, continues = np.full(4000, ORDINARY[0], np.int32), np.arange(4000) % 40 > 0

    places = mask_tokens(ids, continues, np.array([4000]), masking(), np.random.default_rng(0)).places_M

    assert len(places) in (600, 601)
    assert len(np.unique(places // 40)) > 90  # of 100 phrases, each of which lost about six tokens


@pytest.mark.parametrize("whole_word", [True, False])
@pytest.mark.parametrize("rate", [0.15, 0.4])
def test_shares_are_those_of_the_paper(whole_word: bool, rate: float) -> None:
    num = 400_000
    ids, _ = text(num, 3)
    masked = mask(num, 3, [100] * (num // 100), whole_word, rate)

    hidden = masked.ids_T[masked.places_M]
    is_mask = hidden == MASK
    is_same = hidden == masked.targets_M
    assert len(masked.places_M) / np.sum(ids != SPECIAL) == pytest.approx(rate, abs=0.002)
    assert is_mask.mean() == pytest.approx(0.8, abs=0.006)
    assert is_same.mean() == pytest.approx(0.1, abs=0.006)  # a random token is the same once in 1,000 times
    assert (~is_mask & ~is_same).mean() == pytest.approx(0.1, abs=0.006)
    assert set(hidden[~is_mask]) <= set(ORDINARY.tolist())


def test_random_tokens_are_of_the_whole_vocabulary() -> None:
    masked = mask(400_000, 5, [100] * 4000)
    hidden = masked.ids_T[masked.places_M]
    drawn = hidden[(hidden != MASK) & (hidden != masked.targets_M)]

    assert len(np.unique(drawn)) > 0.99 * len(ORDINARY)


def test_the_same_generator_gives_the_same_masks_and_another_one_others() -> None:
    first, again, other = mask(500, 1), mask(500, 1), mask(500, 1, rate=0.2)
    assert np.array_equal(first.ids_T, again.ids_T)
    assert not np.array_equal(first.places_M, other.places_M)


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, float("nan")])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(ConfigError, match="it must be above 0 and below 1"):
        Masking.of(word_level(), rate)


def test_whole_words_are_the_default_of_wordpiece_alone() -> None:
    assert Masking.of(pieces()).whole_word
    assert not Masking.of(word_level()).whole_word
    assert Masking.of(word_level(), whole_word=True).whole_word
    assert Masking.of(pieces(), whole_word=False).describe() == "15 % of the tokens masked, token by token"


def test_special_and_unknown_tokens_are_neither_drawn_nor_predicted() -> None:
    tokenizer = pieces()
    found = Masking.of(tokenizer)

    assert found.mask_id == 4
    assert tokenizer.tokens_of(found.ordinary_V.tolist()) == ["play", "##ing", "##s", "a", "game"]


def test_the_mask_of_roberta_is_found() -> None:
    tokenizer = word_level("roberta")

    assert tokenizer.tokens_of([Masking.of(tokenizer).mask_id]) == ["<mask>"]


def test_a_mask_is_known_by_its_letters() -> None:
    backend = tokenizers.Tokenizer(models.WordLevel({"a": 0, "b": 1, "mask": 2}, unk_token="a"))
    backend.post_processor = processors.BertProcessing(("b", 1), ("a", 0))
    backend.add_special_tokens(["<|mask|>"])
    tokenizer = Tokenizer(backend, pad_id=0, max_tokens=9, input_names=[])

    assert tokenizer.tokens_of([Masking.of(tokenizer).mask_id]) == ["<|mask|>"]


def test_whole_words_are_refused_where_a_line_is_one_word() -> None:
    """Gemma's tokenizer replaces blanks and parts nothing."""
    vocabulary = {token: index for index, token in enumerate(["[MASK]", "[SEP]", "[CLS]", *"abonetwhr "])}
    backend = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.post_processor = processors.BertProcessing(("[SEP]", 1), ("[CLS]", 2))
    backend.add_special_tokens(["[MASK]", "[SEP]", "[CLS]"])
    tokenizer = Tokenizer(backend, pad_id=0, max_tokens=9, input_names=[])

    assert not Masking.of(tokenizer).whole_word
    with pytest.raises(EncoderError, match="does not part a text into words"):
        Masking.of(tokenizer, whole_word=True)


def test_a_tokenizer_without_a_mask_is_refused() -> None:
    backend = tokenizers.Tokenizer(models.WordLevel({"a": 0, "[SEP]": 1, "[CLS]": 2}, unk_token="a"))
    backend.post_processor = processors.BertProcessing(("[SEP]", 1), ("[CLS]", 2))
    tokenizer = Tokenizer(backend, pad_id=0, max_tokens=9, input_names=[])

    with pytest.raises(EncoderError, match=r"has no mask token \(\[MASK\] or <mask>\)"):
        Masking.of(tokenizer)
