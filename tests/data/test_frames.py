"""The shortcut for one text that fits, and texts given as places. All else is tested in `test_tokens.py`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.frames import Frames
from tests.data.corpora import word_level
from tests.helpers import FAMILIES, word_tokenizer

ids = st.lists(st.integers(0, 79), max_size=9)


@pytest.mark.parametrize("family", FAMILIES)
@given(text=ids, pair=st.none() | ids)
def test_one_text_that_fits_is_laid_as_it_is_among_many(family: str, text: list[int], pair: list[int] | None) -> None:
    frames = Frames.find(word_tokenizer(family=family))

    short, long = frames.lay_whole(text, pair), frames.lay([text], [pair], 30, "head")

    assert short.ids_T.tolist() == long.ids_T.tolist()
    assert short.types_of(0).tolist() == long.types_of(0).tolist()
    assert short.table_W.tolist() == long.table_W.tolist()
    assert (short.ids_T.dtype, short.table_W.dtype) == (long.ids_T.dtype, long.table_W.dtype)


@pytest.mark.parametrize(("text", "pair", "fits"), [(6, None, True), (7, None, False), (2, 3, True), (3, 3, False)])
def test_special_tokens_count_for_what_fits(text: int, pair: int | None, fits: bool) -> None:
    """[CLS] text [SEP] in 8 tokens, [CLS] text [SEP] pair [SEP]."""
    frames = Frames.find(word_tokenizer())

    assert frames.fits([9] * text, None if pair is None else [9] * pair, 8) is fits
    assert frames.num_special == 3


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta-v2"])
def test_places_are_laid_as_texts_are(family: str) -> None:
    tokenizer = word_level(family)
    frames, ids = tokenizer.frames, np.arange(10, 30)
    for second in (None, [3, 4]):
        texts = [ids[:5].tolist(), ids[5:7].tolist()]
        pairs = [None, None] if second is None else [ids[10:13].tolist(), ids[13:17].tolist()]
        expected = frames.lay(texts, pairs, 64, "head")
        seconds = () if second is None else (np.arange(10, 17), np.array(second))
        laid = frames.lay_places(np.arange(7), np.array([5, 2]), *seconds)
        found = np.where(laid.places_T < 0, frames.special_ids[-1 - np.minimum(laid.places_T, -1)], ids[laid.places_T])

        assert found.tolist() == expected.ids_T.tolist()
        assert laid.lengths_N.tolist() == expected.table_W["length"].tolist()
        assert (laid.types_T is None) == (expected.types_T is None)
        assert laid.types_T is None or expected.types_T is None or laid.types_T.tolist() == expected.types_T.tolist()


def test_the_separator_is_what_ends_a_text() -> None:
    frames = word_level("roberta").frames

    assert frames.separator is not None
    assert word_level("roberta").tokens_of([int(frames.special_ids[-1 - frames.separator])]) == ["</s>"]
    assert (frames.num_special_of(pair=False), frames.num_special_of(pair=True)) == (2, 4)
