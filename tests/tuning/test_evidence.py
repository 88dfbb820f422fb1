"""What is chance in a gain: the paired error, and what is left of the best of many trials."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fastbert.data.examples import TextExample
from fastbert.labels import Labels
from fastbert.tasks.base import Prediction
from fastbert.tasks.classification import SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction
from fastbert.tuning.evidence import Evidence, gather, judge, paired_error

TASK = SingleLabel(Labels(("bug", "praise")))


def rows(count: int = 120) -> list[TextExample]:
    return [TextExample(f"text {row}", labels=(("bug", "praise")[row % 2],)) for row in range(count)]


def answers(examples: list[TextExample], accuracy: float, seed: int) -> list[Prediction]:
    """Return predictions of which about so many are right."""
    rng = np.random.default_rng(seed)
    said: list[Prediction] = []
    for example in examples:
        right = str((example.labels or ("",))[0])
        wrong = "praise" if right == "bug" else "bug"
        label = right if rng.random() < accuracy else wrong
        said.append(LabelPrediction((label,), {label: 0.8, ("praise" if label == "bug" else "bug"): 0.2}))
    return said


def value(said: list[Prediction], examples: list[TextExample]) -> float:
    return TASK.score(said, examples)[TASK.monitor]


def test_the_paired_error_is_that_of_the_task() -> None:
    examples = rows()
    one, other = answers(examples, 0.9, 1), answers(examples, 0.7, 2)

    error = paired_error(gather(TASK, one, examples), gather(TASK, other, examples), len(examples))

    assert error == pytest.approx(TASK.score_error(one, examples, against=other))


def test_evidence_survives_json_with_draws_that_have_no_score() -> None:
    found = Evidence(np.array([0.5, np.nan]), np.array([0.25, 1.0]))
    again = Evidence.from_json(json.loads(json.dumps(found.to_json())))

    assert again is not None
    np.testing.assert_array_equal(again.inside_D, found.inside_D)
    np.testing.assert_array_equal(again.outside_D, found.outside_D)
    assert Evidence.from_json({}) is None


def test_a_clear_gain_pays() -> None:
    examples = rows()
    said = [answers(examples, accuracy, seed) for seed, accuracy in enumerate((0.6, 0.95, 0.5))]
    found = [gather(TASK, one, examples) for one in said]

    verdict = judge((value(said[0], examples), found[0]), (value(said[1], examples), found[1]), found, len(examples))

    assert verdict.pays and verdict.expected > 0.2 > 3 * verdict.error
    assert "paired standard error" in verdict.describe("accuracy") and "best of 3 trials" in verdict.describe(
        "accuracy"
    )


def test_the_best_of_many_equal_trials_looks_better_than_it_is() -> None:
    examples = rows()
    said = [answers(examples, 0.8, seed) for seed in range(30)]
    found = [gather(TASK, one, examples) for one in said]
    values = [value(one, examples) for one in said]
    order = np.argsort(values)
    middle, best = int(order[15]), int(order[-1])

    verdict = judge((values[middle], found[middle]), (values[best], found[best]), found, len(examples))

    assert verdict.gain > 0.04
    assert verdict.optimism > 0.02  # what they differ by is chance
    assert verdict.expected < verdict.gain - 0.02


def test_the_same_trial_twice_gains_nothing() -> None:
    examples = rows()
    said = answers(examples, 0.8, 0)
    found = gather(TASK, said, examples)

    verdict = judge((0.8, found), (0.8, found), [found, found], len(examples))

    assert (verdict.gain, verdict.error, verdict.expected, verdict.pays) == (0.0, 0.0, 0.0, False)
