"""Scores: hand-computed examples, degenerate cases, faults of the original, messages.

Parity with scikit-learn is in `test_classification_parity.py`.
"""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from fastbert.errors import ConfigError, TrainingError
from fastbert.metrics.classification import (
    confusion,
    confusion_per_label,
    f_beta,
    multi_label_scores,
    one_hot,
    per_label,
    single_label_scores,
)

# N rows, C classes. Four rows, two right.
TARGETS_N = np.array([0, 1, 2, 2])
DECIDED_N = np.array([0, 2, 2, 1])
PROBS_NC = np.array([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5], [0.1, 0.1, 0.8], [0.2, 0.6, 0.2]])

# Three rows: {a}, {a, b}, {} decided as {a, b}, {a}, {}.
CELL_TARGETS_NC = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0]], np.bool_)
CELL_DECIDED_NC = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]], np.bool_)
CELL_PROBS_NC = np.array([[0.9, 0.6, 0.1], [0.8, 0.4, 0.2], [0.3, 0.2, 0.1]])
ABC = ["a", "b", "c"]


def names_of(num_classes: int) -> list[str]:
    return [f"label {index}" for index in range(num_classes)]


# --- hand-computed: one label a row -----------------------------------------------------------------


def test_single_label_scores_match_the_hand_computed_example() -> None:
    """Targets 0 1 2 2, decisions 0 2 2 1: two of four right.

    Class   TP  decided  targets   P    R    F1 = 2 TP / (decided + targets)
      0      1     1        1      1    1    1
      1      0     1        1      0    0    0
      2      1     2        2     1/2  1/2  1/2
    Macro: P = R = F1 = 1.5 / 3 = 0.5. Weighted by targets 1 1 2: (1 + 0 + 1) / 4 = 0.5.
    MCC (R_K): (2 * 4 - (1 + 1 + 4)) / sqrt((16 - 6) (16 - 6)) = 2 / 10.
    """
    scores = single_label_scores(PROBS_NC, TARGETS_N, DECIDED_N, ABC)

    assert scores["accuracy"] == scores["f1_micro"] == 0.5
    assert scores["balanced_accuracy"] == scores["recall_macro"] == 0.5
    assert scores["precision_macro"] == scores["f1_macro"] == scores["f1_weighted"] == 0.5
    assert scores["mcc"] == pytest.approx(0.2)


def test_single_label_ranking_matches_the_hand_computed_example() -> None:
    """One class against the rest, over pairs of a positive and a negative row.

    Class 0: 0.5 above 0.25, 0.1, 0.2: 3 of 3 pairs. AP 1.
    Class 1: 0.25 against 0.25 (tie), 0.1, 0.6: 1/2 + 1 + 0 of 3. One positive; at 0.25 three
        rows are taken, one right: AP 1/3.
    Class 2: 0.8 against 0.25, 0.5: 2; 0.2 against both: 0; 2 of 4. AP: 1/2 * 1 + 1/2 * 2/4.
    """
    scores = single_label_scores(PROBS_NC, TARGETS_N, DECIDED_N, ABC)

    assert scores["roc_auc_macro"] == pytest.approx((1 + 1.5 / 3 + 0.5) / 3)
    assert scores["average_precision_macro"] == pytest.approx((1 + 1 / 3 + 0.75) / 3)
    assert scores["labels_left_out"] == 0


def test_log_loss_is_the_mean_negative_log_of_the_true_class() -> None:
    """True classes have 0.5, 0.25, 0.8, 0.2."""
    scores = single_label_scores(PROBS_NC, TARGETS_N, DECIDED_N, ABC)

    assert scores["log_loss"] == pytest.approx(-math.log(0.5 * 0.25 * 0.8 * 0.2) / 4)


def test_f1_of_the_second_label_is_there_for_two_labels() -> None:
    """Second label: TP 1, decided 2, targets 1: F1 = 2 / 3."""
    targets_N, decided_N = np.array([0, 0, 1]), np.array([0, 1, 1])

    scores = single_label_scores(one_hot(decided_N, 2) * 0.5, targets_N, decided_N, ["no", "yes"])

    assert scores["f1_binary"] == pytest.approx(2 / 3)
    assert "f1_binary" not in single_label_scores(PROBS_NC, TARGETS_N, DECIDED_N, ABC)


# --- hand-computed: several labels a row ------------------------------------------------------------


def test_multi_label_scores_match_the_hand_computed_example() -> None:
    """Targets {a}, {a, b}, {}; decisions {a, b}, {a}, {}: 7 of 9 cells and 1 of 3 rows right.

    Label  TP  decided  targets   P   R   F1          Row  TP  decided  targets    P    R    F1
      a     2     2        2      1   1   1             1   1     2        1      1/2   1   2/3
      b     0     1        1      0   0   0             2   1     1        2       1   1/2  2/3
      c     0     0        0      0   0   0             3   0     0        0       1    1    1
    Micro: TP 2, decided 3, targets 3: 2/3.
    MCC of the cells, TP 2, FP 1, FN 1, TN 5: (2 * 5 - 1 * 1) / sqrt(3 * 3 * 6 * 6) = 9 / 18.
    """
    scores = multi_label_scores(CELL_PROBS_NC, CELL_TARGETS_NC, CELL_DECIDED_NC, ABC)

    expected = {
        "exact_match": 1 / 3,
        "accuracy_thresh": 7 / 9,
        "hamming_loss": 2 / 9,
        "f1_micro": 2 / 3,
        "precision_micro": 2 / 3,
        "recall_micro": 2 / 3,
        "f1_macro": 1 / 3,
        "f1_weighted": 2 / 3,
        "precision_samples": (1 / 2 + 1 + 1) / 3,
        "recall_samples": (1 + 1 / 2 + 1) / 3,
        "f1_samples": (2 / 3 + 2 / 3 + 1) / 3,
        "mcc": 0.5,
    }
    assert {name: scores[name] for name in expected} == pytest.approx(expected)


def test_multi_label_ranking_leaves_out_a_label_that_never_occurs() -> None:
    """Label a: all positives on top: 1. Label b: 0.4 against 0.6, 0.2: AUC 1/2, AP 1/2. c is left out."""
    scores = multi_label_scores(CELL_PROBS_NC, CELL_TARGETS_NC, CELL_DECIDED_NC, ABC)

    assert scores["roc_auc_macro"] == pytest.approx((1 + 1 / 2) / 2)
    assert scores["average_precision_macro"] == pytest.approx((1 + 1 / 2) / 2)
    assert scores["labels_left_out"] == 1


def test_f_beta_matches_the_hand_computed_example() -> None:
    """TP 2, FP 1, FN 1 and beta 2: 5 * 2 / (5 * 2 + 1 + 4 * 1)."""
    score = f_beta(CELL_TARGETS_NC, CELL_DECIDED_NC, beta=2, average="micro")

    assert score == pytest.approx(10 / 15)


def test_scores_of_each_label_match_the_hand_computed_example() -> None:
    scores = per_label(CELL_PROBS_NC, CELL_TARGETS_NC, CELL_DECIDED_NC, ABC)

    assert scores["b"] == pytest.approx(
        {
            "precision": 0.0,
            "recall": 0.0,
            "f1": 0.0,
            "support": 1,
            "predicted": 1,
            "roc_auc": 0.5,
            "average_precision": 0.5,
        }
    )
    assert scores["c"]["roc_auc"] is None
    assert scores["c"]["average_precision"] is None


def test_confusions_of_each_label_match_the_hand_computed_example() -> None:
    """Label b: rows 1 (decided only), 2 (target only), 3 (neither)."""
    result = confusion_per_label(CELL_TARGETS_NC, CELL_DECIDED_NC, ABC)

    assert result == {"a": [[1, 0], [0, 2]], "b": [[1, 1], [1, 0]], "c": [[3, 0], [0, 0]]}


# --- degenerate cases -------------------------------------------------------------------------------


def test_a_missing_class_is_left_out_of_the_ranking_scores() -> None:
    """Class 2 never occurs. Class 0 against 1 is ranked perfectly."""
    probs_NC = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1]])

    scores = single_label_scores(probs_NC, np.array([0, 1]), np.array([0, 1]), ABC)

    assert scores["roc_auc_macro"] == scores["average_precision_macro"] == 1.0
    assert scores["labels_left_out"] == 1
    assert scores["f1_macro"] == 1.0  # over the two classes that occur


def test_one_row_has_no_ranking_scores() -> None:
    single = single_label_scores(np.array([[0.8, 0.2]]), np.array([0]), np.array([0]), ["a", "b"])
    multi = multi_label_scores(np.array([[0.8]]), np.array([[True]]), np.array([[True]]), ["a"])

    assert not [name for name in [*single, *multi] if "roc_auc" in name or "average_precision" in name]
    assert single["accuracy"] == multi["exact_match"] == 1.0
    assert (single["labels_left_out"], multi["labels_left_out"]) == (2, 1)


def test_no_rows_have_no_scores() -> None:
    empty_NC, empty_N = np.zeros((0, 3)), np.zeros(0, np.int64)

    assert single_label_scores(empty_NC, empty_N, empty_N, ABC) == {}
    assert multi_label_scores(empty_NC, empty_NC > 0, empty_NC > 0, ABC) == {}
    assert f_beta(empty_N, empty_N) == 0.0
    assert f_beta(empty_NC > 0, empty_NC > 0, average="samples") == 0.0
    assert confusion(empty_N, empty_N, ["a"])["matrix"] == [[0]]
    assert per_label(empty_NC, empty_NC > 0, empty_NC > 0, ABC)["a"]["support"] == 0


def test_no_decisions_at_all_give_zero_and_no_warning() -> None:
    nothing_NC = np.zeros_like(CELL_DECIDED_NC)

    scores = multi_label_scores(CELL_PROBS_NC, CELL_TARGETS_NC, nothing_NC, ABC)

    assert scores["precision_macro"] == scores["recall_micro"] == scores["f1_weighted"] == scores["mcc"] == 0.0


def test_a_label_on_every_row_has_no_ranking_score() -> None:
    full_NC = np.ones((3, 1), np.bool_)

    scores = per_label(np.array([[0.1], [0.2], [0.3]]), full_NC, full_NC, ["a"])["a"]

    assert (scores["roc_auc"], scores["average_precision"], scores["f1"]) == (None, None, 1.0)


def test_scores_that_are_no_probabilities_have_no_log_loss() -> None:
    logits_NC = np.array([[2.0, -1.0], [0.5, 3.0]])

    scores = single_label_scores(logits_NC, np.array([0, 1]), np.array([0, 1]), ["a", "b"])

    assert "log_loss" not in scores
    assert scores["roc_auc_macro"] == 1.0


def test_a_certain_mistake_has_a_finite_log_loss() -> None:
    scores = single_label_scores(np.array([[1.0, 0.0]]), np.array([1]), np.array([0]), ["a", "b"])

    assert scores["log_loss"] == pytest.approx(-math.log(np.finfo(np.float64).eps))


def test_one_constant_score_ranks_as_chance() -> None:
    targets_NC = np.array([[True], [False], [False], [False]])

    scores = multi_label_scores(np.full((4, 1), 0.5), targets_NC, targets_NC, ["a"])

    assert scores["roc_auc_macro"] == 0.5
    assert scores["average_precision_macro"] == 0.25


def test_fifty_thousand_rows_and_28_labels_take_less_than_a_second() -> None:
    rng = np.random.default_rng(0)
    probs_NC = rng.random((50_000, 28))
    targets_NC, decided_NC = rng.random((50_000, 28)) < probs_NC / 4, probs_NC > 0.5

    start = time.process_time()
    multi_label_scores(probs_NC, targets_NC, decided_NC, names_of(28))

    assert time.process_time() - start < 1  # 0.4 s when written


# --- faults of the original fast-bert ---------------------------------------------------------------


def test_multi_label_accuracy_looks_at_all_labels_not_at_the_largest() -> None:
    """`accuracy_multilabel` compared the arg-max of both sides: 1.0 here (issue 23)."""
    targets_NC = np.array([[True, True], [True, True]])
    decided_NC = np.array([[True, False], [True, False]])

    scores = multi_label_scores(decided_NC * 0.9, targets_NC, decided_NC, ["a", "b"])

    assert scores["exact_match"] == 0.0
    assert scores["accuracy_thresh"] == 0.5


def test_a_row_with_nothing_to_find_and_nothing_found_counts_as_right() -> None:
    """`fbeta` counted it 0, so clean data could not score 1 (issue 28)."""
    cells_NC = np.array([[True, False], [False, False]])

    assert f_beta(cells_NC, cells_NC, beta=2, average="samples") == 1.0


def test_a_decision_on_a_row_with_nothing_to_find_counts_as_wrong() -> None:
    targets_NC, decided_NC = np.array([[False, False]]), np.array([[True, False]])

    assert f_beta(targets_NC, decided_NC, average="samples") == 0.0


def test_roc_auc_works_for_more_than_two_classes() -> None:
    """`roc_auc` raised on multi-class targets (issue 17)."""
    scores = single_label_scores(PROBS_NC, TARGETS_N, DECIDED_N, ABC)

    assert 0 < scores["roc_auc_macro"] < 1


def test_a_confusion_matrix_has_names_and_is_in_their_order() -> None:
    """`confusion_matrix` swallowed the error for string labels and returned None."""
    result = confusion(TARGETS_N, DECIDED_N, ["zebra", "ant", "10"])

    assert result == {"labels": ["zebra", "ant", "10"], "matrix": [[1, 0, 0], [0, 0, 1], [0, 1, 1]]}


def test_names_in_place_of_ids_are_refused_and_not_swallowed() -> None:
    words = np.array(["a", "b", "c", "c"])

    with pytest.raises(ValueError, match=r"targets must be ids \(N,\), not <U1 \(4,\); see Labels.id_of"):
        confusion(words, DECIDED_N, ABC)


# --- directions and messages ------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [0.0, -1.0, float("nan"), float("inf")])
def test_beta_is_checked(beta: float) -> None:
    with pytest.raises(ConfigError, match="it must be above 0, such as 1 or 2"):
        f_beta(CELL_TARGETS_NC, CELL_DECIDED_NC, beta=beta)


def test_ids_have_no_samples_average() -> None:
    with pytest.raises(ConfigError, match="average 'samples' is not one of micro, macro, weighted.$"):
        f_beta(TARGETS_N, DECIDED_N, average="samples")


def test_scores_of_a_diverged_model_are_an_error() -> None:
    probs_NC = PROBS_NC.copy()
    probs_NC[1] = np.nan

    with pytest.raises(TrainingError, match="3 of 12 scores are NaN or infinite: the model diverged"):
        single_label_scores(probs_NC, TARGETS_N, DECIDED_N, ABC)


@pytest.mark.parametrize("bad", [-1, 3])
def test_ids_without_a_name_are_refused(bad: int) -> None:
    with pytest.raises(ValueError, match="decisions must be within 0 and 2: found"):
        confusion(TARGETS_N, np.array([0, 1, 2, bad]), ABC)


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="4 targets and 3 decisions"):
        confusion(TARGETS_N, DECIDED_N[:3], ABC)
    with pytest.raises(ValueError, match=r"targets \(3, 3\) and decisions \(2, 3\) must both be \(N, 3\)"):
        per_label(CELL_PROBS_NC, CELL_TARGETS_NC, CELL_DECIDED_NC[:2], ABC)
    with pytest.raises(ValueError, match=r"scores are \(2, 3\), targets \(3, 3\)"):
        per_label(CELL_PROBS_NC[:2], CELL_TARGETS_NC, CELL_DECIDED_NC, ABC)
