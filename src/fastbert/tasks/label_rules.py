"""Decision rules for labels in words, for reports, cards and the command line. Decides nothing."""

from __future__ import annotations

import math

from fastbert.decisions.rules import Decisions, Pairs

_SHOWN = 12  # labels of a sentence


def one_label_rule(decisions: Decisions) -> str:
    """Return how one label of several is chosen, and when the answer is unknown."""
    first = "The label with the highest score is the answer."
    if decisions.costs:
        first = "The label with the least expected cost is the answer."
    elif decisions.weights:
        first = f"The label with the highest score times its weight is the answer ({listed(decisions.weights)})."
    more = decisions.at_most or 1
    parts = [first, f"Behind it come the {more - 1} next best." if more > 1 else "", decisions.abstention.describe()]
    if decisions.thresholds:
        parts.append(f"It is unknown where the score is below that of the label ({listed(decisions.thresholds)}).")
    return _sentence(parts, decisions)


def many_labels_rule(decisions: Decisions) -> str:
    """Return from which score on labels are given, and when the answer is unknown."""
    if decisions.thresholds:
        given = f"A label is given from its own score on ({listed(decisions.thresholds)})"
    else:
        given = f"Every label whose score is at least {decisions.threshold:g} is given"
    least, most = decisions.at_least, decisions.at_most
    limits = "there may be none" if not least else f"at least {least}, the highest if need be"
    limits += "" if most is None else f", at most {most}"
    return _sentence([f"{given}; {limits}.", decisions.abstention.describe()], decisions)


def listed(pairs: Pairs) -> str:
    """Return labels with their numbers, in one phrase."""
    shown = [f"{name} {'never' if math.isinf(value) else format(value, '.3g')}" for name, value in pairs[:_SHOWN]]
    return ", ".join([*shown, *([f"and {len(pairs) - _SHOWN} more"] if len(pairs) > _SHOWN else [])])


def _sentence(parts: list[str], decisions: Decisions) -> str:
    calibrated = decisions.calibration.method != "none"
    how = f"Scores are calibrated: {decisions.calibration.describe()}." if calibrated else ""
    goal = f"Fitted for {decisions.goal}." if decisions.goal not in ("default", "f1") else ""
    return " ".join(part for part in [*parts, goal, how] if part)
