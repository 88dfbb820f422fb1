"""What a cell, or a value of a JSON file, says of the answers to a question.

However they are written, the result is the same. Knows nothing of contexts or files.
"""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Mapping, Sequence

from fastbert.data.cell_values import is_empty, label_text, parse_whole
from fastbert.data.given_questions import GivenAnswer
from fastbert.data.label_reader import WrongValue
from fastbert.data.row_problems import excerpt

TEXT_KEYS = ("text", "answer", "answer_text")
START_KEYS = ("answer_start", "start")
HINT = (
    'Write {"text": ["..."], "answer_start": [0]}, a list of {"text": "...", "answer_start": 0}, a list of texts, or'
    " one text; leave it empty where the context has no answer."
)


def read_answers(value: object, starts: object = None, *, context: str = "") -> tuple[GivenAnswer, ...]:
    """Return the answers that a value holds, in its order; blank ones are left out.

    value: text, number, list, or an object with texts and offsets; or a string that is one of these.
    starts: the offset, or the list of offsets, of a column beside it, for answers that name none.
    context: where a string stands in it as it is, the string is the answer, even if it looks like a list of answers.
    Raises WrongValue for anything else, and for an offset that is no whole number from 0.

    >>> read_answers({"text": ["Rome"], "answer_start": [7]})
    (GivenAnswer(text='Rome', start=7),)
    >>> read_answers("Rome", "7") == read_answers('[{"text": "Rome", "start": 7}]')
    True
    """
    parts = [part for part in _pairs(_parsed(value)) if not _is_blank(part[0])]
    if parts and isinstance(value, str) and value.strip() in context:  # "[]" always says that there is none
        parts = [(value, None)]
    offsets = _listed(_parsed(starts))
    offsets = [] if all(map(_is_blank, offsets)) else offsets
    if offsets and parts and all(start is None for _, start in parts):
        if len(offsets) != len(parts):
            raise WrongValue(f"{len(parts)} answers have {len(offsets)} offsets", HINT)
        parts = [(text, start) for (text, _), start in zip(parts, offsets, strict=True)]
    return tuple(GivenAnswer(_text_of(text), _start_of(start)) for text, start in parts)


def _pairs(value: object) -> list[tuple[object, object]]:
    """Return texts with their offsets, None where there is none."""
    if isinstance(value, Mapping):
        text_key = next((key for key in TEXT_KEYS if key in value), None)
        if text_key is None:
            raise WrongValue(f"an answer has the keys {excerpt(', '.join(map(str, value)))}, expected 'text'", HINT)
        texts = _listed(value[text_key])
        start_key = next((key for key in START_KEYS if key in value), None)
        starts = [None] * len(texts) if start_key is None else _listed(value[start_key])
        if len(starts) != len(texts):
            raise WrongValue(f"{len(texts)} answers have {len(starts)} offsets", HINT)
        return list(zip(texts, starts, strict=True))
    if isinstance(value, list | tuple):
        return [pair for item in value for pair in _pairs(_object_of(item))]
    return [(value, None)]


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _object_of(item: object) -> object:
    """Return an item of a list; a table holds objects as their JSON text."""
    parsed = _parsed(item)
    return parsed if isinstance(parsed, Mapping) else item


def _parsed(value: object) -> object:
    """Return what a string describes if it is an object, or a list of texts, numbers or objects."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = _python_value(value.strip())
    known = isinstance(found, Mapping) or (
        isinstance(found, list) and all(isinstance(x, str | int | Mapping) for x in found)
    )
    return found if known else value  # "[sic]" is text


class _Arrays(ast.NodeTransformer):
    """Takes `array([...], dtype=...)` for its list, as pandas and datasets write it into CSV files."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        is_array = isinstance(node.func, ast.Name) and node.func.id == "array" and node.args
        return node.args[0] if is_array else node


def _python_value(text: str) -> object:
    try:
        with warnings.catch_warnings(action="ignore"):  # of strings with a backslash
            return ast.literal_eval(_Arrays().visit(ast.parse(text, mode="eval")))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str | float) and is_empty(value))


def _text_of(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return label_text(value)
    kind = "a list" if isinstance(value, Sequence) else f"a value of type {type(value).__name__}"
    raise WrongValue(f"an answer is {kind}, expected text", HINT)


def _start_of(value: object) -> int | None:
    if _is_blank(value):
        return None
    start = parse_whole(value) if isinstance(value, str | int | float) else None
    if start is None or start < 0:
        raise WrongValue(f"the offset of an answer is {excerpt(value)}, expected a whole number from 0", HINT)
    return start
