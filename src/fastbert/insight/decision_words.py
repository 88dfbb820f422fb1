"""What was measured while a decision rule was fitted, in sentences for people. Computes nothing.

A bundle may come from another version or another hand: what is missing is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastbert.decisions.rules import Decisions
from fastbert.display import number

# what a rule seeks where its goal is a limit, by how the goal begins
_SOUGHT = {"precision>=": "the mean recall", "recall>=": "the mean precision", "cost": "the cost of all mistakes"}


def describe_fit(decisions: Decisions) -> list[str]:
    """Return what the fit of a rule found: calibration, and what it is worth on rows that it was not fitted to."""
    found = [_calibration(_mapping(decisions.fit, "calibration"), decisions), _in_place(decisions), _goal(decisions)]
    return [sentence for sentence in found if sentence]


def _calibration(facts: Mapping[str, object], decisions: Decisions) -> str:
    losses = {name: value for name, value in _mapping(facts, "log_losses").items() if isinstance(value, int | float)}
    before, after = facts.get("error_before"), facts.get("error_after")
    if len(losses) < 2 or not isinstance(before, int | float) or not isinstance(after, int | float):
        return ""
    method = decisions.calibration.method
    if method == "none":
        return f"The scores are kept as they are: no calibration does better on rows held out (ECE {number(before)})."
    return (
        f"Calibration by {decisions.calibration.describe()}: expected calibration error {number(before)} before, "
        f"{number(after)} after; log loss {number(losses['none'])} and {number(losses[method])}, on rows held out."
        if "none" in losses
        else ""
    )


def _in_place(decisions: Decisions) -> str:
    other = _mapping(decisions.fit, "goal").get("in_place_of")
    if not isinstance(other, str):
        return ""
    return f"The default goal, {other}, would have given every label to every row: {decisions.goal} is in its place."


def _goal(decisions: Decisions) -> str:
    facts = _mapping(decisions.fit, "goal")
    if "cost_after" in facts:
        return (
            f"Mean cost of a row {number(_value(facts, 'cost_before'))} by the highest score, "
            f"{number(_value(facts, 'cost_after'))} by the rule."
        )
    if "unseen" in facts:
        return f"No validation row has the label '{facts['unseen']}': nothing could be fitted for it."
    value, plain = _value(facts, "held_out"), _value(facts, "held_out_shared")
    plain = _value(facts, "held_out_plain") if plain is None else plain
    if value is None or plain is None:
        return ""
    kept = "" if facts.get("met", True) else " The goal was not reached on them."
    other = next((words for start, words in _SOUGHT.items() if decisions.goal.startswith(start)), None)
    if other is not None:  # the goal is a limit; what is sought within it is another number
        return f"On rows held out {other} is {number(abs(value))}.{kept}"
    if decisions.thresholds or decisions.weights:
        return (
            f"On rows held out the goal is worth {number(value)}, without numbers for each label {number(plain)}.{kept}"
        )
    if decisions.goal == "f1_micro":  # one threshold is all there is to choose
        return f"On rows held out the goal is worth {number(value)}.{kept}"
    return f"Numbers for each label gain nothing on rows held out ({number(value)}).{kept}"


def _mapping(values: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _value(values: Mapping[str, object], name: str) -> float | None:
    found = values.get(name)
    return float(found) if isinstance(found, int | float) else None
