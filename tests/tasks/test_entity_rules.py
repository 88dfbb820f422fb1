"""Rules for entities: calibrated scores, thresholds by type, and what is kept to fit them again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from fastbert.config import DecisionConfig
from fastbert.data.examples import Entity, TaggedExample
from fastbert.decisions.calibration import Calibration
from fastbert.decisions.rules import Decisions
from fastbert.errors import ConfigError
from fastbert.labels import Labels
from fastbert.tasks.base import Example, Prediction
from fastbert.tasks.entities_prediction import EntitiesPrediction, ScoredEntity, entities_in
from fastbert.tasks.entity_rules import entities_rule, found_entities
from fastbert.tasks.tagging import Tagging

LABELS = Labels(("place", "who"))
TASK = Tagging(LABELS)


def drawn(rows: int, seed: int = 0) -> tuple[list[Prediction], list[Example]]:
    """Return answers to rows with one true entity each: places are right as scored, persons less often."""
    rng = np.random.default_rng(seed)
    said: list[Prediction] = []
    true: list[Example] = []
    for _ in range(rows):
        label, score = ("place", "who")[int(rng.integers(2))], float(rng.uniform(0.3, 1))
        right = rng.random() < (score if label == "place" else score**3)
        example = TaggedExample("anna in berlin", (Entity(0, 4, label),))
        start = 0 if right else 8
        found = ScoredEntity(example.text[start : start + 4], label, start, start + 4, score)
        said.append(EntitiesPrediction.of([found], example))
        true.append(example)
    return said, true


def fit(rows: tuple[Sequence[Prediction], Sequence[Example]], **options: object) -> Decisions:
    return TASK.fit_rule(*rows, DecisionConfig(**options))  # type: ignore[arg-type]


def test_what_was_missed_is_no_candidate() -> None:
    example = TaggedExample("anna in berlin", (Entity(0, 4, "who"), Entity(8, 14, "place")))
    said = EntitiesPrediction.of([ScoredEntity("anna", "who", 0, 4, 0.9)], example)

    found = found_entities([said], [example], LABELS)

    assert found.candidates.score_M.tolist() == [0.9, -1.0]
    assert found.candidates.right_M.tolist() == [True, True]
    assert found.candidates.label_M.tolist() == [1, 0]
    assert found.is_found_M.tolist() == [True, False]


def test_scores_of_entities_are_calibrated() -> None:
    decisions = fit(drawn(3000))

    facts = decisions.fit["calibration"]
    assert isinstance(facts, dict)
    assert decisions.calibration.method != "none"
    assert facts["error_after"] < facts["error_before"] / 2
    assert decisions.thresholds == ()


def test_a_goal_of_precision_leaves_the_doubtful_ones_out() -> None:
    decisions = fit(drawn(3000), goal="precision>=0.9")
    said, true = drawn(3000, seed=1)

    kept = TASK.redecide(said, decisions)

    scores = TASK.score(kept, true)
    assert scores["precision"] >= 0.87
    assert TASK.score(said, true)["precision"] < 0.7
    assert scores["recall"] > 0.1


def test_the_plain_rule_leaves_answers_as_they_are() -> None:
    said, _ = drawn(3)

    assert TASK.redecide(said, Decisions()) == said


def test_texts_and_places_stay_when_a_rule_is_applied() -> None:
    said, _ = drawn(5)
    half = Decisions(calibration=Calibration("temperature", (0.5,), (0.0,)))

    again = TASK.redecide(said, half)

    assert [entities_in(one) for one in again] == [entities_in(one) for one in said]
    assert [one.text for one in again] == [one.text for one in said]
    scores = [list(one.scores.values())[0] for one in again]
    assert all(0.5 < score for score in scores if score > 0.5)


def test_what_is_packed_is_scored_alike_without_texts() -> None:
    rows = drawn(40)
    rows[0][3] = EntitiesPrediction.of([], rows[1][3])

    predictions, examples = TASK.unpack(TASK.pack(*rows))

    assert TASK.score(predictions, examples) == TASK.score(*rows)
    assert {example.text for example in examples} == {""}
    assert {entity.text for one in predictions for entity in one.entities} == {""}  # type: ignore[attr-defined]
    assert fit((predictions, examples), goal="f1") == fit(rows, goal="f1")


def test_no_rows_fit_the_plain_rule() -> None:
    assert fit(([], []), goal="f1") == Decisions(goal="f1")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"goal": "recall>=0.9"}, "cannot be kept by leaving entities out"),
        ({"goal": "precision>=0.9@who"}, "is for models that give exactly one label"),
        ({"goal": "f3"}, "The goal is 'f3'"),
        ({"abstain": "0.5"}, "abstain is '0.5', which the task 'tagging' does not know."),
        ({"at_most": 3}, "at_most is 3, which the task 'tagging' does not know."),
    ],
)
def test_a_rule_that_entities_do_not_have_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TASK.check_rule(DecisionConfig(**options))  # type: ignore[arg-type]

    assert message in str(caught.value)


def test_people_read_what_is_done_to_entities() -> None:
    rule = Decisions(thresholds=(("who", 0.8),), goal="precision>=0.9")

    assert entities_rule(Decisions()) == ""
    assert entities_rule(rule) == " It is given from its type's score on (who 0.8): precision>=0.9."
