"""What classification does about rare labels: losses by name, weights, repeated rows, and answers all alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fastbert.config import DecisionConfig
from fastbert.data.examples import TextExample
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError, ConfigError
from fastbert.labels import Labels
from fastbert.models import losses
from fastbert.tasks.classification import ASYMMETRIC_CLIP, MOST_WEIGHT, Classification, MultiLabel, SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction

SINGLE, MULTI = SingleLabel(Labels(("a", "b", "c"))), MultiLabel(Labels(("a", "b", "c")))


def rows_of(**counts: int) -> list[TextExample]:
    return [TextExample("x", labels=(name,)) for name, count in counts.items() for _ in range(count)]


def said(*labels: tuple[str, ...]) -> list[LabelPrediction]:
    return [LabelPrediction(names, {"a": 0.5, "b": 0.3, "c": 0.2}) for names in labels]


def loss_of(task: Classification, targets: torch.Tensor) -> tuple[torch.Tensor, float]:
    logits_BC = torch.tensor([[2.0, 0.5, -1.0], [0.1, 0.2, 0.3]])
    return task.loss({"logits": logits_BC}, {"labels": targets, "example_of_window": torch.arange(2)})


# --- losses by name ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "gamma"), [("focal", 2.0), ("focal:1", 1.0)])
def test_focal_is_the_focal_loss_of_each_kind(kind: str, gamma: float) -> None:
    logits_BC = torch.tensor([[2.0, 0.5, -1.0], [0.1, 0.2, 0.3]])
    ids_B, cells_BC = torch.tensor([0, 2]), torch.tensor([[1.0, 0, 0], [0, 1, 1]])

    single, multi = loss_of(SINGLE.with_loss(kind, []), ids_B), loss_of(MULTI.with_loss(kind, []), cells_BC)

    assert single == losses.focal_sum(logits_BC, ids_B, gamma)
    assert multi == losses.asymmetric_sum(logits_BC, cells_BC, gamma_neg=gamma, gamma_pos=gamma)


def test_weights_of_ones_own_are_those_of_each_kind(tmp_path: Path) -> None:
    place = tmp_path / "weights.csv"
    place.write_text("label,weight\nb,3\n", encoding="utf-8")
    logits_BC = torch.tensor([[2.0, 0.5, -1.0], [0.1, 0.2, 0.3]])
    ids_B, cells_BC = torch.tensor([0, 1]), torch.tensor([[1.0, 0, 0], [0, 1, 1]])
    single, multi = (task.with_loss(f"weights:{place}", []) for task in (SINGLE, MULTI))

    assert (single.label_weights, single.criterion) == ((1.0, 3.0, 1.0), "weights")
    assert loss_of(single, ids_B) == losses.cross_entropy_sum(logits_BC, ids_B, class_weights_C=(1.0, 3.0, 1.0))
    expected = losses.binary_cross_entropy_sum(logits_BC, cells_BC, pos_weight_C=(1.0, 3.0, 1.0))
    assert loss_of(multi, cells_BC) == expected
    assert SingleLabel.from_json(single.to_json()) == single


def test_asymmetric_is_for_several_labels_only() -> None:
    logits_BC, cells_BC = torch.tensor([[2.0, 0.5, -1.0], [0.1, 0.2, 0.3]]), torch.tensor([[1.0, 0, 0], [0, 1, 1]])

    found = loss_of(MULTI.with_loss("asymmetric", []), cells_BC)

    assert found == losses.asymmetric_sum(logits_BC, cells_BC, gamma_neg=4.0, clip=ASYMMETRIC_CLIP)
    with pytest.raises(ConfigError) as caught:
        SINGLE.with_loss("asymmetric", [])
    assert "loss is 'asymmetric', which the task 'single_label' does not know" in str(caught.value)
    assert "Use loss=default or balanced or weights or focal or resampled." in str(caught.value)


@pytest.mark.parametrize("kind", ["default", "resampled"])
def test_repeating_rows_leaves_the_loss_as_it_is(kind: str) -> None:
    assert loss_of(SINGLE.with_loss(kind, []), torch.tensor([0, 2])) == loss_of(SINGLE, torch.tensor([0, 2]))


@pytest.mark.parametrize("kind", ["balanced", "focal:1.5", "resampled"])
def test_a_task_is_read_again_with_its_loss(kind: str) -> None:
    task = SINGLE.with_loss(kind, rows_of(a=3, b=1, c=1))

    assert SingleLabel.from_json(task.to_json()) == task
    assert "loss" not in SINGLE.to_json()


def test_a_loss_that_is_no_name_is_refused() -> None:
    with pytest.raises(BundleError, match="the loss is 3; expected its name"):
        SingleLabel.from_json({**SINGLE.to_json(), "loss": 3})


# --- weights and repeats ------------------------------------------------------------------------------------


def test_weights_of_single_label_are_at_most_ten_times_the_smallest() -> None:
    weights = SINGLE.balanced_weights(rows_of(a=300, b=30, c=1))

    assert weights[1] / weights[0] == pytest.approx(10.0)
    assert weights[2] / weights[0] == pytest.approx(MOST_WEIGHT)  # uncapped: 300


def test_imbalance_is_said_by_rows() -> None:
    assert SINGLE.imbalance(rows_of(a=60, b=30, c=3)) == 20.0
    assert SINGLE.imbalance(rows_of(a=6, b=3)) == 2.0
    assert MULTI.imbalance([*rows_of(a=9), TextExample("x", labels=("a", "b"))]) == 9.0
    assert MULTI.imbalance([TextExample("x", labels=())]) == 1.0


def test_rows_are_repeated_only_when_asked_for() -> None:
    rows = rows_of(a=8, b=1, c=1)

    repeats_N = SINGLE.with_loss("resampled", rows).repeats(rows)

    assert SINGLE.repeats(rows) is SINGLE.with_loss("balanced", rows).repeats(rows) is None
    assert repeats_N is not None
    assert repeats_N == pytest.approx([1.0] * 8 + [np.sqrt(10 / 3)] * 2)


# --- answers that are all alike -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "answers", "truths", "sentence"),
    [
        (SINGLE, [("a",)] * 3, [("a",), ("a",), ("b",)], "each of the 3 rows is given 'a', though 2 labels occur"),
        (SINGLE, [("a",), ("a",), ("b",)], [("a",), ("a",), ("b",)], ""),
        (SINGLE, [("a",)] * 2, [("a",), ("a",)], ""),
        (MULTI, [()] * 2, [("a", "b"), ()], "each of the 2 rows is given no label, though 2 labels occur in them"),
        (MULTI, [("a", "b", "c")] * 2, [("a",), ("b",)], "each of the 2 rows is given every label, though 2 labels"),
        (MULTI, [("b", "a"), ("a", "b")], [("a",), ("b",)], "each of the 2 rows is given 'a', 'b', though 2 labels"),
        (MULTI, [("a",), ()], [("a",), ()], ""),
        (MULTI, [()] * 2, [(), ()], ""),
        (SINGLE, [], [], ""),
    ],
)  # fmt: skip
def test_one_answer_for_all_rows_is_said_where_their_truths_differ(
    task: Classification, answers: list[tuple[str, ...]], truths: list[tuple[str, ...]], sentence: str
) -> None:
    found = task.collapsed(said(*answers), [TextExample("x", labels=names) for names in truths])

    assert found.startswith(sentence) and bool(found) == bool(sentence)


def test_rows_without_an_answer_are_not_counted() -> None:
    answers = [*said(("a",), ("b",)), replace(said(())[0], reason="unsure")]

    assert SINGLE.collapsed(answers, rows_of(a=1, b=2)) == ""
    assert SINGLE.collapsed([answers[0], answers[2]], rows_of(a=1, b=1)) == ""  # the one that is answered is right


# --- probabilities ----------------------------------------------------------------------------------------------


def test_calibration_mends_what_weights_do_to_probabilities() -> None:
    """Weighting positives w times adds log w to the log-odds (King and Zeng 2001): here 10 times, on 5 % of rows."""
    task = SingleLabel(Labels(("no", "yes")))
    rng = np.random.default_rng(0)
    signal_N = rng.normal(size=4_000)
    odds_N = 2.0 * signal_N - 4.3
    yes_N = rng.random(4_000) < 1 / (1 + np.exp(-odds_N))
    scores_N = 1 / (1 + np.exp(-(odds_N + np.log(10))))
    raw = [LabelPrediction(("no",), {"no": 1 - score, "yes": score}, energy=0.0) for score in scores_N]
    rows = [TextExample("x", labels=("yes" if yes else "no",)) for yes in yes_N]
    fitted, held_out = slice(0, 2_000), slice(2_000, 4_000)

    rule = task.fit_rule(raw[fitted], rows[fitted], DecisionConfig())

    def mean_and_loss(decisions: Decisions) -> tuple[float, float]:
        answers = task.redecide(raw[held_out], decisions)
        mean = float(np.mean([dict(answer.scores)["yes"] for answer in answers]))
        return mean, task.score(answers, rows[held_out])["log_loss"]

    share = yes_N[held_out].mean()
    before, after = mean_and_loss(Decisions()), mean_and_loss(rule)
    assert before[0] > 2.5 * share
    assert after[0] == pytest.approx(share, abs=0.01)
    assert after[1] < 0.75 * before[1]
