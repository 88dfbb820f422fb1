"""Token ids as transformers makes them, and what each way of cutting a text keeps."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import models, normalizers, pre_tokenizers, processors

from fastbert.config import Truncation
from fastbert.data.cutting import HEAD_SHARE
from fastbert.data.tokens import Tokenizer
from fastbert.errors import EncoderError
from fastbert.models.loading import Encoder, open_encoder
from tests.bundles import needs_minilm, open_tiny
from tests.data.per_row import encode, encode_all
from tests.helpers import DEFAULT_WORDS, FAMILIES, word_tokenizer

CLS, SEP = 2, 3  # of the tiny BERT
words = st.lists(st.sampled_from([*DEFAULT_WORDS, "zebra", "Paris", "é", "\n", "日本", "it's"]), max_size=90).map(
    " ".join
)
# Special tokens inside a text, and any character at all.
texts = words | st.text(max_size=60) | st.sampled_from(["", " ", "[SEP] the [PAD]", "</s> app <mask>", "a\u200db"])
WAYS: tuple[Truncation, ...] = ("head", "tail", "head_tail", "windows")


@functools.cache
def encoder_of(family: str, base: Path) -> Encoder:
    return open_encoder("minilm") if family == "minilm" else open_tiny(base / f"tokens-{family}", family)


def small(max_tokens: int = 64) -> Tokenizer:
    """Return the tiny BERT's tokenizer: one token a word, [CLS] text [SEP] pair [SEP]."""
    names = ["input_ids", "attention_mask", "token_type_ids"]
    return Tokenizer(word_tokenizer(), pad_id=0, max_tokens=max_tokens, input_names=names)


def numbered(count: int) -> tuple[Tokenizer, str, list[int]]:
    """Return a tokenizer with a token for each of w0, w1, ...; their text; and their ids."""
    listed = [f"w{number}" for number in range(count)]
    names = ["input_ids", "attention_mask"]
    return Tokenizer(word_tokenizer(listed), pad_id=0, max_tokens=64, input_names=names), " ".join(listed), [
        5 + number for number in range(count)
    ]  # fmt: skip


# --- equal to transformers --------------------------------------------------------------------------


@pytest.mark.parametrize("family", [*FAMILIES, pytest.param("minilm", marks=needs_minilm)])
@settings(max_examples=40)
@given(text=texts, pair=st.none() | texts, max_tokens=st.integers(6, 64))
def test_ids_and_types_are_those_of_transformers(
    family: str, text: str, pair: str | None, max_tokens: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    encoder = encoder_of(family, tmp_path_factory.getbasetemp())
    # Lists: called with an empty pair alone, transformers leaves the pair out.
    expected = encoder.fast_tokenizer([text], None if pair is None else [pair], truncation=True, max_length=max_tokens)

    (window,) = encode(encoder.tokenizer, text, pair, max_tokens).windows

    assert [window.ids] == expected["input_ids"]
    assert [window.types] == expected.get("token_type_ids", [window.types])
    assert ("token_type_ids" in encoder.tokenizer.input_names) == ("token_type_ids" in expected)


@pytest.mark.parametrize("family", [*FAMILIES, pytest.param("minilm", marks=needs_minilm)])
def test_singles_and_pairs_in_one_call_equal_calls_of_their_own(
    family: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tokenizer = encoder_of(family, tmp_path_factory.getbasetemp()).tokenizer
    rows = [("the app", None), ("", "slow"), ("page " * 50, "not " * 50), ("good", None), ("bad", "")]

    together = encode_all(tokenizer, rows, 20)

    assert together == [encode(tokenizer, text, pair, 20) for text, pair in rows]


@given(text=texts, pair=st.none() | texts)
def test_the_full_length_is_that_of_the_uncut_encoding(text: str, pair: str | None) -> None:
    tokenizer = small()
    whole = tokenizer.backend.encode(text, pair) if pair is not None else tokenizer.backend.encode(text)

    encoded = encode(tokenizer, text, pair, 8, "tail")

    assert encoded.num_tokens == len(whole.ids)
    assert encoded.cut == (len(whole.ids) > 8)


# --- what is kept -----------------------------------------------------------------------------------


def test_head_keeps_the_beginning() -> None:
    tokenizer, text, expected = numbered(20)

    (window,) = encode(tokenizer, text, None, 10, "head").windows

    assert window.ids == [CLS, *expected[:8], SEP]


def test_tail_keeps_the_end() -> None:
    tokenizer, text, expected = numbered(20)

    (window,) = encode(tokenizer, text, None, 10, "tail").windows

    assert window.ids == [CLS, *expected[-8:], SEP]


def test_head_tail_keeps_a_quarter_from_the_beginning_and_the_rest_from_the_end() -> None:
    tokenizer, text, expected = numbered(20)

    (window,) = encode(tokenizer, text, None, 10, "head_tail").windows

    assert HEAD_SHARE == 0.25
    assert window.ids == [CLS, *expected[:2], *expected[-6:], SEP]
    assert [text[start:end] for start, end in window.pieces] == ["w0 w1", "w14 w15 w16 w17 w18 w19"]


@pytest.mark.parametrize("truncation", WAYS)
def test_a_text_that_just_fits_is_not_cut(truncation: Truncation) -> None:
    tokenizer, text, expected = numbered(8)

    encoded = encode(tokenizer, text, None, 10, truncation)

    assert [window.ids for window in encoded.windows] == [[CLS, *expected, SEP]]
    assert not encoded.cut
    assert encoded.windows[0].pieces == ((0, len(text)),)


@given(count=st.integers(0, 60), max_tokens=st.integers(5, 40))
def test_windows_hold_every_token_and_overlap_by_a_quarter(count: int, max_tokens: int) -> None:
    tokenizer, text, expected = numbered(count)
    room = max_tokens - 2

    windows = encode(tokenizer, text, None, max_tokens, "windows").windows

    spans = [range(expected.index(window.ids[1]), expected.index(window.ids[-2]) + 1) for window in windows if count]
    assert set(itertools.chain.from_iterable(spans)) == set(range(count))
    assert all(len(window.ids) <= max_tokens for window in windows)
    assert all(len(one) == room for one in spans) or len(spans) <= 1
    assert all(left.stop - right.start >= room // 4 for left, right in itertools.pairwise(spans))
    assert all(left.start < right.start for left, right in itertools.pairwise(spans))


def test_windows_repeat_the_pair() -> None:
    tokenizer, text, expected = numbered(30)

    windows = encode(tokenizer, text, "w3 w4", 13, "windows").windows

    assert len(windows) > 3
    assert [window.ids[-4:] for window in windows] == [[SEP, *expected[3:5], SEP]] * len(windows)
    assert {tuple(window.types[-3:]) for window in windows} == {(1, 1, 1)}


def test_a_long_pair_takes_at_most_half_the_room_of_a_window() -> None:
    tokenizer, text, expected = numbered(30)

    first = encode(tokenizer, text, text, 13, "windows").windows[0]

    assert first.ids == [CLS, *expected[:5], SEP, *expected[:5], SEP]


def test_a_long_pair_takes_the_room_that_a_short_text_leaves() -> None:
    """It was cut to half the room, and the rest of the window stayed empty."""
    tokenizer, text, expected = numbered(30)

    (window,) = encode(tokenizer, "w7", text, 13, "windows").windows

    assert window.ids == [CLS, expected[7], SEP, *expected[:9], SEP]


@pytest.mark.parametrize("truncation", WAYS)
def test_an_empty_text_is_its_special_tokens(truncation: Truncation) -> None:
    encoded = encode(small(), "", None, 8, truncation)

    assert [window.ids for window in encoded.windows] == [[CLS, SEP]]
    assert (encoded.num_tokens, encoded.cut, encoded.windows[0].pieces) == (2, False, ())


@pytest.mark.parametrize("truncation", WAYS)
def test_an_empty_text_before_a_long_pair_is_encoded(truncation: Truncation) -> None:
    tokenizer, text, _ = numbered(30)

    encoded = encode(tokenizer, "", text, 10, truncation)

    assert [len(window.ids) for window in encoded.windows] == [10]
    assert encoded.windows[0].pieces == ()


def test_no_texts_give_nothing() -> None:
    windows = small().encode([], [], max_tokens=8)

    assert (len(windows), len(windows.ids_T)) == (0, 0)


def test_half_of_a_surrogate_pair_is_read_as_one_unknown_character() -> None:
    """JSON can hold one; the tokenizer refuses it as no Unicode."""
    encoded = encode(small(), "the \ud83d app", "\ud83d")

    assert encoded.windows[0].pieces == ((0, 9),)
    assert encoded.windows[0].ids == encode(small(), "the ? app", "?").windows[0].ids


# --- pieces -----------------------------------------------------------------------------------------


@given(text=words, pair=st.none() | words, max_tokens=st.integers(5, 64), truncation=st.sampled_from(WAYS))
def test_pieces_are_the_characters_of_the_kept_tokens(
    text: str, pair: str | None, max_tokens: int, truncation: Truncation
) -> None:
    tokenizer = small()

    windows = encode(tokenizer, text, pair, max_tokens, truncation).windows

    kept = [list(itertools.takewhile(lambda index: index != SEP, window.ids[1:])) for window in windows]
    read = [
        list(
            itertools.chain.from_iterable(
                tokenizer.backend.encode(text[start:end], add_special_tokens=False).ids for start, end in window.pieces
            )
        )
        for window in windows
    ]
    assert read == kept


@given(text=texts, max_tokens=st.integers(5, 20), truncation=st.sampled_from(WAYS))
def test_pieces_stand_in_order_inside_the_text(text: str, max_tokens: int, truncation: Truncation) -> None:
    windows = encode(small(), text, None, max_tokens, truncation).windows

    bounds = [[0, *itertools.chain.from_iterable(window.pieces), len(text)] for window in windows]
    assert bounds == [sorted(one) for one in bounds]


# --- limits -----------------------------------------------------------------------------------------


def test_more_tokens_than_the_encoder_takes_are_refused() -> None:
    with pytest.raises(EncoderError) as caught:
        encode(small(max_tokens=32), "the app", None, 33)

    assert str(caught.value) == (
        "max_tokens is 33; this encoder takes at most 32.\n  Use --max-tokens 32 or less, or truncation 'windows'."
    )


def test_too_few_tokens_for_any_text_are_refused() -> None:
    with pytest.raises(EncoderError, match=r"max_tokens is 4; special tokens alone take 3\."):
        encode(small(), "the app", None, 4)


def test_the_smallest_length_holds_a_token_of_each_text() -> None:
    tokenizer, text, expected = numbered(9)

    (window,) = encode(tokenizer, text, text, 5).windows

    assert window.ids == [CLS, expected[0], SEP, expected[0], SEP]


# --- the tokenizer's own file -----------------------------------------------------------------------


def test_truncation_and_padding_of_the_file_do_not_leak() -> None:
    backend = word_tokenizer()
    backend.enable_truncation(4)
    backend.enable_padding(length=30)

    tokenizer = Tokenizer(backend, pad_id=0, max_tokens=64, input_names=["input_ids"])

    text = "the app works fast"
    assert encode(tokenizer, text).windows[0].ids == encode(small(), text).windows[0].ids


def test_the_given_tokenizer_keeps_its_settings() -> None:
    backend = word_tokenizer()
    backend.enable_padding(length=30)
    Tokenizer(backend, pad_id=0, max_tokens=64, input_names=["input_ids"])

    assert len(backend.encode("the app").ids) == 30


@needs_minilm
def test_the_fixed_padding_of_minilm_does_not_leak() -> None:
    tokenizer = open_encoder("minilm").tokenizer

    assert len(encode(tokenizer, "the app").windows[0].ids) == 4


def test_a_saved_tokenizer_encodes_alike(tmp_path: Path) -> None:
    tokenizer = small()
    tokenizer.backend.save(str(tmp_path / "tokenizer.json"))

    again = Tokenizer.from_folder(tmp_path, tokenizer.to_json())

    assert again.to_json() == tokenizer.to_json()
    assert encode(again, "the app", "is slow") == encode(tokenizer, "the app", "is slow")


def test_a_folder_without_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"there is no tokenizer\.json"):
        Tokenizer.from_folder(tmp_path, small().to_json())


@pytest.mark.parametrize("name", ["pad_id", "max_tokens", "input_names"])
def test_settings_that_lack_a_value_are_refused(name: str, tmp_path: Path) -> None:
    tokenizer = small()
    tokenizer.backend.save(str(tmp_path / "tokenizer.json"))
    lacking = {key: value for key, value in tokenizer.to_json().items() if key != name}

    with pytest.raises(EncoderError, match="expected pad_id, max_tokens and input_names"):
        Tokenizer.from_folder(tmp_path, lacking)


def test_a_tokenizer_that_drops_letters_is_refused() -> None:
    backend = tokenizers.Tokenizer(models.WordLevel({"b": 0}, unk_token="b"))
    backend.normalizer = normalizers.Replace("a", "")

    with pytest.raises(EncoderError, match="The tokenizer drops the text 'a'"):
        Tokenizer(backend, pad_id=0, max_tokens=8, input_names=["input_ids"])


def test_a_tokenizer_without_special_tokens_has_an_empty_frame() -> None:
    backend = tokenizers.Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="b"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()

    tokenizer = Tokenizer(backend, pad_id=0, max_tokens=8, input_names=["input_ids"])

    assert encode(tokenizer, "a b", "b a", 8).windows[0].ids == [0, 1, 1, 0]


def test_a_letter_of_several_tokens_does_not_hide_the_frame() -> None:
    """Byte-level and sentence-piece tokenizers split even the probe into pieces."""
    backend = tokenizers.Tokenizer(models.WordLevel({"_": 0, "a": 1, "<s>": 2, "</s>": 3}, unk_token="_"))
    backend.normalizer = normalizers.Prepend("_ ")
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.BertProcessing(("</s>", 3), ("<s>", 2))

    tokenizer = Tokenizer(backend, pad_id=0, max_tokens=16, input_names=["input_ids"])

    assert encode(tokenizer, "a a", "a", 16).windows[0].ids == backend.encode("a a", "a").ids


@pytest.mark.parametrize(("lowercase", "vocabulary"), [(True, ["a"]), (False, ["a", "A"]), (False, ["b"])])
def test_case_folding_is_seen(lowercase: bool, vocabulary: list[str]) -> None:
    """The last one does not know the letter at all: unknown twice is not folded."""
    backend = word_tokenizer(vocabulary)
    backend.normalizer = normalizers.BertNormalizer(lowercase=lowercase)

    assert Tokenizer(backend, pad_id=0, max_tokens=8, input_names=[]).lowercases is lowercase


@needs_minilm
def test_minilm_is_uncased() -> None:
    assert open_encoder("minilm").tokenizer.lowercases


def test_ids_are_shown_as_tokens() -> None:
    tokenizer = small()
    window = encode(tokenizer, "the zebra").windows[0]

    assert tokenizer.tokens_of(window.ids) == ["[CLS]", "the", "[UNK]", "[SEP]"]
    assert tokenizer.tokens_of([9999]) == ["?"]


@given(text=texts)
def test_ids_are_int32_for_any_text(text: str) -> None:
    windows = small().encode([text], [None], max_tokens=64)

    assert windows.ids_of(0).dtype == windows.types_of(0).dtype == np.int32
    assert windows.ids_of(0).shape == windows.types_of(0).shape


def test_tokenizers_are_alike_where_vocabulary_and_settings_are() -> None:
    assert small().is_like(small())
    assert not small().is_like(small(max_tokens=32))
    assert not small().is_like(numbered(3)[0])
