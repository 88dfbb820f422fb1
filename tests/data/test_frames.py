"""The shortcut for one text that fits. All else that frames do is tested with texts, in `test_tokens.py`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.frames import Frames
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
