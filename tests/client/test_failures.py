"""What an error says of a request that was not answered: where, what, and what to do."""

from __future__ import annotations

import json

import pytest

from fastbert.client.exchange import Exchanged, Lost, Reply
from fastbert.client.failures import error_of, is_too_much, unreadable
from fastbert.errors import ServerError

ADDRESS = "http://localhost:8080"


def reply(status: int, code: str = "", message: str = "No.", field: str = "", hint: str = "") -> Reply:
    facts = {"code": code, "message": message, "field": field, "hint": hint}
    return Reply(status, {"x-request-id": "r1"}, json.dumps({"error": facts}).encode())


def told(outcome: Reply | Lost, attempts: int = 1, places: tuple[str, ...] = ()) -> ServerError:
    return error_of(Exchanged(outcome, attempts, 0), ADDRESS, places)


def test_a_server_that_is_not_there_is_named() -> None:
    error = told(Lost("no connection"), 3)

    assert error.message == f"{ADDRESS} does not answer: no connection (asked 3 times)."
    assert error.hint == "Check that a server runs at this address."
    assert (error.status, error.code, error.field, error.exit_code) == (None, "", "", 1)


def test_an_error_has_what_the_server_says() -> None:
    error = told(reply(422, "invalid_value", "The model has no such label.", "thresholds", "Did you mean 'bug'?"))

    assert error.message == f"{ADDRESS} answered 422: thresholds: The model has no such label. (request r1)"
    assert error.hint == "Did you mean 'bug'?"
    assert (error.status, error.code, error.field) == (422, "invalid_value", "thresholds")
    assert error.request_id == "r1"


@pytest.mark.parametrize(
    ("field", "said"), [("texts[1]", "row 8: No."), ("texts[9]", "texts[9]: No."), ("texts", "No.")]
)
def test_a_text_is_named_as_the_caller_knows_it(field: str, said: str) -> None:
    error = told(reply(422, "invalid_value", "No.", field), places=("row 7", "row 8"))

    assert error.message == f"{ADDRESS} answered 422: {said} (request r1)"


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_names_the_variable(status: int) -> None:
    assert told(reply(status)).hint == "Set the environment variable FASTBERT_API_KEY to a key of this server."


@pytest.mark.parametrize("status", [301, 404, 405])
def test_another_address_is_proposed_where_there_is_no_such_path(status: int) -> None:
    hint = "Check the address: this is no FastBert server, or a path is missing in front."

    assert told(Reply(status, {}, b"<html>")).hint == hint


def test_an_unknown_model_keeps_its_own_hint() -> None:
    assert told(reply(404, "unknown_model", hint="Did you mean 'm'?")).hint == "Did you mean 'm'?"


@pytest.mark.parametrize(
    ("status", "code"), [(400, 2), (401, 2), (404, 2), (422, 2), (408, 1), (429, 1), (500, 1), (503, 1), (504, 1)]
)
def test_the_exit_code_says_who_has_to_act(status: int, code: int) -> None:
    assert told(reply(status)).exit_code == code


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"error": "no"}', b'{"error": {"code": 1}}', b"\xff"])
def test_a_strange_body_leaves_what_the_status_means(body: bytes) -> None:
    assert told(Reply(502, {}, body)).message == f"{ADDRESS} answered 502: Bad Gateway."


def test_a_status_that_nobody_knows_is_told() -> None:
    assert told(Reply(599, {}, b"")).message == f"{ADDRESS} answered 599: no reason given."


def test_what_a_server_says_is_shortened_and_printable() -> None:
    error = told(reply(500, message="a\x1b[31m\nb" + "c" * 1000))

    assert error.message.isprintable()
    assert len(error.message) < 400


def test_an_answer_of_something_else_is_told() -> None:
    error = unreadable(ADDRESS, Reply(200, {}, b"<html>"))

    assert error.message == f"{ADDRESS} answered 200 with what is no answer of a FastBert server."
    assert error.hint == "Check the address, and that server and client are of like versions."


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Reply(413, {}, b""), True),
        (reply(422, field="texts"), True),
        (reply(422, field="explain"), True),
        (reply(422, field="texts[3]"), False),
        (reply(422, field="top_k"), False),
        (Reply(422, {}, b""), False),
        (reply(400, field="texts"), False),
    ],
)
def test_only_what_is_too_much_can_be_sent_in_parts(outcome: Reply, expected: bool) -> None:
    assert is_too_much(outcome) is expected
