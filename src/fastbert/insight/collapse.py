"""Whether a model tells rows apart at all, and what to do if it does not.

Knows the answers to the validation rows; nothing of how the model was trained but the name of its loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastbert.decisions.rules import Decisions
from fastbert.tasks.base import Example, Prediction, Task

LEAST_ROWS = 8  # by chance alone 8 rows of two even labels all get one answer once in 128
FACT = "collapse"  # of a bundle: what `describe_collapse` says


def describe_collapse(
    task: Task, raw: Sequence[Prediction], decisions: Decisions, examples: Sequence[Example], loss: str = "default"
) -> str:
    """Return in sentences that all validation rows got one answer though their truths differ, and what to do.

    Nothing if they did not, or are fewer than LEAST_ROWS. raw: predictions with the model's own scores, decided or
    not.    decisions: the rule of the model.    loss: that it was trained with; "auto" after trials of all.
    """
    if len(examples) < LEAST_ROWS:
        return ""
    # A rule that holds answers back can hide that there is only one.
    by_rule, by_model, plain = (
        task.collapsed(task.redecide(raw, rule), examples)
        for rule in (decisions, task.open_rule(decisions), Decisions())
    )
    if by_rule and not (by_model and plain):
        return (
            f"By the fitted decision rule {by_rule}, in validation. The model itself tells rows apart: "
            "choose another goal with `fastbert decide`."
        )
    if not (by_model and plain):
        return ""
    return (
        f"The model has collapsed: {by_model}, in validation, so its answers say nothing of a text. "
        f"Train longer (--epochs), or at a lower rate (--lr) if the loss jumps{_other_losses(task, loss)}. "
        "If that changes nothing, look at texts and labels: `fastbert inspect`."
    )


def with_collapse(facts: Mapping[str, object], sentence: str) -> dict[str, object]:
    """Return the facts of a bundle with what is said now, or without what was said before."""
    others = {name: value for name, value in facts.items() if name != FACT}
    return {**others, FACT: sentence} if sentence else others


def _other_losses(task: Task, loss: str) -> str:
    if loss == "auto" or not task.tried_losses:
        return ""
    if loss == "default":
        return "; or give rare labels more weight (--set loss=auto compares the ways)"
    return f"; or compare the ways to meet rare labels (--set loss=auto; this was {loss})"
