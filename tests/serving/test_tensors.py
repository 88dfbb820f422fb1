"""Tensors of texts and of numbers, as JSON and as bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fastbert.serving.problems import Problem
from fastbert.serving.tensors import Column, InputTensor, TensorParameters, split_body, texts_of_tensors


@given(texts=some.lists(some.text(), min_size=1, max_size=8))
def test_texts_survive_as_bytes(texts: list[str]) -> None:
    tensor, raw = Column("BYTES", texts).binary("text", len(texts))
    assert tensor.parameters is not None
    sent = InputTensor("text", tensor.shape, "BYTES", None, TensorParameters(tensor.parameters["binary_data_size"]))

    ((_, read),) = texts_of_tensors([sent], raw, 8)

    assert read == texts


@given(raw=some.binary(max_size=64), size=some.integers(-4, 80), count=some.integers(0, 8))
def test_any_bytes_are_texts_or_a_problem(raw: bytes, size: int, count: int) -> None:
    sent = InputTensor("text", [count], "BYTES", None, TensorParameters(size))
    try:
        ((_, read),) = texts_of_tensors([sent], raw, 8)
    except Problem as problem:
        assert problem.status in (400, 422)
    else:
        assert len(read) == count


def test_two_tensors_share_the_bytes_in_order() -> None:
    raw = b"".join(struct.pack("<I", 1) + one for one in (b"a", b"b"))
    sent = [InputTensor(name, [1], "BYTES", None, TensorParameters(5)) for name in ("text", "pair")]

    assert [texts for _, texts in texts_of_tensors(sent, raw, 8)] == [["a"], ["b"]]


def test_a_shape_may_be_written_with_a_point() -> None:
    ((_, texts),) = texts_of_tensors([InputTensor("text", [2.0, 1.0], "BYTES", ["a", "b"])], b"", 8)

    assert texts == ["a", "b"]
    with pytest.raises(Problem, match="whole number"):
        texts_of_tensors([InputTensor("text", [1.5], "BYTES", ["a"])], b"", 8)


@pytest.mark.parametrize(("datatype", "size"), [("FP32", 8), ("FP64", 16), ("INT64", 16)])
def test_numbers_take_their_bytes(datatype: str, size: int) -> None:
    assert len(Column(datatype, [1, 2]).binary("x", 2)[1]) == size


@pytest.mark.parametrize(("header", "parts"), [("", (b"abc", b"")), ("2", (b"ab", b"c")), ("3", (b"abc", b""))])
def test_a_body_is_split_where_the_header_says(header: str, parts: tuple[bytes, bytes]) -> None:
    assert split_body(b"abc", header) == parts
