"""Texts with their summaries, and a part held out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.summary_pairs import SummaryPair, hold_out, read_summary_pairs
from fastbert.errors import ConfigError, DataError


def test_two_columns_are_read_by_name_or_number() -> None:
    rows = [{"id": 1, "text": "long", "short": "s"}, {"id": 2, "text": "longer", "short": "t"}]

    named = read_summary_pairs(rows, text="text", summary="short")

    assert named == [SummaryPair("long", "s"), SummaryPair("longer", "t")]
    assert read_summary_pairs(rows, text="1", summary="2") == named


def test_rows_without_a_text_or_a_summary_are_refused_together() -> None:
    rows = [{"text": "a", "short": " "}, {"text": "b", "short": "c"}, {"text": None, "short": "d"}]

    with pytest.raises(DataError) as caught:
        read_summary_pairs(rows, text="text", summary="short")

    assert caught.value.message == (
        "rows: 2 rows cannot be read.\n  row 1: column 'short' has no text\n  row 3: column 'text' has no text"
    )


def test_one_column_cannot_be_both() -> None:
    with pytest.raises(DataError, match="--text and --summary both name the column 'a'"):
        read_summary_pairs([{"a": "x", "b": "y"}], text="a", summary="0")


@given(
    st.lists(st.sampled_from("abcdefgh"), min_size=2).filter(lambda texts: len(set(texts)) > 1), st.floats(0.01, 0.9)
)
def test_equal_texts_stay_on_one_side(texts: list[str], share: float) -> None:
    pairs = [SummaryPair(text, str(number)) for number, text in enumerate(texts)]

    train, valid = hold_out(pairs, share=share, seed=0)

    assert train and valid
    assert {pair.text for pair in train}.isdisjoint(pair.text for pair in valid)
    assert sorted(pair.summary for pair in train + valid) == sorted(pair.summary for pair in pairs)


def test_nothing_to_hold_out_is_refused() -> None:
    with pytest.raises(DataError, match="1 different texts are given; expected at least 2"):
        hold_out([SummaryPair("a", "b"), SummaryPair("a ", "c")], share=0.1, seed=0)


def test_a_share_of_everything_is_refused() -> None:
    with pytest.raises(ConfigError, match="valid_share is 1; expected a number between 0 and 1"):
        hold_out([SummaryPair("a", "b"), SummaryPair("c", "d")], share=1.0, seed=0)
