"""Decision rules for entities: calibrated scores, and from which score on each type is given.

Knows nothing of tokens or tags: it sees entities that were found, with their scores. Numpy only.

Axes: M entities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt

from fastbert.config import DecisionConfig
from fastbert.data.examples import Entity, TaggedExample
from fastbert.decisions.aims import aim_of
from fastbert.decisions.calibration import METHODS
from fastbert.decisions.calibration_choice import choose_calibration
from fastbert.decisions.goals import check_labels, parse_goal
from fastbert.decisions.rules import Decisions
from fastbert.decisions.thresholds import Candidates, fit_thresholds
from fastbert.errors import ConfigError
from fastbert.labels import Labels
from fastbert.tasks.base import Array, Example, Prediction
from fastbert.tasks.entities_prediction import EntitiesPrediction, ScoredEntity, entities_in
from fastbert.tasks.label_rules import listed


@dataclass(frozen=True)
class FoundEntities:
    """The entities of all rows: candidates for a threshold, and how many rows there are.

    is_found_M: False for a true entity that was not found.
    """

    candidates: Candidates
    is_found_M: npt.NDArray[np.bool_]
    num_rows: int


def true_entities(example: Example) -> tuple[Entity, ...]:
    """Return the entities of an example. Raises ValueError where they are not known."""
    entities = cast("TaggedExample", example).entities
    if entities is None:
        raise ValueError(f"{example.where}: a text without entities given cannot be scored")
    return entities


def found_entities(predictions: Sequence[Prediction], examples: Sequence[Example], labels: Labels) -> FoundEntities:
    """Return what was found and what was missed. predictions: with the model's own scores."""
    rows: list[tuple[float, bool, int, int]] = []
    for row, (prediction, example) in enumerate(zip(predictions, examples, strict=True)):
        true, said = set(true_entities(example)), cast("EntitiesPrediction", prediction).entities
        rows += [(one.score, one.entity in true, labels.id_of(one.label), row) for one in said]
        rows += [(-1.0, True, labels.id_of(one.label), row) for one in true - set(entities_in(prediction))]
    score_M, right_M, label_M, row_M = (np.array(column) for column in zip(*rows, strict=True)) if rows else ([],) * 4
    candidates = Candidates(
        np.asarray(score_M, np.float64),
        np.asarray(right_M, np.bool_),
        np.asarray(label_M, np.int64),
        np.asarray(row_M, np.int64),
        len(labels),
    )
    return FoundEntities(candidates, candidates.score_M >= 0, len(predictions))


def check_entity_goal(config: DecisionConfig, names: Sequence[str]) -> None:
    """Raise ConfigError for a goal that entities do not have."""
    goal = parse_goal(config.goal or "default")
    check_labels(goal, names)
    if goal.label or any(true and decided for true, decided, _ in goal.costs):
        raise ConfigError(
            f"The goal '{config.goal}' is for models that give exactly one label.",
            "For entities use f1, fbeta:B, precision>=P, or a file label,false_positive,false_negative of costs.",
        )
    if goal.kind == "recall":
        raise ConfigError(
            f"The goal '{config.goal}' cannot be kept by leaving entities out, which is all that a rule for them does.",
            "Use fbeta:2, which weighs recall, or give more training rows.",
        )


def fit_entity_rule(found: FoundEntities, names: Sequence[str], config: DecisionConfig) -> Decisions:
    """Return calibrated scores, and thresholds by type where a goal asks for them."""
    goal = parse_goal(config.goal or "default")
    methods = METHODS if config.calibrate == "auto" else (config.calibrate,)
    said = found.candidates.take(found.is_found_M)
    chosen = choose_calibration(said.score_M[:, None], said.right_M[:, None], "sigmoid", methods=methods)
    decisions = Decisions(calibration=chosen.calibration, goal=str(goal))
    facts: dict[str, object] = {"entities": len(said.score_M), "calibration": chosen.to_json(), "goal": {}}
    if goal.kind != "default" and found.candidates.right_M.any():
        score_M = found.candidates.score_M.copy()
        score_M[found.is_found_M] = _calibrated(said.score_M, decisions)
        fitted = fit_thresholds(replace(found.candidates, score_M=score_M), aim_of(goal, names), found.num_rows)
        facts["goal"] = fitted.to_json()
        decisions = replace(decisions, thresholds=tuple(zip(names, fitted.threshold_C.tolist(), strict=True)))
    return replace(decisions, fit=facts)


def redecided(predictions: Sequence[Prediction], decisions: Decisions) -> list[Prediction]:
    """Return predictions with calibrated scores and only the entities that the rule gives."""
    own = dict(decisions.thresholds)
    if decisions.calibration.method == "none" and not own:
        return list(predictions)
    entities = [one for prediction in predictions for one in cast("EntitiesPrediction", prediction).entities]
    scores = iter(_calibrated(np.array([one.score for one in entities], np.float64), decisions).tolist())
    result: list[Prediction] = []
    for prediction in predictions:
        scored = [replace(one, score=next(scores)) for one in cast("EntitiesPrediction", prediction).entities]
        kept = [one for one in scored if one.score >= own.get(one.label, 0.0)]
        again = EntitiesPrediction.of(kept, TaggedExample(prediction.text), cut=prediction.cut)
        result.append(again)
    return result


def entities_rule(decisions: Decisions) -> str:
    """Return what is done to entities once they are found, as sentences with a space before; nothing if nothing."""
    parts = []
    if decisions.calibration.method != "none":
        parts.append(f" Scores are calibrated: {decisions.calibration.describe()}.")
    if decisions.thresholds:
        parts.append(f" It is given from its type's score on ({listed(decisions.thresholds)}): {decisions.goal}.")
    return "".join(parts)


def pack_entities(predictions: Sequence[Prediction], examples: Sequence[Example], labels: Labels) -> dict[str, Array]:
    """Return row, start, end and type of the entities found and of the true ones, and the scores of the former."""
    said = [(row, one) for row, each in enumerate(predictions) for one in cast("EntitiesPrediction", each).entities]
    true = [(row, one) for row, example in enumerate(examples) for one in true_entities(example)]
    return {
        "found": np.array([(row, e.start, e.end, labels.id_of(e.label)) for row, e in said], np.int64).reshape(-1, 4),
        "scores": np.array([entity.score for _, entity in said], np.float64),
        "true": np.array([(row, e.start, e.end, labels.id_of(e.label)) for row, e in true], np.int64).reshape(-1, 4),
        "rows": np.array(len(predictions), np.int64),
    }


def unpack_entities(arrays: Mapping[str, Array], labels: Labels) -> tuple[list[Prediction], list[Example]]:
    """Return what `pack_entities` was given, without texts."""
    num_rows = int(arrays["rows"])
    said: list[list[ScoredEntity]] = [[] for _ in range(num_rows)]
    true: list[list[Entity]] = [[] for _ in range(num_rows)]
    for (row, start, end, label), score in zip(arrays["found"].tolist(), arrays["scores"].tolist(), strict=True):
        said[row].append(ScoredEntity("", labels.name_of(label), start, end, score))
    for row, start, end, label in arrays["true"].tolist():
        true[row].append(Entity(start, end, labels.name_of(label)))
    examples: list[Example] = [TaggedExample("", tuple(entities)) for entities in true]
    return [EntitiesPrediction.of(own, example) for own, example in zip(said, examples, strict=True)], examples


def _calibrated(score_M: npt.NDArray[np.float64], decisions: Decisions) -> npt.NDArray[np.float64]:
    return decisions.calibration.apply(score_M[:, None], "sigmoid")[:, 0]
