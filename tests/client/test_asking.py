"""What is asked: in parts, a few at a time, halved where a part is too much."""

from __future__ import annotations

import json

import pytest

from fastbert.client.answers import prediction_of
from fastbert.client.asking import CHARACTERS, Options, Parts, Questions, Window, parts_of
from fastbert.client.exchange import Lost, Patience, Reply, Send
from fastbert.data.examples import TextExample
from fastbert.errors import ConfigError, DataError, ServerError
from tests.client.scripted import carry_out

QUESTIONS = Questions("http://s", Patience(retries=0))


def rows(*texts: str) -> list[TextExample]:
    return [TextExample(text, where=f"row {number}") for number, text in enumerate(texts, 1)]


def answered(*texts: str, version: str = "1") -> Reply:
    found = [{"labels": [text], "scores": {text: 1.0}} for text in texts]
    return Reply(200, {}, json.dumps({"version": version, "predictions": found}).encode())


def lengths(texts: list[TextExample], most: int) -> list[int]:
    return [len(part) for part in parts_of(texts, most)]


def test_examples_are_sent_in_parts() -> None:
    assert lengths(rows(*"abcdefg"), 3) == [3, 3, 1]
    assert lengths([], 3) == []


def test_long_texts_are_sent_in_smaller_parts() -> None:
    half = "a" * (CHARACTERS // 2)

    assert lengths(rows(half, half, "b", half * 3, "c"), 64) == [2, 1, 1, 1]


@pytest.mark.parametrize("most", [0, True, 1.5])
def test_a_part_has_at_least_one_text(most: int) -> None:
    with pytest.raises(ConfigError, match="chunk is .*; expected a number of texts, at least 1"):
        Parts(most)


def test_only_what_is_said_is_sent() -> None:
    assert json.loads(Options().body([TextExample("a")])) == {"texts": ["a"]}
    assert json.loads(Options("m", 2, 0.5, {"é": 0.25}, explain=True, version="1").body([TextExample("a", "b")])) == {
        "texts": [["a", "b"]], "model": "m", "top_k": 2, "threshold": 0.5, "thresholds": {"é": 0.25}, "explain": True,
    }  # fmt: skip


def test_half_of_a_surrogate_pair_is_refused_without_showing_the_text() -> None:
    with pytest.raises(DataError, match=r"^row 2 holds a character that UTF-8 does not have") as caught:
        Options().body(rows("a", "secret \ud83d"))

    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_option_that_is_no_value_is_refused() -> None:
    with pytest.raises(ConfigError, match="An option is no value that can be sent"):
        Options(threshold=float("nan")).body([TextExample("a")])


def test_answers_come_in_order() -> None:
    found, _ = carry_out(QUESTIONS.texts(rows("a", "b"), Options(), prediction_of), [answered("a", "b")])

    assert [one.labels for one in found.found] == [("a",), ("b",)]


def test_a_part_that_is_too_much_is_halved_until_it_is_not() -> None:
    much = Reply(413, {}, b"")

    outcomes = [much, answered("a"), much, answered("b"), answered("c")]
    found, steps = carry_out(QUESTIONS.texts(rows("a", "b", "c"), Options(), prediction_of), outcomes)

    assert [one.labels for one in found.found] == [("a",), ("b",), ("c",)]
    sizes = [len(json.loads(step.call.body)["texts"]) for step in steps if isinstance(step, Send)]
    assert sizes == [3, 1, 2, 1, 1]


def test_a_single_text_that_is_too_much_is_an_error() -> None:
    with pytest.raises(ServerError, match="answered 413") as caught:
        carry_out(QUESTIONS.texts(rows("a"), Options(), prediction_of), [Reply(413, {}, b"")])

    assert caught.value.status == 413


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {}, b"<html>"),
        Reply(200, {}, b"[]"),
        Reply(200, {}, b'{"version": "1"}'),
        Reply(200, {}, b'{"version": "1", "predictions": [1]}'),
        answered("a", "b"),
        Reply(200, {}, b"\xff"),
    ],
)
def test_an_answer_of_something_else_is_an_error(reply: Reply) -> None:
    with pytest.raises(ServerError, match="no answer of a FastBert server"):
        carry_out(QUESTIONS.texts(rows("a"), Options(), prediction_of), [reply])


def test_answers_of_another_version_of_the_model_are_refused() -> None:
    with pytest.raises(ServerError, match="the model was replaced by another version while answers came"):
        carry_out(QUESTIONS.texts(rows("a"), Options(version="1"), prediction_of), [answered("a", version="2")])


def test_models_of_something_else_are_an_error() -> None:
    with pytest.raises(ServerError, match="no answer of a FastBert server"):
        carry_out(QUESTIONS.models(), [Reply(200, {}, b'{"details": [{}]}')])


@pytest.mark.parametrize(
    ("outcome", "expected"), [(Reply(200, {}, b""), True), (Reply(503, {}, b""), False), (Lost("no connection"), False)]
)
def test_a_server_is_asked_once_whether_it_is_ready(outcome: Reply | Lost, expected: bool) -> None:
    assert carry_out(Questions("http://s", Patience()).ready(), [outcome])[0] is expected


def test_another_server_is_not_taken_for_one_that_is_not_ready() -> None:
    with pytest.raises(ServerError, match="answered 404"):
        carry_out(QUESTIONS.ready(), [Reply(404, {}, b"")])


def test_a_full_server_is_left_room_until_it_answers_again() -> None:
    window = Window(4)

    window.note(refused=1)
    window.note(refused=2)
    smallest = window.size
    for _ in range(8):
        window.note(refused=0)

    assert (smallest, window.size) == (1, 2)
    window.note(refused=1)
    window.note(refused=1)
    assert window.size == 1


def test_explanations_are_asked_for_one_after_another() -> None:
    assert (Window.of(Options()).size, Window.of(Options(explain=True)).size) == (4, 1)
