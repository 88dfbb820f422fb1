"""Bodies as types: what is wrong is named by its place, never by what stood there."""

from __future__ import annotations

import msgspec
import pytest

from fastbert.serving.decoding import JsonBody
from fastbert.serving.problems import Problem
from fastbert.serving.settings import Limits

SECRET = "zebra"


class Body(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    numbers: list[int] = []
    table: dict[str, int] = {}


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        (b'{"name": 1}', 422, "name"),
        (b'{"name": "a", "numbers": [1, "zebra"]}', 422, "numbers[1]"),
        (b'{"name": "a", "table": {"zebra": "zebra"}}', 422, "table"),
        (b'{"name": "a", "zebra": 1}', 422, ""),
        (b'["zebra"]', 422, ""),
        (b"zebra", 400, ""),
        (b'{"name": "zebra', 400, ""),
        (b"", 400, ""),
        (b'{"name": NaN}', 400, ""),
        (b'\xef\xbb\xbf{"name": "zebra"}', 400, ""),
    ],
)
def test_a_problem_names_the_place_and_not_the_value(body: bytes, status: int, where: str) -> None:
    with pytest.raises(Problem) as caught:
        JsonBody(Body).parse(body, Limits())

    assert (caught.value.status, caught.value.where) == (status, where)
    assert SECRET not in str(caught.value) + caught.value.hint


def test_half_of_a_surrogate_pair_is_refused_or_read_but_never_a_crash() -> None:
    with pytest.raises(Problem) as caught:
        JsonBody(Body).parse(b'{"name": "\\ud800"}', Limits())

    assert caught.value.status == 400


def test_what_nobody_asked_for_may_be_nested_and_is_bounded() -> None:
    class Open(msgspec.Struct):
        name: str

    with pytest.raises(Problem, match="nested deeper than 32"):
        JsonBody(Open).parse(b'{"name": "a", "other": ' + b"[" * 50 + b"]" * 50 + b"}", Limits())
    with pytest.raises(Problem) as caught:
        JsonBody(Open).parse(b'{"name": "a", "other": ' + b"[" * 90_000 + b"]" * 90_000 + b"}", Limits(depth=10**6))
    assert caught.value.status == 400
