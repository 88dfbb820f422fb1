"""Texts of a request made into examples, within the limits; and a rule of its own where the request asks for one.

A problem names the field, never the text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from fastbert.data.examples import TextExample
from fastbert.decisions.rules import Decisions
from fastbert.errors import did_you_mean
from fastbert.serving.models import Model
from fastbert.serving.problems import check_number, invalid, too_large
from fastbert.serving.settings import Limits

Text = str | tuple[str, str]


def examples_of(model: Model, texts: Sequence[Text], field: str, limits: Limits) -> list[TextExample]:
    """Return texts, or pairs, as examples.

    field: of the request, for problems.
    Raises Problem: 422 for none, too many, or pairs where the model reads single texts and the reverse; 413 for too
        many characters.
    """
    if not texts:
        raise invalid("There is no text.", field, "Send at least one.")
    check_number(len(texts), limits.texts, field)
    pairs = model.predictor.bundle.reads_pairs
    examples = []
    characters = 0
    for index, item in enumerate(texts):
        text, pair = (item, None) if isinstance(item, str) else item
        characters += len(text) + len(pair or "")
        if pairs is not None and (pair is not None) != pairs:
            wanted = 'a pair, ["text", "second text"]' if pairs else "a single text"
            raise invalid(f"The model '{model.name}' reads {wanted}.", f"{field}[{index}]", "")
        examples.append(TextExample(text, pair, where=f"{field}[{index}]"))
    if characters > limits.characters:
        raise too_large(
            f"The texts have {characters:,} characters; at most {limits.characters:,} are read.", field, "Send fewer."
        )
    return examples


def decisions_of(model: Model, threshold: float | None, thresholds: Mapping[str, float] | None) -> Decisions | None:
    """Return the model's rule with thresholds of the request, None where it has none.

    threshold: for every label: from which score on a label is given; where a text has one label, below which the answer
        is unknown.    thresholds: the same for some labels.
    Raises Problem (422) for a model without labels, an unknown label, or a number that is no probability.
    """
    if threshold is None and not thresholds:
        return None
    field = "threshold" if threshold is not None else "thresholds"
    task, rule = model.predictor.task, model.predictor.bundle.decisions
    link = getattr(task, "link", None)
    if link is None:
        raise invalid(f"The model '{model.name}' ({task.name}) has no thresholds.", field, "Leave it out.")
    for name, value in {**({} if threshold is None else {"": threshold}), **(thresholds or {})}.items():
        where = f"thresholds.{name}" if name else "threshold"
        if name and name not in task.label_names:
            hint = did_you_mean(name, task.label_names) or "Ask GET /v1/models for the labels."
            raise invalid("The model has no such label.", "thresholds", hint)
        if not 0.0 <= value <= 1.0 or math.isnan(value):
            raise invalid("A threshold is a number from 0 to 1.", where)
    own = {} if threshold is not None else dict(rule.thresholds)
    if threshold is not None and link == "softmax":
        own = dict.fromkeys(task.label_names, threshold)
    own |= thresholds or {}
    return replace(rule, threshold=rule.threshold if threshold is None else threshold, thresholds=tuple(own.items()))


def thresholds_of(model: Model) -> dict[str, float | None]:
    """Return from which score on the model's own rule gives a label, None for never; {} where it asks for none."""
    task, rule = model.predictor.task, model.predictor.bundle.decisions
    shared = dict.fromkeys(task.label_names, rule.threshold) if getattr(task, "link", None) == "sigmoid" else {}
    found = {**shared, **dict(rule.thresholds)}
    return {name: None if math.isinf(value) else value for name, value in found.items()}


def whole(value: float, field: str) -> int:
    """Return a number as a whole one. Raises Problem (422) for a fraction."""
    if not value.is_integer():
        raise invalid("Expected a whole number.", field)
    return int(value)
