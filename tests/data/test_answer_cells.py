"""One reading of answers, however they are written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.answer_cells import read_answers
from fastbert.data.given_questions import GivenAnswer
from fastbert.data.label_reader import WrongValue

ROME, TIBER = GivenAnswer("Rome", 7), GivenAnswer("the Tiber", 20)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"text": ["Rome", "the Tiber"], "answer_start": [7, 20]}, id="Hugging Face"),
        pytest.param([{"text": "Rome", "answer_start": 7}, {"text": "the Tiber", "answer_start": 20}], id="SQuAD"),
        pytest.param([{"text": "Rome", "start": 7}, {"text": "the Tiber", "start": "20"}], id="start"),
        pytest.param(['{"text": "Rome", "start": 7}', '{"text": "the Tiber", "start": 20.0}'], id="cells of a table"),
        pytest.param('{"text": ["Rome", "the Tiber"], "answer_start": [7, 20]}', id="JSON"),
        pytest.param("{'text': ['Rome', 'the Tiber'], 'answer_start': [7, 20]}", id="Python"),
        pytest.param(
            "{'text': array(['Rome', 'the Tiber'], dtype=object), 'answer_start': array([ 7, 20], dtype=int32)}",
            id="pandas",
        ),
        pytest.param(
            '[{"text": "Rome", "answer_start": 7}, {"text": "the Tiber", "answer_start": 20}]', id="JSON list"
        ),
    ],
)
def test_answers_with_offsets_are_read_however_they_are_written(value: object) -> None:
    assert read_answers(value) == (ROME, TIBER)


@pytest.mark.parametrize(
    ("value", "starts"),
    [
        ("Rome", 7),
        ("Rome", "7"),
        ("Rome", 7.0),
        (["Rome"], [7]),
        (["Rome"], "[7]"),
        ('["Rome"]', 7),
        ({"text": "Rome"}, 7),
    ],
)
def test_offsets_may_stand_in_a_column_of_their_own(value: object, starts: object) -> None:
    assert read_answers(value, starts) == (ROME,)


def test_offsets_beside_the_text_win_over_those_of_a_column() -> None:
    assert read_answers({"text": "Rome", "start": 7}, 99) == (ROME,)


@pytest.mark.parametrize("value", [None, "", "  ", float("nan"), [], "[]", {"text": [], "answer_start": []}, [""]])
@pytest.mark.parametrize("starts", [None, "", -1])
def test_nothing_is_no_answer(value: object, starts: object) -> None:
    assert read_answers(value, starts) == ()


def test_a_blank_answer_is_none_whatever_its_offset() -> None:
    assert read_answers({"text": [""], "answer_start": [-1]}) == ()


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("Rome", ["Rome"]),
        (["Rome", "Tiber"], ["Rome", "Tiber"]),
        (1973, ["1973"]),
        (1973.0, ["1973"]),
        ("[sic] Rome", ["[sic] Rome"]),
        ("{x}", ["{x}"]),
        (r"{'\d'", [r"{'\d'"]),
        ("[[1, 2]]", ["[[1, 2]]"]),
    ],
)
def test_what_is_no_list_is_one_text(value: object, texts: list[str]) -> None:
    assert read_answers(value) == tuple(map(GivenAnswer, texts))


@pytest.mark.parametrize("start", [-1, 2.5, "seven", True, "-3"])
def test_an_offset_that_is_no_whole_number_from_0_is_wrong(start: object) -> None:
    with pytest.raises(WrongValue) as caught:
        read_answers({"text": ["Rome"], "answer_start": [start]})

    assert str(caught.value) == f"the offset of an answer is '{start}', expected a whole number from 0"


@pytest.mark.parametrize(
    ("value", "starts", "message"),
    [
        ({"text": ["a", "b"], "answer_start": [0]}, None, "2 answers have 1 offsets"),
        (["a", "b"], [1, 2, 3], "2 answers have 3 offsets"),
        ({"value": "a"}, None, "an answer has the keys 'value', expected 'text'"),
        ({"text": [{"text": "a"}]}, None, "an answer is a value of type dict, expected text"),
        ({"text": [["a"]]}, None, "an answer is a list, expected text"),
    ],
)
def test_another_structure_is_wrong(value: object, starts: object, message: str) -> None:
    with pytest.raises(WrongValue) as caught:
        read_answers(value, starts)

    assert str(caught.value) == message
    assert caught.value.hint.startswith('Write {"text": ["..."], "answer_start": [0]}')


@given(answers=st.lists(st.tuples(st.text(min_size=1).filter(str.strip), st.integers(0, 10**6))))
def test_what_json_holds_is_what_the_objects_hold(answers: list[tuple[str, int]]) -> None:
    value = {"text": [text for text, _ in answers], "answer_start": [start for _, start in answers]}

    assert read_answers(json.dumps(value)) == read_answers(value) == tuple(GivenAnswer(*one) for one in answers)


@pytest.mark.parametrize("value", ["[1, 2]", '{"text": "x"}', "['a']"])
def test_what_stands_in_the_context_as_it_is_written_is_the_answer(value: str) -> None:
    assert read_answers(value, 3, context=f"is {value}.") == (GivenAnswer(value, 3),)


def test_an_empty_list_is_no_answer_whatever_the_context_holds() -> None:
    assert read_answers("[]", context="x = []") == ()
