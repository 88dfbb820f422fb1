"""Tensors of the Open Inference Protocol: texts in and columns out, as JSON or as bytes behind it.

A tensor of BYTES is, for each element, its length in 4 bytes (little endian) and the bytes. Knows no route, no model.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from fastbert.serving.inputs import whole
from fastbert.serving.problems import Problem, check_number, invalid, malformed

_LENGTH = struct.Struct("<I")
_KINDS: dict[str, np.dtype[Any]] = {"FP32": np.dtype("<f4"), "FP64": np.dtype("<f8"), "INT64": np.dtype("<i8")}


class TensorParameters(msgspec.Struct):
    """How a tensor comes, or is wanted. binary_data_size: bytes behind the JSON.    binary_data: as bytes."""

    binary_data_size: int | None = None
    binary_data: bool | None = None


class InputTensor(msgspec.Struct):
    """A tensor that is sent. data: flat, or nested as its shape; none where it comes as bytes."""

    name: str
    shape: Sequence[int | float]  # JSON knows no whole numbers apart: 5.0 is one, too
    datatype: str
    data: list[Any] | None = None
    parameters: TensorParameters | None = None


class OutputTensor(msgspec.Struct, omit_defaults=True):
    """A tensor that is answered."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any] | None = None
    parameters: dict[str, int] | None = None


@dataclass(frozen=True)
class Column:
    """What a model answers under one name. values: flat.    width: values of one text; None: one, without an axis."""

    datatype: str
    values: Sequence[Any]
    width: int | None = None

    def tensor(self, name: str, rows: int) -> OutputTensor:
        """Return it as JSON."""
        return OutputTensor(name, self.datatype, self._shape(rows), list(self.values))

    def binary(self, name: str, rows: int) -> tuple[OutputTensor, bytes]:
        """Return it as bytes, with what JSON says of them."""
        if self.datatype == "BYTES":
            raw = b"".join(_LENGTH.pack(len(one)) + one for one in (value.encode() for value in self.values))
        else:
            raw = np.asarray(self.values, _KINDS[self.datatype]).tobytes()
        return OutputTensor(name, self.datatype, self._shape(rows), None, {"binary_data_size": len(raw)}), raw

    def _shape(self, rows: int) -> list[int]:
        return [rows] if self.width is None else [rows, self.width]


def split_body(body: bytes, header: str) -> tuple[bytes, bytes]:
    """Return the JSON and the bytes behind it. header: Inference-Header-Content-Length.

    Raises Problem (400) for a length that is none, or more than there is.
    """
    if not header:
        return body, b""
    digits = header.strip()
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 15 or int(digits) > len(body):
        raise malformed(
            "Inference-Header-Content-Length is no length of a part of the body.", "Send the bytes of the JSON in it."
        )
    return body[: int(digits)], body[int(digits) :]


def texts_of_tensors(inputs: Sequence[InputTensor], raw: bytes, most: int) -> list[tuple[InputTensor, list[str]]]:
    """Return the texts of each tensor, flat.

    raw: the bytes behind the JSON, in the order of the tensors.    most: rows of a tensor that are read.
    Raises Problem: 422 for what is no tensor of texts or does not fit its shape, 400 for bytes that do not fit.
    """
    found = []
    place = 0
    for index, one in enumerate(inputs):
        field = f"inputs[{index}]"
        if one.datatype != "BYTES":
            raise invalid("Expected datatype BYTES: inputs are texts.", f"{field}.datatype")
        shape = [whole(float(size), f"{field}.shape") for size in one.shape[:3]]
        if not 1 <= len(shape) <= 2 or shape[0] < 0 or shape[1:] not in ([], [1], [2]):
            raise invalid("Expected shape [N], [N, 1], or [N, 2] for pairs.", f"{field}.shape")
        check_number(shape[0], most, f"{field}.shape")
        count = math.prod(shape)
        size = None if one.parameters is None else one.parameters.binary_data_size
        if (size is None) == (one.data is None):
            raise invalid("Expected either data, or binary_data_size and the bytes.", field)
        if size is None:
            values = _texts(one.data, f"{field}.data", count)
        else:
            if size < 0 or size > len(raw) - place:
                raise invalid("There are not so many bytes behind the JSON.", f"{field}.parameters.binary_data_size")
            values = _unpacked(raw[place : place + size], f"{field}.parameters.binary_data_size", count)
            place += size
        if len(values) != count:
            raise _unlike(count, f"{field}.shape")
        found.append((one, values))
    if place != len(raw):
        raise malformed(f"There are {len(raw) - place:,} bytes more than the tensors say.")
    return found


def _texts(data: object, field: str, count: int) -> list[str]:
    """Return the texts of nested lists, in order. Raises Problem (422) for more than a shape of count elements has."""
    flat: list[str] = []
    todo = [data]
    for _ in range(1 + 2 * count):  # each text may stand in a list of its own
        if not todo:
            return flat
        value = todo.pop()
        if isinstance(value, list):
            todo.extend(reversed(value))
        elif isinstance(value, str):
            flat.append(value)
        else:
            raise invalid("Expected texts.", field)
    if todo:
        raise _unlike(count, field)
    return flat


def _unlike(count: int, field: str) -> Problem:
    return invalid(f"The elements are not those of the shape; it says {count:,}.", field)


def _unpacked(raw: bytes, field: str, count: int) -> list[str]:
    values: list[str] = []
    place = 0
    try:
        while place < len(raw):
            (size,) = _LENGTH.unpack_from(raw, place)
            place += _LENGTH.size
            if size > len(raw) - place:
                raise invalid("An element is longer than the bytes that are left.", field)
            if len(values) == count:
                raise _unlike(count, field)
            values.append(raw[place : place + size].decode())
            place += size
    except (struct.error, UnicodeDecodeError):
        raise invalid("The bytes are no texts: 4 bytes of length, then UTF-8, for each.", field) from None
    return values
