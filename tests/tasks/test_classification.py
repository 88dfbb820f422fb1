"""Targets, decoding, scores and weights of the two kinds of classification.

Their losses are in `test_classification_loss.py`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fastbert.config import Truncation
from fastbert.data.examples import TextExample
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError, DataError
from fastbert.labels import Labels
from fastbert.tasks.base import Feature
from fastbert.tasks.classification import Classification, MultiLabel, SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction
from tests.bundles import MULTI, NAMES, SINGLE
from tests.tasks.rows import RNG, rows_for, tokenizer

EXAMPLES = [TextExample("a text")] * 99


# B examples, C labels, W windows
def features_with(windows: Sequence[int], target: object = None) -> list[Feature]:
    """Return features of examples 0, 1, ... with so many windows each."""
    array = None if target is None else np.asarray(target)
    zeros = np.zeros(3, np.int32)
    return [
        Feature(example, number, count, zeros, zeros, ((number, number + 1),), 3 if count == 1 else 9, array)
        for example, count in enumerate(windows)
        for number in range(count)
    ]


def decode(
    task: Classification, logits: object, windows: Sequence[int], threshold: float = 0.5
) -> list[LabelPrediction]:
    outputs = {"logits": np.asarray(logits, np.float32)}
    found = task.decode(outputs, features_with(windows), EXAMPLES[: len(windows)], Decisions(threshold))
    return [one for one in found if isinstance(one, LabelPrediction)]


# --- encoding and targets ---------------------------------------------------------------------------


@pytest.mark.parametrize("task", [SINGLE, MULTI])
def test_encoding_counts_examples_from_the_first_index(task: Classification) -> None:
    windowed = dataclasses.replace(task, truncation="windows")

    features = windowed.encode(rows_for(task), tokenizer(), 16, first_index=10)

    assert list(dict.fromkeys(feature.example for feature in features)) == list(range(10, 16))
    counts = [feature.num_windows for feature in features if feature.window == 0]
    assert len(features) == sum(counts) > 6


@pytest.mark.parametrize("truncation", ["head", "tail", "head_tail"])
def test_other_ways_of_cutting_make_one_window_a_text(truncation: Truncation) -> None:
    task = SingleLabel(Labels(NAMES), truncation)

    features = task.encode(rows_for(task), tokenizer(), 16)

    assert [(feature.window, feature.num_windows) for feature in features] == [(0, 1)] * 6


def test_single_label_targets_are_ids() -> None:
    features = SINGLE.encode(rows_for(SINGLE), tokenizer(), 16)

    targets = SINGLE.targets(features, 16, RNG)["labels"]

    assert targets.tolist() == [0, 1, 0, 2, 0, 1]
    assert targets.dtype == np.int64


def test_multi_label_targets_are_cells_and_may_be_empty() -> None:
    features = MULTI.encode(rows_for(MULTI), tokenizer(), 16)

    targets = MULTI.targets(features, 16, RNG)["labels"]

    assert targets.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert targets.dtype == np.float32


def test_windows_of_one_example_have_one_target() -> None:
    features = dataclasses.replace(SINGLE, truncation="windows").encode(rows_for(SINGLE)[1:2], tokenizer(), 8)

    assert len(features) > 1
    assert SINGLE.targets(features, 8, RNG)["labels"].tolist() == [1]


@pytest.mark.parametrize("task", [SINGLE, MULTI])
@pytest.mark.parametrize("count", [1, 2])
def test_targets_of_unknown_labels_are_an_error(task: Classification, count: int) -> None:
    """Where some labels are known and others not, none are taken for targets."""
    examples = [TextExample("the app"), TextExample("the page", labels=("bug",))][:count]
    features = task.encode(examples, tokenizer(), 16)

    with pytest.raises(ValueError, match="features of examples without a truth have no targets"):
        task.targets(features, 16, RNG)


@pytest.mark.parametrize("task", [SINGLE, MULTI])
def test_unknown_labels_need_no_target(task: Classification) -> None:
    (feature,) = task.encode([TextExample("the app")], tokenizer(), 16)

    assert feature.target is None


@pytest.mark.parametrize("task", [SINGLE, MULTI])
def test_a_label_that_is_not_known_is_reported_with_its_row(task: Classification) -> None:
    example = TextExample("the app", labels=("bugs",), where="train.csv, row 418")

    with pytest.raises(DataError) as caught:
        task.encode([example], tokenizer(), 16)

    assert str(caught.value) == (
        "train.csv, row 418: label 'bugs' is not one of the 3 labels (bug, praise, question).\n  Did you mean 'bug'?"
    )


@pytest.mark.parametrize("labels", [(), ("bug", "praise")])
def test_single_label_refuses_a_row_without_exactly_one_label(labels: tuple[str, ...]) -> None:
    """No label was an IndexError, and of two the second was dropped."""
    example = TextExample("the app", labels=labels, where="train.csv, row 4")

    with pytest.raises(DataError) as caught:
        SINGLE.encode([example], tokenizer(), 16)

    assert str(caught.value) == (
        f"train.csv, row 4: has {len(labels)} labels; single_label needs exactly one.\n"
        "  Use the task multi_label for rows with none or several."
    )


# --- decoding ---------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.integers(0, 99))
def test_the_scores_of_an_example_come_from_the_mean_of_its_logits(windows: list[int], seed: int) -> None:
    logits_WC = np.random.default_rng(seed).normal(size=(sum(windows), 3)).astype(np.float32)
    merged_BC = np.stack(
        [part.mean(axis=0) for part in np.split(logits_WC.astype(np.float64), np.cumsum(windows)[:-1])]
    )

    for_windows = SINGLE.scores_of(decode(SINGLE, logits_WC, windows))
    for_merged = SINGLE.probabilities(merged_BC)

    np.testing.assert_allclose(for_windows, for_merged, rtol=0, atol=1e-12)


def test_predictions_come_in_the_order_in_which_examples_appear() -> None:
    features = [dataclasses.replace(feature, example=9 - feature.example) for feature in features_with([1, 1, 1])]

    answers = SINGLE.decode({"logits": np.eye(3)[[2, 0, 1]]}, features, EXAMPLES[:3], Decisions())

    assert [answer.labels for answer in answers] == [("question",), ("bug",), ("praise",)]


def test_windows_of_mixed_examples_find_their_own() -> None:
    first, second = features_with([2, 2])[:2], features_with([2, 2])[2:]

    answers = SINGLE.decode(
        {"logits": np.array([[0.0, 4, 0], [0, 0, 4], [0, 2, 0], [0, 0, 8]])},
        [first[0], second[0], first[1], second[1]],
        EXAMPLES[:2],
        Decisions(),
    )

    assert [answer.labels for answer in answers] == [("praise",), ("question",)]
    assert isinstance(answers[1], LabelPrediction)
    assert answers[1].windows[1].scores["question"] == pytest.approx(np.exp(8) / (np.exp(8) + 2))


def test_only_texts_of_several_windows_show_them() -> None:
    answers = decode(SINGLE, np.zeros((3, 3)), [1, 2])

    assert answers[0].windows == ()
    assert [window.pieces for window in answers[1].windows] == [((0, 1),), ((1, 2),)]


def test_a_text_that_was_cut_says_so() -> None:
    whole, cut = features_with([1, 1])

    features = [whole, dataclasses.replace(cut, cut=True)]

    answers = SINGLE.decode({"logits": np.zeros((2, 3))}, features, EXAMPLES[:2], Decisions())

    assert [answer.cut for answer in answers] == [False, True]


@given(st.lists(st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=3), min_size=1, max_size=5))
def test_single_label_scores_sum_to_one(logits: list[list[float]]) -> None:
    scores_BC = SINGLE.scores_of(decode(SINGLE, logits, [1] * len(logits)))

    np.testing.assert_allclose(scores_BC.sum(axis=1), 1.0, rtol=1e-12)


@given(st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=3), st.floats(-30, 30))
def test_multi_label_scores_are_sigmoids_that_do_not_see_each_other(logits: list[float], other: float) -> None:
    """The predecessor's ONNX inference took the softmax for multi-label models, too."""
    (one,) = decode(MULTI, [logits], [1])
    (two,) = decode(MULTI, [[*logits[:2], other]], [1])

    expected = torch.sigmoid(torch.tensor(logits, dtype=torch.float32).double()).tolist()
    assert list(one.scores.values()) == pytest.approx(expected, abs=1e-12)
    assert [one.scores[name] for name in NAMES[:2]] == [two.scores[name] for name in NAMES[:2]]


def test_equal_scores_decide_for_the_first_label() -> None:
    assert decode(SINGLE, [[1.0, 3.0, 3.0]], [1])[0].labels == ("praise",)


def test_multi_label_decisions_come_by_falling_score_and_equal_ones_in_label_order() -> None:
    assert decode(MULTI, [[1.0, 2.0, 1.0]], [1])[0].labels == ("praise", "bug", "question")


@pytest.mark.parametrize(("threshold", "labels"), [(0.5, ("bug", "praise")), (0.51, ("bug",)), (1.0, ())])
def test_a_score_at_the_threshold_is_given(threshold: float, labels: tuple[str, ...]) -> None:
    assert decode(MULTI, [[2.0, 0.0, -2.0]], [1], threshold)[0].labels == labels


def test_no_predictions_have_a_score_matrix_of_no_rows() -> None:
    assert SINGLE.scores_of([]).shape == (0, 3)


# --- scores, rules and weights ----------------------------------------------------------------------


def answers_for(task: Classification, decided: Sequence[tuple[str, ...]]) -> list[LabelPrediction]:
    scores = [{name: 0.9 if name in names else 0.05 for name in NAMES} for names in decided]
    return [LabelPrediction(names, one) for names, one in zip(decided, scores, strict=True)]


@pytest.mark.parametrize("task", [SINGLE, MULTI])
def test_right_answers_have_the_best_score_in_the_metric_that_chooses_weights(task: Classification) -> None:
    rows = rows_for(task)

    scores = task.score(answers_for(task, [row.labels or () for row in rows]), rows)

    assert scores[task.monitor] == 1.0


def test_single_label_accuracy_is_the_share_of_right_answers() -> None:
    rows = [TextExample("", labels=(name,)) for name in ("bug", "bug", "praise", "question")]

    scores = SINGLE.score(answers_for(SINGLE, [("bug",), ("praise",), ("praise",), ("bug",)]), rows)

    assert scores["accuracy"] == 0.5


def test_scores_of_each_label_come_by_name() -> None:
    rows = [TextExample("", labels=labels) for labels in (("bug", "praise"), ("bug",), ())]

    scores = MULTI.score_labels(answers_for(MULTI, [("bug",), (), ()]), rows)

    assert [(name, scores[name]["recall"], scores[name]["support"]) for name in NAMES[:2]] == [
        ("bug", 0.5, 2),
        ("praise", 0.0, 1),
    ]


def test_confusion_counts_true_labels_by_row_and_decided_ones_by_column() -> None:
    rows = [TextExample("", labels=(name,)) for name in ("bug", "bug", "praise", "question")]

    counts = SINGLE.confusion(answers_for(SINGLE, [("bug",), ("praise",), ("praise",), ("bug",)]), rows)

    assert counts == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_several_labels_a_row_have_no_confusion() -> None:
    assert MULTI.confusion([], []) is None


def test_a_row_without_known_labels_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="item 3: an example without labels cannot be scored"):
        SINGLE.score(answers_for(SINGLE, [("bug",)]), [TextExample("", where="item 3")])


def test_single_label_needs_no_fitted_rule() -> None:
    assert SINGLE.fit_decisions([], []) == Decisions()


def test_multi_label_fits_its_threshold_on_the_predictions() -> None:
    rows = [TextExample("", labels=labels) for labels in (("bug",), ("bug",), ())]
    predictions = [LabelPrediction((), {"bug": score, "praise": 0.9, "question": 0.9}) for score in (0.3, 0.3, 0.1)]

    assert 0.1 < MULTI.fit_decisions(predictions, rows).threshold <= 0.3


def test_balanced_weights_of_single_label_match_the_hand_computed_example() -> None:
    """6 rows, 3 labels, counts 4 2 0: 6/(3*4), 6/(3*2); a label without rows as if it had one: 6/3."""
    rows = [TextExample("", labels=(name,)) for name in ["bug"] * 4 + ["praise"] * 2]

    assert SINGLE.balanced_weights(rows) == (0.5, 1.0, 2.0)


def test_balanced_weights_of_multi_label_match_the_hand_computed_example() -> None:
    """10 rows; positives 1 8 0: sqrt(9/1) = 3, sqrt(2/8) raised to 1, sqrt(10/1); at most 10."""
    rows = [TextExample("", labels=labels) for labels in [("bug", "praise")] + [("praise",)] * 7 + [()] * 2]

    assert MULTI.balanced_weights(rows) == pytest.approx((3.0, 1.0, 10**0.5))


def test_balanced_weights_of_multi_label_are_at_most_ten() -> None:
    rows = [TextExample("", labels=("bug",))] + [TextExample("", labels=())] * 500

    assert MULTI.balanced_weights(rows)[0] == 10.0


def test_prior_logits_of_single_label_decode_to_the_shares() -> None:
    """Counts 3 1 0 of 4, one added to each: 4 2 1 of 7."""
    rows = [TextExample("", labels=(name,)) for name in ("bug", "bug", "bug", "praise")]

    (answer,) = decode(SINGLE, [SINGLE.prior_logits(rows)], [1])

    assert list(answer.scores.values()) == pytest.approx([4 / 7, 2 / 7, 1 / 7], abs=1e-6)


def test_prior_logits_of_multi_label_decode_to_the_shares() -> None:
    """Positives 3 1 0 of 4; one row with and one without each label added: 4/6 2/6 1/6."""
    rows = [TextExample("", labels=labels) for labels in (("bug", "praise"), ("bug",), ("bug",), ())]

    (answer,) = decode(MULTI, [MULTI.prior_logits(rows)], [1])

    assert list(answer.scores.values()) == pytest.approx([4 / 6, 2 / 6, 1 / 6], abs=1e-6)


# --- saving -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [SingleLabel, MultiLabel])
def test_everything_of_a_task_comes_back(kind: type[Classification]) -> None:
    task = kind(Labels(("b", "a", "10")), "windows", (0.1, 1 / 3, 2.0))

    assert kind.from_json(task.to_json()) == task


def test_values_of_older_bundles_have_defaults() -> None:
    assert SingleLabel.from_json({"name": "single_label", "labels": ["a"]}) == SingleLabel(Labels(("a",)))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "bundle.json: the task 'single_label' has no list of labels."),
        ({"labels": "ab"}, "bundle.json: the task 'single_label' has no list of labels."),
        ({"labels": []}, "bundle.json: the task 'single_label' has no list of labels."),
        (
            {"labels": ["a"], "label_weights": ["heavy"]},
            "bundle.json: the label weights are ['heavy']; expected a list of numbers.",
        ),
        (
            {"labels": ["a"], "truncation": "middle"},
            "bundle.json: the truncation is 'middle'; this version knows head, tail, head_tail, windows.\n"
            "  Upgrade with `pip install -U fastbert-nlp`.",
        ),
    ],
)
def test_a_damaged_task_is_refused(values: dict[str, object], text: str) -> None:
    with pytest.raises(BundleError) as caught:
        SingleLabel.from_json(values)

    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("task", "problem"), [(SINGLE, "single_label_classification"), (MULTI, "multi_label_classification")]
)
def test_the_model_gets_names_and_problem_type(task: Classification, problem: str) -> None:
    assert task.model_options == {
        "id2label": {0: "bug", 1: "praise", 2: "question"},
        "label2id": {"bug": 0, "praise": 1, "question": 2},
        "problem_type": problem,
    }
