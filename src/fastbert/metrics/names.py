"""What scores mean, in words, and which of them are better when they are lower. Computes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LOWER_IS_BETTER = frozenset({"log_loss", "hamming_loss", "labels_left_out", "rmse", "mae", "perplexity", "ece"})
MEANINGS: Mapping[str, str] = MappingProxyType(  # for people who do not score models every day
    {
        "accuracy": "share of rows that are right",
        "f1_macro": "mean F1 of the labels; rare ones count alike",
        "f1": "agreement of answers with the right ones; 1 is perfect",
        "f1_partial": "F1 where a part of the characters counts half, whatever the label",
        "precision": "share of the answers that are right",
        "recall": "share of what is true that was found",
        "f1_micro": "F1 of all decisions; frequent labels count more",
        "mcc": "correlation of truth and answer; 0 is chance",
        "log_loss": "how wrong the probabilities are; lower is better",
        "average_precision_macro": "how well the scores of a label rank the rows",
        "exact_match": "share of rows that are right as a whole",
        "exact_match_answered": "share that is right as a whole, of questions with an answer",
        "f1_answered": "overlap with the right answers, of questions with an answer",
        "no_answer_accuracy": "share of questions without an answer that are left unanswered",
        "hamming_loss": "share of wrong cells; lower is better",
        "ece": "how far probabilities are from what happens; lower is better",
        "coverage": "share of rows that are answered; the other scores are of these",
        "spearman": "how well answers order the rows; 1 is perfect",
        "pearson": "correlation of truth and answer; 1 is perfect",
        "r2": "share of the variance that is explained; 0 is the mean",
        "rmse": "typical error, large ones count more; lower is better",
        "mae": "mean error; lower is better",
    }
)
