"""Where answers stand, and which unit a file counts in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.answer_places import Place, Unit, describe_missing, find_answer, find_unit
from fastbert.data.given_questions import GivenAnswer

CONTEXT = "São Paulo 🙂 é São Luís"


@pytest.mark.parametrize(
    ("text", "start", "place"),
    [
        ("Paulo", 4, Place(4, "given")),
        ("São", 14, Place(14, "given")),
        ("Paulo", 5, Place(4, "moved")),
        ("Paulo", 999, Place(4, "moved")),
        ("Paulo", None, Place(4, "only")),
        ("São", None, Place(0, "first")),
        ("São", 3, Place(-1, "unclear")),
        ("Rome", 3, Place(-1, "missing")),
        ("Rome", None, Place(-1, "missing")),
        ("paulo", 4, Place(-1, "missing")),
    ],
)
def test_an_answer_is_found_where_it_stands_exactly(text: str, start: int | None, place: Place) -> None:
    assert find_answer(CONTEXT, GivenAnswer(text, start), "characters") == place


@pytest.mark.parametrize(
    ("context", "text", "start", "place"),
    [
        ("The farmer hurt his arm.", "arm", None, Place(20, "only")),
        ("There are 10 apples and 1 pear.", "1", None, Place(24, "only")),
        ("The party was loud.", "art", None, Place(5, "only")),
        ("The farmer hurt his arm.", "arm", 3, Place(20, "moved")),
        ("The farmer hurt his arm.", "arm", 5, Place(5, "given")),
        ("arm, farmer, arm", "arm", None, Place(0, "first")),
        ("$10 and $1", "$1", None, Place(8, "only")),
        ("東京は東京都", "東京", None, Place(0, "first")),
    ],
)
def test_an_answer_is_rather_a_word_than_a_part_of_one(
    context: str, text: str, start: int | None, place: Place
) -> None:
    assert find_answer(context, GivenAnswer(text, start), "characters") == place


def test_occurrences_that_overlap_are_several() -> None:
    assert find_answer("aaa", GivenAnswer("aa", 7), "characters").how == "unclear"


@pytest.mark.parametrize(("unit", "start"), [("characters", 14), ("UTF-8 bytes", 19), ("UTF-16 units", 15)])
def test_offsets_are_read_in_their_unit(unit: Unit, start: int) -> None:
    answer = GivenAnswer("São", start)

    assert find_unit([(CONTEXT, answer)]) == unit
    assert find_answer(CONTEXT, answer, unit) == Place(14, "given")


@pytest.mark.parametrize("start", [1, 2, 500])
def test_an_offset_inside_of_a_character_or_beyond_the_end_is_no_place(start: int) -> None:
    assert find_answer("é é", GivenAnswer("é", start), "UTF-8 bytes").how == "unclear"


def test_the_unit_is_that_of_most_answers_of_the_file() -> None:
    answers = [(CONTEXT, GivenAnswer("São", 19))] * 2 + [
        (CONTEXT, GivenAnswer("São", 14)),
        ("Rome", GivenAnswer("me", 1)),
    ]

    assert find_unit(answers) == "UTF-8 bytes"


def test_characters_win_where_all_units_fit_or_none_does() -> None:
    assert find_unit(
        [(CONTEXT, GivenAnswer("S", 0)), (CONTEXT, GivenAnswer("x", 9)), ("Rome", GivenAnswer("R", 2))]
    ) == ("characters")
    assert find_unit([]) == "characters"


@given(text=st.text(min_size=1, max_size=20), data=st.data())
def test_each_part_of_a_context_is_at_its_offset_in_any_unit(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    part = text[start : data.draw(st.integers(start + 1, len(text)))]
    offsets: dict[Unit, int] = {
        "characters": start,
        "UTF-8 bytes": len(text[:start].encode("utf-8", "surrogatepass")),
        "UTF-16 units": len(text[:start].encode("utf-16-le", "surrogatepass")) // 2,
    }

    places = [find_answer(text, GivenAnswer(part, offset), unit) for unit, offset in offsets.items()]

    assert places == [Place(start, "given")] * 3


@pytest.mark.parametrize(
    ("text", "start", "unit", "message"),
    [
        ("Rome", None, "characters", "the answer 'Rome' stands nowhere in its context"),
        (
            "Rome",
            4,
            "characters",
            "the answer 'Rome' is not at character 4 of its context, where 'Paul' stands, nor anywhere else in it",
        ),
        ("Rome", 99, "characters", "the answer 'Rome' is not at character 99 of its context, nor anywhere else in it"),
        (
            "São",
            1,
            "UTF-8 bytes",
            "the answer 'São' is not at byte 1 of its context, where 'ão ' stands, but in several other places",
        ),
        ("São", 2, "UTF-16 units", "the answer 'São' is not at UTF-16 unit 2 of its context, where 'o P' stands, but in"
        " several other places"),
    ],
)  # fmt: skip
def test_a_missing_answer_is_described(text: str, start: int | None, unit: Unit, message: str) -> None:
    answer = GivenAnswer(text, start)

    assert describe_missing(CONTEXT, answer, find_answer(CONTEXT, answer, unit), unit) == message
