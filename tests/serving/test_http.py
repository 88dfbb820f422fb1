"""Requests and bodies: limits hold before anything is read, and nesting is counted outside strings."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.serving.http import ClientGone, Request, Response, check_depth
from fastbert.serving.problems import Problem


def request(headers: Mapping[str, str], *messages: Mapping[str, object]) -> Request:
    waiting = list(messages)

    async def receive() -> dict[str, object]:
        return dict(waiting.pop(0))

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {"type": "http", "method": "POST", "path": "/", "headers": raw, "query_string": b"a=1&a=2&b="}, receive
    )


def part(body: bytes, *, more: bool = False) -> dict[str, object]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_in_parts_is_joined() -> None:
    assert asyncio.run(request({}, part(b"ab", more=True), part(b"c")).body(10)) == b"abc"


def test_a_body_that_says_it_is_too_long_is_not_read() -> None:
    with pytest.raises(Problem) as caught:
        asyncio.run(request({"content-length": "11"}).body(10))

    assert caught.value.status == 413
    assert caught.value.headers["Connection"] == "close"


def test_a_body_that_grows_too_long_is_not_read_on() -> None:
    with pytest.raises(Problem, match="more than 10 bytes"):
        asyncio.run(request({}, part(b"a" * 6, more=True), part(b"a" * 6, more=True)).body(10))


def test_a_client_that_hangs_up_while_it_sends_is_gone() -> None:
    with pytest.raises(ClientGone):
        asyncio.run(request({}, part(b"a", more=True), {"type": "http.disconnect"}).body(10))


def test_a_compressed_body_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        asyncio.run(request({"content-encoding": "gzip"}, part(b"a")).body(10))

    assert caught.value.status == 415


def test_content_type_and_query_are_taken_apart() -> None:
    asked = request({"content-type": 'Application/JSON; charset="UTF-8"'})

    assert (asked.media_type, asked.charset) == ("application/json", "utf-8")
    assert asked.query == {"a": "2", "b": ""}


def test_a_number_that_is_not_finite_becomes_null() -> None:
    assert Response.json({"value": float("nan")}).body == b'{"value":null}'


def depth(value: object) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return int(isinstance(value, dict | list)) + max(map(depth, children), default=0)


@given(
    st.recursive(
        st.none() | st.text('[]{}"\\a', max_size=6),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('[{"\\', max_size=3), inner, max_size=3),
        max_leaves=30,
    ),
    st.integers(1, 6),
)
def test_depth_is_counted_as_a_parser_counts_it(value: object, limit: int) -> None:
    body = json.dumps(value).encode()
    too_deep = False
    try:
        check_depth(body, limit)
    except Problem:
        too_deep = True

    assert too_deep == (depth(value) > limit)
