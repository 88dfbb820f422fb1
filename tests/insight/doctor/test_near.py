"""Near-duplicates: against all pairs compared one by one, and in the corners."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.insight.doctor import near
from fastbert.insight.doctor.near import jaccard, near_pairs, plain_text
from tests.insight.doctor.made import WORDS


def found(texts: list[str], least: float = 0.8) -> dict[tuple[int, int], float]:
    pairs = near_pairs(texts, least)
    return {
        (one, two): likeness
        for one, two, likeness in zip(pairs.first.tolist(), pairs.second.tolist(), pairs.likeness.tolist(), strict=True)
    }


def by_hand(one: str, two: str) -> float:
    """Return the Jaccard index of sets of 5-grams, as its definition says."""
    sets = []
    for text in (plain_text(one), plain_text(two)):
        padded = text.ljust(5)
        sets.append({padded[start : start + 5] for start in range(len(padded) - 4)})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_the_jaccard_index_of_five_grams(one: str, two: str) -> None:
    assert jaccard(one, two) == pytest.approx(by_hand(one, two))


def varied(count: int) -> list[str]:
    """Return texts of which every third is an earlier one with one word changed."""
    rng = random.Random(1)
    texts: list[str] = []
    for number in range(count):
        words = [rng.choice(WORDS) for _ in range(25)] if number % 3 or not texts else texts[number - 1].split()
        words[rng.randrange(len(words))] = rng.choice(WORDS)
        texts.append(" ".join(words))
    return texts


def test_what_is_found_is_what_all_pairs_compared_give() -> None:
    texts = varied(240)
    true = {pair for pair in combinations(range(len(texts)), 2) if by_hand(texts[pair[0]], texts[pair[1]]) >= 0.8}

    pairs = found(texts)

    assert len(true) > 20
    assert set(pairs) <= true
    assert len(set(pairs) & true) >= 0.97 * len(true)
    assert all(likeness == pytest.approx(by_hand(texts[one], texts[two])) for (one, two), likeness in pairs.items())


def test_case_signs_and_blanks_do_not_count() -> None:
    assert found(["It works; thanks!", "it  WORKS thanks", "another text altogether"]) == {(0, 1): 1.0}


@pytest.mark.parametrize("texts", [[], ["only one"], ["!!!", "!!!"], ["", ""]])
def test_texts_without_letters_are_in_no_pair(texts: list[str]) -> None:
    assert found(texts) == {}


def test_only_texts_of_one_kind_are_compared() -> None:
    pairs = near_pairs(["the same question", "the same question", "the same question"], 0.8, [0, 1, 0])

    assert list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == [(0, 2)]


def test_many_equal_texts_hang_together_without_all_their_pairs() -> None:
    texts = ["always the same words here"] * 500

    pairs = found(texts)

    assert len(pairs) < 500 * (near.NEIGHBOURS + 1)
    assert {one for one, _ in pairs} | {two for _, two in pairs} == set(range(500))


def test_beyond_the_limit_the_share_of_equal_hashes_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "MOST_COMPARED", 1)

    assert len(found(["the very same words", "the very same words", "the very same words"])) == 3


def test_long_and_short_texts_are_compared_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "COMPARED", 10)
    monkeypatch.setattr(near, "CHUNK", 10)
    texts = ["a long text " * 30, "a long text " * 30 + "!", "short one", "short one."]

    assert found(texts) == {(0, 1): 1.0, (2, 3): 1.0}
