"""Windows with the origin of their tokens: the windows of `encode`, and the characters of each token."""

from __future__ import annotations

import itertools
import unicodedata

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from fastbert.config import Truncation
from fastbert.data import tokens
from fastbert.data.cutting import Slide
from fastbert.data.offsets import PAIR, SPECIAL, TEXT, Offsets
from fastbert.data.tokens import Tokenizer
from fastbert.data.windows import Windows
from fastbert.errors import EncoderError
from tests.bundles import needs_minilm
from tests.data.test_tokens import WAYS, encoder_of, numbered, small, texts
from tests.helpers import FAMILIES

Origin = tuple[int, int, str]  # source, index of the token, its characters
Rows = list[tuple[str, str | None]]


def arrays(windows: Windows) -> tuple[object, ...]:
    types = None if windows.types_T is None else windows.types_T.tolist()
    return windows.ids_T.tolist(), types, windows.table_W.tolist(), windows.ids_T.dtype, windows.table_W.dtype


def split(rows: Rows) -> tuple[list[str], list[str | None]]:
    return [text for text, _ in rows], [pair for _, pair in rows]


def origins(tokenizer: Tokenizer, text: str, pair: str | None = None, max_tokens: int = 64) -> list[Origin]:
    """Encode one text that is not cut; return the origin of each token."""
    _, offsets = tokenizer.encode_with_offsets([text], [pair], max_tokens=max_tokens)
    return read(offsets, text, pair)


def read(offsets: Offsets, text: str, pair: str | None) -> list[Origin]:
    of_source = {TEXT: text, PAIR: pair or "", SPECIAL: ""}
    rows = zip(
        offsets.source_T.tolist(),
        offsets.token_T.tolist(),
        offsets.start_T.tolist(),
        offsets.end_T.tolist(),
        strict=True,
    )
    return [(source, token, of_source[source][start:end]) for source, token, start, end in rows]


def byte_level(*, trim: bool) -> Tokenizer:
    """Return a tokenizer as RoBERTa's: a blank belongs to the token behind it."""
    alphabet = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<s>", "</s>"]
    vocabulary = {token: index for index, token in enumerate([*alphabet, "\u0120\u0120", "\u0120a"])}
    backend = tokenizers.Tokenizer(models.BPE(vocabulary, [("\u0120", "\u0120"), ("\u0120", "a")]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    end, begin = ("</s>", vocabulary["</s>"]), ("<s>", vocabulary["<s>"])
    backend.post_processor = processors.RobertaProcessing(end, begin, trim_offsets=trim)
    return Tokenizer(backend, pad_id=0, max_tokens=64, input_names=["input_ids"])


def metaspace() -> Tokenizer:
    """Return a tokenizer as XLM-RoBERTa's: a mark stands for the blank before a word, and before the first one too."""
    vocabulary = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), ("\u2581", -3.0), ("\u2581app", -1.0), ("s", -2.0)]
    backend = tokenizers.Tokenizer(models.Unigram(vocabulary, unk_id=0))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    ends = [("<s>", 1), ("</s>", 2)]
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ends
    )
    return Tokenizer(backend, pad_id=0, max_tokens=64, input_names=["input_ids"])


# --- the windows of encode --------------------------------------------------------------------------


@pytest.mark.parametrize("family", [*FAMILIES, pytest.param("minilm", marks=needs_minilm)])
@settings(max_examples=30)
@given(
    rows=st.lists(st.tuples(texts, st.none() | texts), max_size=6),
    max_tokens=st.integers(6, 64),
    truncation=st.sampled_from(WAYS),
    slide=st.sampled_from(["text", "pair"]),
    overlap=st.none() | st.integers(0, 40),
)
def test_windows_equal_those_of_encode(
    family: str,
    rows: Rows,
    max_tokens: int,
    truncation: Truncation,
    slide: Slide,
    overlap: int | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    tokenizer = encoder_of(family, tmp_path_factory.getbasetemp()).tokenizer
    firsts, seconds = split(rows)
    expected = tokenizer.encode(
        firsts, seconds, max_tokens=max_tokens, truncation=truncation, slide=slide, overlap=overlap
    )

    windows, offsets = tokenizer.encode_with_offsets(
        firsts, seconds, max_tokens=max_tokens, truncation=truncation, slide=slide, overlap=overlap
    )

    assert arrays(windows) == arrays(expected)
    assert {len(array) for array in vars(offsets).values()} == {len(expected.ids_T)}


@pytest.mark.parametrize(("texts_held", "characters_held"), [(1, 10**6), (3, 10**6), (1000, 12)])
def test_many_slices_give_what_one_gives(
    texts_held: int, characters_held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer, text, _ = numbered(30)
    rows: Rows = [(text[: 3 * cut], None if cut % 3 else text[cut:]) for cut in range(10)]
    at_once, offsets = tokenizer.encode_with_offsets(*split(rows), max_tokens=9, truncation="windows")

    monkeypatch.setattr(tokens, "SLICE", texts_held)
    monkeypatch.setattr(tokens, "SLICE_CHARACTERS", characters_held)
    sliced, again = tokenizer.encode_with_offsets(*split(rows), max_tokens=9, truncation="windows")

    assert arrays(sliced) == arrays(at_once)
    assert [array.tolist() for array in vars(again).values()] == [array.tolist() for array in vars(offsets).values()]


def test_each_distinct_text_is_tokenised_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer, seen = small(), list[str]()
    call = tokenizer._call

    def counted(encode: object, texts: list[str]) -> object:
        seen.extend(texts)
        return call(encode, texts)  # type: ignore[arg-type]

    monkeypatch.setattr(tokenizer, "_call", counted)
    tokenizer.encode_with_offsets(["who", "where", "who", "app"], ["the app", "the app", "app", None], max_tokens=9)

    assert seen == ["who", "where", "app", "the app"]


def test_too_many_tokens_are_refused_as_by_encode() -> None:
    with pytest.raises(EncoderError, match="max_tokens is 65; this encoder takes at most 64"):
        small().encode_with_offsets(["the"], [None], max_tokens=65)


def test_no_texts_give_nothing() -> None:
    windows, offsets = small().encode_with_offsets([], [], max_tokens=8)

    assert (len(windows), [len(array) for array in vars(offsets).values()]) == (0, [0, 0, 0, 0])


# --- the origin of a token --------------------------------------------------------------------------


def test_tokens_of_the_text_of_the_pair_and_special_ones_are_told_apart() -> None:
    assert origins(small(), "Who works?", "Anna  works.") == [
        (SPECIAL, -1, ""),
        (TEXT, 0, "Who"),
        (TEXT, 1, "works"),
        (TEXT, 2, "?"),
        (SPECIAL, -1, ""),
        (PAIR, 0, "Anna"),
        (PAIR, 1, "works"),
        (PAIR, 2, "."),
        (SPECIAL, -1, ""),
    ]


def test_the_arrays_are_narrow() -> None:
    _, offsets = small().encode_with_offsets(["the app"], ["slow"], max_tokens=8)

    assert [array.dtype.name for array in vars(offsets).values()] == ["int8", "int32", "int32", "int32"]


def test_a_special_token_written_in_a_text_belongs_to_the_text() -> None:
    assert origins(small(), "the [SEP] app")[2] == (TEXT, 1, "[SEP]")


def test_tokens_keep_their_index_and_characters_where_a_window_begins_later() -> None:
    tokenizer, text, _ = numbered(20)

    windows, offsets = tokenizer.encode_with_offsets(
        ["w3"], [text], max_tokens=12, truncation="windows", slide="pair", overlap=3
    )

    last = slice(int(windows.table_W["start"][-1]) + 3, None)
    assert offsets.token_T[last].tolist() == [*range(12, 20), -1]
    assert [text[start:end] for start, end in zip(offsets.start_T[last], offsets.end_T[last], strict=True)] == [
        *(f"w{number}" for number in range(12, 20)),
        "",
    ]


def test_half_of_a_surrogate_pair_moves_no_offset() -> None:
    assert origins(small(), "the \ud83d app")[1:-1] == [(TEXT, 0, "the"), (TEXT, 1, "\ud83d"), (TEXT, 2, "app")]


def test_characters_beyond_the_basic_plane_count_as_one() -> None:
    assert [part for _, _, part in origins(small(), "🙂 app 🙂 the")[1:-1]] == ["🙂", "app", "🙂", "the"]


def test_offsets_are_of_the_text_as_it_was_given_not_as_it_was_normalised() -> None:
    assert [part for _, _, part in origins(small(), "THE\u0301  App\x00 the")[1:-1]][-2:] == ["App", "the"]


# --- marks ------------------------------------------------------------------------------------------


def marks_dropped() -> Tokenizer:
    """Return a tokenizer as BERT's for lower case: without accents and vowel signs."""
    words = ["[UNK]", "[CLS]", "[SEP]", "zoe", "in", "jo", "##se", "\u0906\u0924", "\u2764"]
    backend = tokenizers.Tokenizer(models.WordPiece({word: index for index, word in enumerate(words)}))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return Tokenizer(backend, pad_id=0, max_tokens=64, input_names=["input_ids"])


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("Zoe\u0308 in", ["Zoe\u0308", "in"]),
        ("Zoe\u0308", ["Zoe\u0308"]),
        ("Jose\u0301\u0323!", ["Jo", "se\u0301\u0323", "!"]),
        ("\u0906\u0924\u0947 in", ["\u0906\u0924\u0947", "in"]),
        ("\u2764\ufe0f", ["\u2764\ufe0f"]),
        ("in \u0308 in", ["in", "in"]),
        ("e\u0301e\u0301 in", ["e\u0301e\u0301", "in"]),
    ],
    ids=["accent", "at the end", "two of them", "vowel sign", "variant", "on a blank", "unknown word"],
)
def test_a_range_holds_the_marks_of_its_last_character(text: str, ranges: list[str]) -> None:
    found = origins(marks_dropped(), text)[1:-1]

    assert [characters for _, _, characters in found] == ranges


def test_a_mark_at_the_beginning_of_the_next_text_is_not_taken() -> None:
    _, offsets = marks_dropped().encode_with_offsets(["in", "\u0308 in"], [None, None], max_tokens=8)

    assert [end for end in offsets.end_T.tolist() if end] == [2, 4]


def test_a_mark_with_tokens_of_its_own_stays_theirs() -> None:
    """Three bytes of two characters: the one before is not made longer, so that its neighbour can be told from it."""
    assert [characters for _, _, characters in origins(byte_level(trim=True), "e\u0308")[1:-1]] == [
        "e",
        "\u0308",
        "\u0308",
    ]


@settings(deadline=None, max_examples=100)
@given(text=st.text("aZ\u00eb \u0308\u0301\u0947\ufe0f!\u4e2d"))
def test_behind_a_range_there_is_a_mark_only_where_the_next_one_begins(text: str) -> None:
    ranges = [(start, end) for start, end in _bounds(marks_dropped(), text) if end > start]

    begins = {start for start, _ in ranges}
    assert all(end not in range(len(text)) or not _is_mark(text[end]) or end in begins for _, end in ranges)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(ranges))


def _bounds(tokenizer: Tokenizer, text: str) -> list[tuple[int, int]]:
    _, offsets = tokenizer.encode_with_offsets([text], [None], max_tokens=64)
    return list(zip(offsets.start_T.tolist(), offsets.end_T.tolist(), strict=True))


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


# --- white space ------------------------------------------------------------------------------------


@pytest.mark.parametrize("trim", [True, False])
def test_byte_level_tokens_are_without_the_blank_before_them(trim: bool) -> None:
    _, *kept, _ = origins(byte_level(trim=trim), "b ab a")

    assert [part for _, _, part in kept] == ["b", "a", "b", "a"]


def test_a_token_of_blanks_alone_keeps_them() -> None:
    _, *kept, _ = origins(byte_level(trim=False), "b   a")

    assert [part for _, _, part in kept] == ["b", "  ", "a"]


def test_a_character_of_several_tokens_is_the_range_of_each() -> None:
    _, *kept, _ = origins(byte_level(trim=True), "é")

    assert [part for _, _, part in kept] == ["é", "é"]


def test_the_mark_of_a_blank_is_not_in_the_range() -> None:
    _, *kept, _ = origins(metaspace(), "app  apps", "app")

    assert [part for source, _, part in kept if source == TEXT] == ["app", " ", "app", "s"]
    assert [part for source, _, part in kept if source == PAIR] == ["app"]


@pytest.mark.parametrize("tokenizer", [byte_level(trim=True), byte_level(trim=False), metaspace(), small()])
@given(text=st.text(alphabet="ap s \t\n\u3000\xa0é🙂.", max_size=30))
def test_ranges_are_in_the_text_and_have_white_space_only_where_there_is_nothing_else(
    tokenizer: Tokenizer, text: str
) -> None:
    _, offsets = tokenizer.encode_with_offsets([text], [None], max_tokens=64)

    own = offsets.source_T == TEXT
    assert (offsets.start_T <= offsets.end_T).all()
    assert offsets.end_T.max() <= len(text)
    assert (np.diff(offsets.token_T[own]) == 1).all()
    parts = [part for _, _, part in read(offsets, text, None)]
    assert [part for part in parts if part.strip()] == [part.strip() for part in parts if part.strip()]


def test_the_characters_of_all_tokens_are_the_text_without_its_blanks() -> None:
    text = " the app\n works ,  not the\tpage"

    assert "".join(part for _, _, part in origins(small(), text)) == "".join(text.split())


def test_a_normalizer_that_adds_text_gives_ranges_inside_the_text() -> None:
    backend = small().backend
    backend.normalizer = normalizers.Prepend("the ")

    assert all(len(part) <= 3 for _, _, part in origins(small(), "app"))
