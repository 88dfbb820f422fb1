"""A made-up bundle of three labels, small enough to check every number by hand."""

from __future__ import annotations

from pathlib import Path

from fastbert.bundle import Bundle
from fastbert.decisions.rules import Decisions
from fastbert.insight.model_card import LabelScores
from fastbert.labels import Labels
from fastbert.tasks.classification import SingleLabel

NAMES = ("Bugs", "Billing", "<b>&")


def plan_json() -> dict[str, object]:
    return {
        "task": "single_label",
        "labels": list(NAMES),
        "rows": {"train": 1800, "valid": 200, "test": 100},
        "label_counts": {
            "train": {"Bugs": 900, "Billing": 600, "<b>&": 300},
            "valid": {"Bugs": 100, "Billing": 70, "<b>&": 30},
            "test": {"Bugs": 50, "Billing": 38, "<b>&": 12},
        },
        "facts": ["Text: column 'feedback', by its name."],
        "warnings": ["Label '<b>&' is rare."],
        "layout": {"text": "feedback", "pair": None, "label_columns": ["topic"], "kind": "column", "reasons": []},
        "lengths": "median 21, 95 % up to 64, longest 402; limit 256, 12 of 1800 rows are cut (head_tail)",
        "encoder": "minilm: bert, 6 layers x 384, 22.7 M parameters, uncased",
        "runtime": "cpu, 2 threads, fp32",
        "options": {"truncation": "head_tail", "encoder": "minilm", "lr": 0.0001, "patience": None, "seed": 42},
        "reasons": ["lr 0.0001: 23 M parameters, adamw"],
        "steps": 120,
        "estimated_seconds": 61.0,
        "estimated_memory_bytes": 1_400_000_000,
    }


def history_json() -> dict[str, object]:
    return {
        "steps": [[1, 1.2, 0.0], [40, 0.9, 0.0001], [80, 0.5, 5e-05], [120, 0.4, 0.0]],
        "evaluations": [
            {"step": 60, "epoch": 1.0, "train_loss": 1.0, "scores": {"f1_macro": 0.7, "log_loss": 0.8}, "kept": True},
            {"step": 90, "epoch": 1.5, "train_loss": 0.6, "scores": {"f1_macro": 0.82, "log_loss": 0.6}, "kept": True},
            {"step": 120, "epoch": 2.0, "train_loss": 0.4, "scores": {"f1_macro": 0.8, "log_loss": 0.7}, "kept": False},
        ],
        "examples": 3600,
        "tokens": 96_000,
        "padding_share": 0.04,
        "seconds": 48.0,
        "flop": 4.3e12,
        "product_rate": 2.13e11,
        "mfu": 0.4206,
    }


def _scores(*values: float | int | None) -> dict[str, float | int | None]:
    names = ("precision", "recall", "f1", "average_precision", "support", "predicted")
    return dict(zip(names, values, strict=True))


BUNDLE = Bundle(
    folder=Path("feedback-model"),
    task=SingleLabel(Labels(NAMES)),
    decisions=Decisions(),
    max_tokens=256,
    tokenizer={},
    scores={
        "valid": {"accuracy": 0.85, "f1_macro": 0.82, "log_loss": 0.6},
        "test": {"accuracy": 0.9, "f1_macro": 0.8125, "mcc": 0.77, "log_loss": 0.5},
    },
    facts={"plan": plan_json(), "history": history_json()},
)
PER_LABEL: LabelScores = {
    "Bugs": _scores(0.91, 0.92, 0.915, 0.95, 50, 51),
    "Billing": _scores(0.88, 0.87, 0.875, 0.9, 38, 37),
    "<b>&": _scores(0.0, 0.0, 0.0, None, 12, 12),
}
