"""What becomes of numbers that JSON does not know."""

from __future__ import annotations

import json

import pytest

from fastbert.jsonable import finite


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_becomes_null(value: float) -> None:
    assert json.dumps(finite({"a": [1, {"b": (value, 2.5)}]}), allow_nan=False) == '{"a": [1, {"b": [null, 2.5]}]}'


@pytest.mark.parametrize("value", [1.5, 7, "text", None, True, [], {}])
def test_everything_else_stays_as_it_is(value: object) -> None:
    assert finite(value) == value
