"""Units and the tokens they are read at: several tokens a unit, none, shared ones, several windows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.examples import TaggedExample, TextExample
from fastbert.data.features import Features
from fastbert.tasks.token_scores import encode_units, first_tokens, unit_scores, units_of
from tests.tasks.rows import LONG, tokenizer


def own_logits(features: Features) -> np.ndarray:
    """Return for each token its index in the text, (W, L, 1)."""
    return features.padded("token", -7)[..., None].astype(np.float32)


def test_words_of_the_file_win_over_units() -> None:
    assert units_of(TaggedExample("a-b c", words=((0, 3), (4, 5)))) == ((0, 3), (4, 5))
    assert units_of(TextExample("a-b c")) == [(0, 1), (1, 2), (2, 3), (4, 5)]


@pytest.mark.parametrize(
    ("units", "tokens", "expected"),
    [
        ([(0, 6), (7, 9)], [(0, 3), (3, 6), (7, 9)], [0, 2]),
        ([(0, 2), (3, 4), (5, 6)], [(0, 2), (5, 6)], [0, -1, 1]),
        ([(0, 1), (1, 2)], [(0, 2)], [0, 0]),
        ([(0, 1)], [], [-1]),
        ([], [(0, 1)], []),
        ([(2, 3)], [(0, 1), (2, 2), (2, 3)], [2]),  # an empty range is no token of the unit
    ],
)
def test_the_first_token_of_each_unit(
    units: list[tuple[int, int]], tokens: list[tuple[int, int]], expected: list[int]
) -> None:
    starts, ends = (np.array([token[side] for token in tokens], np.int32) for side in (0, 1))

    assert first_tokens(units, starts, ends).tolist() == expected


def test_each_unit_is_read_at_its_first_token() -> None:
    rows = [TextExample("the app is slow"), TextExample(""), TextExample("bug")]
    features, _ = encode_units(rows, tokenizer(), 16)

    found = unit_scores(own_logits(features), features, rows)

    assert found.sizes_N.tolist() == [4, 0, 1]
    assert found.scores_UC[:, 0].tolist() == [0, 1, 2, 3, 0]
    assert [rows[0].text[slice(*unit)] for unit in found.units[:4]] == ["the", "app", "is", "slow"]


def test_units_that_share_a_token_are_marked() -> None:
    """The word tokenizer knows "a_b" neither as one word nor as two: words of a file may be shorter than a token."""
    rows = [TaggedExample("slow", words=((0, 2), (2, 4)))]
    features, _ = encode_units(rows, tokenizer(), 16)

    found = unit_scores(own_logits(features), features, rows)

    assert found.shared_U.tolist() == [False, True]
    assert found.scores_UC[:, 0].tolist() == [0, 0]


@given(st.integers(8, 24), st.integers(1, 5))
def test_windows_of_any_size_read_every_unit_once(max_tokens: int, times: int) -> None:
    rows = [TextExample(" ".join([LONG] * times)), TextExample("the app")]
    features, _ = encode_units(rows, tokenizer(), max_tokens, first_index=3)

    found = unit_scores(own_logits(features), features, rows)

    expected = [*range(14 * times), 0, 1]
    assert found.scores_UC[:, 0].tolist() == expected
    assert sorted({row for row in features.example_W.tolist()}) == [3, 4]


def test_pieces_are_the_characters_of_a_window() -> None:
    features, _ = encode_units([TextExample(LONG)], tokenizer(), 10)

    pieces = [list(feature.pieces)[0] for feature in features]

    assert pieces[0][0] == 0 and pieces[-1][1] == len(LONG)
    assert all(before[1] > after[0] for before, after in zip(pieces[:-1], pieces[1:], strict=True))


def test_a_text_without_tokens_has_no_pieces() -> None:
    features, _ = encode_units([TextExample("")], tokenizer(), 10)

    assert list(features[0].pieces) == []


def test_single_features_are_read_as_packed_ones() -> None:
    rows = [TextExample("the app is slow")]
    features, _ = encode_units(rows, tokenizer(), 16)
    one_by_one = Features.of([replace(feature) for feature in features])

    found = unit_scores(own_logits(one_by_one), one_by_one, rows)

    assert found.scores_UC[:, 0].tolist() == [0, 1, 2, 3]
