"""Units of running text in many scripts, and entities laid on them."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.examples import Entity
from fastbert.data.units import align, find_units

letters = st.text(
    st.sampled_from("ab1_ .-\u00e9\u0301\u200d\u200b\ufe0f\u6771\u30ab\u0e01\u0e34\U0001f44d\U0001f3fd\u200e\x00")
)


def units_of(text: str) -> list[str]:
    return [text[start:end] for start, end in find_units(text)]


# --- units ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("don't stop", ["don", "'", "t", "stop"]),
        ("a_b 3.5%", ["a_b", "3", ".", "5", "%"]),
        ("x  \t\ny", ["x", "y"]),
        ("a--b", ["a", "-", "-", "b"]),
        ("", []),
        (" \t", []),
    ],
)
def test_words_and_signs_are_units(text: str, units: list[str]) -> None:
    assert units_of(text) == units


@pytest.mark.parametrize("word", ["Zoë", "cafe\u0301", "Straße", "Ελλάδα", "हिन्दी", "서울에서", "a\u203fb", "x²", "Ⅻ"])
def test_a_word_with_its_marks_is_one_unit(word: str) -> None:
    assert units_of(f"{word}, {word}") == [word, ",", word]


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("東京タワーへ行く", list("東京タワーへ行く")),
        ("\U00020000々〇", ["\U00020000", "々", "〇"]),
        ("か\u3099\uff76\uff9e", ["か\u3099", "\uff76\uff9e"]),
        ("กินข้าว", ["กิ", "น", "ข้", "า", "ว"]),
        ("ພາສາ", ["ພ", "າ", "ສ", "າ"]),
        ("ជាតិ", ["ជា", "តិ"]),
        ("မြန်မာ", ["မြ", "န်", "မာ"]),
        ("བོད་", ["བོ", "ད", "་"]),
    ],
)
def test_letters_of_scripts_without_blanks_are_units_with_their_marks(text: str, units: list[str]) -> None:
    assert units_of(text) == units


def test_digits_and_latin_words_among_ideographs_stay_whole() -> None:
    assert units_of("東京2024年NHKと๑๒") == ["東", "京", "2024", "年", "NHK", "と", "๑๒"]


@pytest.mark.parametrize(
    "emoji",
    [
        "👍🏽",
        "❤\ufe0f",
        "👩\u200d👩\u200d👧\u200d👦",
        "❤\ufe0f\u200d🔥",
        "🧑🏽\u200d🚀",
        "🇩🇪",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "1\ufe0f\u20e3",
    ],
)
def test_a_composed_emoji_is_one_unit(emoji: str) -> None:
    assert units_of(f"ok {emoji}!") == ["ok", emoji, "!"]


def test_emoji_side_by_side_are_units_of_their_own() -> None:
    assert units_of("👍👍🏽🇩🇪🇫🇷") == ["👍", "👍🏽", "🇩🇪", "🇫🇷"]


@pytest.mark.parametrize("sign", ["\u200d", "\u200b", "\ufeff", "\u00ad", "\u202e", "\ufe0f", "\x00", "\x85", "\ud800"])
def test_a_character_that_is_not_seen_is_no_unit(sign: str) -> None:
    assert units_of(f"é {sign} {sign}{sign}") == ["é"]


@pytest.mark.parametrize("sign", ["\u200c", "\u200d", "\u00ad", "\u2060"])
def test_a_format_character_within_a_word_is_a_part_of_it_only_there(sign: str) -> None:
    assert units_of(f"{sign}می{sign}خواهم{sign} b") == [f"می{sign}خواهم", "b"]


@pytest.mark.parametrize("sign", ["\u200b", "\x00", "\u00a0", "\u3000", "\u2028"])
def test_blanks_of_any_width_and_controls_part_words(sign: str) -> None:
    assert units_of(f"é{sign}b") == ["é", "b"]


def test_a_mark_belongs_to_the_sign_before_it() -> None:
    assert units_of("-\u0301ab") == ["-\u0301", "ab"]


def test_a_mark_that_follows_nothing_begins_a_word() -> None:
    assert units_of("é \u0301a") == ["é", "\u0301a"]


@given(letters | st.text())
def test_units_are_sorted_disjoint_and_not_empty(text: str) -> None:
    bounds = [bound for unit in find_units(text) for bound in unit]

    assert bounds == sorted(bounds)
    assert all(start < end for start, end in find_units(text))


@given(letters | st.text())
def test_units_cover_every_visible_character(text: str) -> None:
    covered = {place for start, end in find_units(text) for place in range(start, end)}
    missing = {text[place] for place in range(len(text)) if place not in covered}

    assert all(unicodedata.category(char)[0] in "ZC" or char in "\ufe0f\u034f" or _selects(char) for char in missing)


def _selects(char: str) -> bool:
    return "VARIATION SELECTOR" in unicodedata.name(char, "")


@given(letters | st.text())
def test_a_unit_neither_begins_nor_ends_with_a_blank_and_never_holds_one(text: str) -> None:
    assert not [unit for unit in units_of(text) if unit.split() != [unit]]


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_text_has_the_same_units_beside_other_text(text: str) -> None:
    assert find_units(text) == find_units(text + " é")[:-1]


def test_a_long_run_of_format_characters_takes_no_longer_than_its_length() -> None:
    start = time.process_time()
    find_units("é" + "\u200d" * 100_000)

    assert time.process_time() - start < 0.5  # 6 ms; quadratic: minutes


# --- entities on units ------------------------------------------------------------------------------

TEXT = "in Neustadt an der Aisch, Bayern"  # units: in Neustadt an der Aisch , Bayern
UNITS = find_units(TEXT)


def test_entities_of_whole_units_are_ranges_of_units() -> None:
    aligned = align(UNITS, [Entity(3, 24, "town"), Entity(26, 32, "state")])

    assert aligned == ([(1, 5, "town"), (6, 7, "state")], [], [])


@pytest.mark.parametrize(("start", "end"), [(5, 11), (3, 9), (5, 9)])
def test_an_entity_within_a_unit_is_widened_to_it(start: int, end: int) -> None:
    entity = Entity(start, end, "town")

    assert align(UNITS, [entity]) == ([(1, 2, "town")], [entity], [])


def test_blanks_at_the_borders_of_an_entity_are_no_misalignment() -> None:
    assert align(UNITS, [Entity(2, 12, "town")]) == ([(1, 2, "town")], [], [])


def test_of_two_entities_in_one_unit_the_first_keeps_it() -> None:
    new, town = Entity(3, 6, "new"), Entity(6, 14, "town")

    assert align(UNITS, [town, new]) == ([(1, 2, "new")], [new], [town])


def test_the_entity_after_a_lost_one_is_kept() -> None:
    first, lost, kept = Entity(3, 6, "a"), Entity(6, 11, "b"), Entity(12, 14, "c")

    assert align(UNITS, [first, lost, kept]).spans == [(1, 2, "a"), (2, 3, "c")]


@pytest.mark.parametrize(("start", "end"), [(2, 3), (40, 50), (4, 4)])
def test_an_entity_without_any_unit_is_lost(start: int, end: int) -> None:
    entity = Entity(start, end, "town")

    assert align(UNITS, [entity]) == ([], [], [entity])


@given(letters, st.lists(st.integers(0, 30), max_size=6, unique=True))
def test_every_entity_is_in_a_span_or_lost(text: str, bounds: list[int]) -> None:
    bounds = sorted(bound for bound in bounds if bound <= len(text))
    entities = [Entity(start, end, "x") for start, end in zip(bounds[::2], bounds[1::2], strict=False)]

    aligned = align(find_units(text), entities)

    assert len(aligned.spans) + len(aligned.lost) == len(entities)
    assert all(before[1] <= after[0] for before, after in zip(aligned.spans, aligned.spans[1:], strict=False))
