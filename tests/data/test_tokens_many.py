"""Many texts at once: what comes out is what one text at a time gives, however they are sliced."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbert.config import Truncation
from fastbert.data import tokens
from tests.bundles import needs_minilm
from tests.data.per_row import encode, encode_all, encode_by_hand
from tests.data.test_tokens import WAYS, encoder_of, numbered, small, texts
from tests.helpers import FAMILIES


@pytest.mark.parametrize("family", [*FAMILIES, pytest.param("minilm", marks=needs_minilm)])
@settings(max_examples=40)
@given(
    rows=st.lists(st.tuples(texts, st.none() | texts), min_size=1, max_size=6),
    max_tokens=st.integers(6, 64),
    truncation=st.sampled_from(WAYS),
)
def test_flat_arrays_hold_what_one_text_at_a_time_gives(
    family: str,
    rows: list[tuple[str, str | None]],
    max_tokens: int,
    truncation: Truncation,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    tokenizer = encoder_of(family, tmp_path_factory.getbasetemp()).tokenizer

    found = encode_all(tokenizer, rows, max_tokens, truncation)

    assert found == [encode_by_hand(tokenizer, text, pair, max_tokens, truncation) for text, pair in rows]


@pytest.mark.parametrize(("texts_held", "characters_held"), [(1, 10**6), (3, 10**6), (1000, 12)])
@pytest.mark.parametrize("truncation", WAYS)
def test_many_slices_give_what_one_gives(
    texts_held: int, characters_held: int, truncation: Truncation, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer, text, _ = numbered(30)
    rows: list[tuple[str, str | None]] = [(text[: 3 * cut], None if cut % 3 else text[cut:]) for cut in range(10)]
    at_once = encode_all(tokenizer, rows, 9, truncation)

    monkeypatch.setattr(tokens, "SLICE", texts_held)
    monkeypatch.setattr(tokens, "SLICE_CHARACTERS", characters_held)

    assert encode_all(tokenizer, rows, 9, truncation) == at_once


def test_half_of_a_surrogate_pair_among_many_texts_changes_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "SLICE", 2)
    rows = [("the app", None), ("the \ud83d app", None), ("é ü", "slow"), ("", "\ud83d")]

    assert encode_all(small(), rows, 20) == [encode(small(), text, pair, 20) for text, pair in rows]


def test_an_error_in_the_second_thread_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "SLICE", 1)

    with pytest.raises(AttributeError, match="'Uncountable' object has no attribute 'encode'"):
        small().encode(["the", Uncountable(5)], [None, None], max_tokens=8)  # type: ignore[list-item]


class Uncountable(int):
    """No text, found out only when it is tokenised."""

    def __len__(self) -> int:
        return 1
