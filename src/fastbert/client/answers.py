"""Answers of a server made into what a predictor of this process returns: predictions, explanations, facts of models.

An answer is known by its fields, not by the name of its task: tasks of packages of others answer in the same shapes.
Raises LookupError, TypeError or ValueError for anything else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from fastbert.tasks.answer_prediction import AnswerPrediction, AnswerSpan
from fastbert.tasks.base import Example, Prediction
from fastbert.tasks.entities_prediction import EntitiesPrediction, ScoredEntity
from fastbert.tasks.label_prediction import LabelPrediction, WindowScores
from fastbert.tasks.regression import ValuePrediction

if TYPE_CHECKING:
    from fastbert.insight.explanation import Attribution, Explanation

Values = Mapping[str, object]


@dataclass(frozen=True)
class ServedModel:
    """What a server says of a model.

    version: changes with the model's files.    reads: "text", or "pair".    rule: how scores become answers.
    scores: by split of the training, and name.    loaded: when, in UTC.
    answer_columns: that an answer adds to a table.    layout: how tables are read, {} where nothing is known of them.
    """

    name: str
    version: str
    task: str
    labels: tuple[str, ...] = ()
    reads: str = "text"
    rule: str = ""
    max_tokens: int = 0
    backend: str = ""
    loaded: str = ""
    scores: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict, repr=False)
    answer_columns: tuple[str, ...] = ()
    layout: Mapping[str, object] = field(default_factory=dict, repr=False)

    @classmethod
    def from_json(cls, values: Values) -> ServedModel:
        """Return the model that GET /v1/models describes; what a newer server says beside it is passed over."""
        scores = {name: dict(_mapping(found)) for name, found in _mapping(values["scores"]).items()}
        return cls(
            name=_text(values["name"]),
            version=_text(values["version"]),
            task=_text(values["task"]),
            labels=_texts(values["labels"]),
            reads=_text(values["reads"]),
            rule=_text(values["rule"]),
            max_tokens=_whole(values["max_tokens"]),
            backend=_text(values["backend"]),
            loaded=_text(values["loaded"]),
            scores=cast("Mapping[str, Mapping[str, float | None]]", scores),
            answer_columns=_texts(values["answer_columns"]),
            layout=_mapping(values["layout"]),
        )


def prediction_of(values: Values, example: Example) -> Prediction:
    """Return the answer for an example, as a predictor gives it.

    Two numbers stay on the server: `energy` of labels, and `margin` of an answer to a question; they are NaN.
    """
    cut = bool(values.get("cut", False))
    if "labels" in values:
        return LabelPrediction(
            _texts(values["labels"]),
            _numbers(values["scores"]),
            tuple(map(_window, _mappings(values.get("windows", [])))),
            reason=_optional_text(values.get("reason")),
            text=example.text,
            pair=example.pair,
            cut=cut,
        )
    if "entities" in values:
        entities = [_entity(one) for one in _mappings(values["entities"])]
        return EntitiesPrediction.of(entities, example, cut=cut)
    if "value" in values:
        value, scale = _number(values["value"]), _number(values["scale"])
        return ValuePrediction(text=example.text, pair=example.pair, cut=cut, value=value, scale=scale)
    return AnswerPrediction(
        text=example.text,
        pair=example.pair,
        cut=cut,
        start=None if values["start"] is None else _whole(values["start"]),
        end=None if values["end"] is None else _whole(values["end"]),
        score=_number(values["score"]),
        no_answer=_number(values["no_answer"]),
        alternatives=tuple(map(_span, _mappings(values["alternatives"]))),
        margin=math.nan,
    )


def explanation_of(values: Values, example: Example) -> Explanation:
    """Return an answer with what each word is worth to it."""
    from fastbert.insight.explanation import Explanation
    from fastbert.insight.readings import Word

    why = _mapping(values["explanation"])
    words = [
        Word(
            _text(one["text"]),
            _whole(one["start"]),
            _whole(one["end"]),
            "pair" if one["source"] == "pair" else "text",
            bool(one["read"]),
        )
        for one in _mappings(why["words"])
    ]
    attributions = tuple(map(_attribution, _mappings(why["attributions"])))
    prediction = prediction_of(values, example)
    return Explanation(prediction, tuple(words), attributions, _text(why["hidden_by"]), _whole(why["windows"]))


def _attribution(values: Values) -> Attribution:
    from fastbert.insight.explanation import Attribution

    place, unit = values.get("place"), cast('Literal["log-odds", "value", "logits"]', _text(values["unit"]))
    return Attribution(
        name=_text(values["name"]),
        unit=unit,
        score=_number(values["score"]),
        value=_number(values["value"]),
        hidden=_number(values["hidden"]),
        values=tuple(None if one is None else _number(one) for one in _list(values["values"])),
        method=_text(values["method"]),
        place=None if place is None else _place(place),
        steps=None if values.get("steps") is None else _whole(values["steps"]),
        error=None if values.get("error") is None else _number(values["error"]),
    )


def _window(values: Values) -> WindowScores:
    return WindowScores(tuple(_place(piece) for piece in _list(values["pieces"])), _numbers(values["scores"]))


def _entity(values: Values) -> ScoredEntity:
    places = _whole(values["start"]), _whole(values["end"])
    return ScoredEntity(_text(values["text"]), _text(values["label"]), *places, _number(values["score"]))


def _span(values: Values) -> AnswerSpan:
    return AnswerSpan(_text(values["answer"]), _whole(values["start"]), _whole(values["end"]), _number(values["score"]))


# --- plain values ------------------------------------------------------------------------------------


def _list(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise TypeError("no list")
    return value


def _mapping(value: object) -> Values:
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value


def _mappings(value: object) -> Sequence[Values]:
    return [_mapping(one) for one in _list(value)]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(one) for one in _list(value))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no number")
    return float(value)


def _numbers(value: object) -> dict[str, float]:
    return {name: _number(number) for name, number in _mapping(value).items()}


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("no whole number")
    return value


def _place(value: object) -> tuple[int, int]:
    start, end = _list(value)
    return _whole(start), _whole(end)
