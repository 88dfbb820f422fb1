"""From what a model said of validation rows to the rule that suits a goal: calibration, thresholds, abstention.

In this order, each fitted to what the one before makes of the scores. Knows nothing of texts or bundles. Numpy only.

Axes: N rows, C labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fastbert.config import DecisionConfig
from fastbert.decisions.abstain import Abstention, least_confidence, parse_rule, strangest
from fastbert.decisions.aims import PrecisionAim, RecallAim, aim_of
from fastbert.decisions.calibration import METHODS, Link
from fastbert.decisions.calibration_choice import choose_calibration
from fastbert.decisions.goals import Goal, check_labels, parse_goal
from fastbert.decisions.labelling import Labeller
from fastbert.decisions.rules import Decisions, Pairs, fit_threshold
from fastbert.decisions.thresholds import Candidates, ThresholdFit, fit_thresholds
from fastbert.decisions.weights import fit_weights
from fastbert.errors import ConfigError
from fastbert.metrics.selective import RiskCurve, risk_curve

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
# Where scores tell little the best mean F1 of labels gives each of them to every row; all decisions together do not.
IN_PLACE = parse_goal("f1_micro")


@dataclass(frozen=True)
class ScoredRows:
    """What a model said of rows whose labels are known.

    probs_NC: its own probabilities, not calibrated.    energy_N: free energies.    targets_NC: truth.
    """

    names: tuple[str, ...]
    link: Link
    probs_NC: Floats
    energy_N: Floats
    targets_NC: Bools


def check_goal(config: DecisionConfig, names: Sequence[str], link: Link) -> Goal | None:
    """Return the goal, None where none is given. Raises ConfigError for what labels of this kind do not have."""
    parse_rule(config.abstain)
    if link == "softmax" and config.at_least > (config.at_most or 1):
        raise ConfigError(
            f"at_least={config.at_least} asks for more labels than the one that each row has.",
            f"To name the {config.at_least} best of them give --top-k {config.at_least}; the first is the answer.",
        )
    if config.goal is None:
        return None
    goal = parse_goal(config.goal)
    check_labels(goal, names)
    if goal.label and link == "sigmoid":
        raise ConfigError(
            f"The goal '{goal}' is about one label, which is for models that give exactly one.",
            "For several labels the goal holds for each of them; give costs by label with --goal cost:FILE.",
        )
    if goal.kind == "micro" and link == "softmax":
        raise ConfigError(
            "The goal 'f1_micro' is the accuracy where each row has one label: the highest score has the best.",
            "Leave it out, or use f1 for the mean over labels.",
        )
    if goal.kind == "recall" and not goal.label and link == "softmax":
        raise ConfigError(
            f"The goal '{goal}' does not say of which label; with one label a row, not all can be given more often.",
            f"Write {goal}@LABEL, such as {goal}@{names[-1]}.",
        )
    if link == "sigmoid" and any(true and decided for true, decided, _ in goal.costs):
        raise ConfigError(
            "The costs are by true and decided label, which is for models that give exactly one label.",
            "For several labels give a file with the columns label,false_positive,false_negative.",
        )
    if link == "softmax" and any(not true or not decided for true, decided, _ in goal.costs):
        raise ConfigError(
            "The costs are by label given wrongly or missed, which is for models that give several labels.",
            "For one label a row give a file with the columns true,decided,cost.",
        )
    return goal


def fit_label_rule(rows: ScoredRows, config: DecisionConfig, default_goal: str) -> Decisions:
    """Return the rule for labels. default_goal: of the task, where the user gave none.

    A default that would give every label to every row gives way to `f1_micro`, which the facts of the fit say.

    Raises ConfigError for a goal that these labels do not have, or that the rows cannot serve.
    """
    goal = check_goal(config, rows.names, rows.link) or parse_goal(default_goal)
    methods = METHODS if config.calibrate == "auto" else (config.calibrate,)
    chosen = choose_calibration(rows.probs_NC, rows.targets_NC, rows.link, methods=methods)
    decisions = Decisions(
        calibration=chosen.calibration, at_least=config.at_least, at_most=config.at_most, goal=str(goal)
    )
    score_NC = Labeller.of(rows.names, rows.link, decisions).calibrated(rows.probs_NC)
    fit_goal = _fit_one_label if rows.link == "softmax" else _fit_many_labels
    unfitted = decisions
    decisions, facts = fit_goal(unfitted, goal, score_NC, rows)
    if config.goal is None and _gives_all(decisions, rows):
        found, measures = fit_goal(replace(unfitted, goal=str(IN_PLACE)), IN_PLACE, score_NC, rows)
        if not _gives_all(found, rows):
            decisions, facts = found, {**measures, "in_place_of": str(goal)}
    curve = risk_of(rows, decisions)
    decisions = replace(decisions, abstention=fit_abstention(config, curve, rows.energy_N))
    measured = {"rows": len(rows.probs_NC), "calibration": chosen.to_json(), "goal": facts, "risk": curve.thinned()}
    return replace(decisions, fit=measured)


def _gives_all(decisions: Decisions, rows: ScoredRows) -> bool:
    """Return whether a rule gives every label to every row, though that is not the truth: it says nothing then."""
    if rows.link == "softmax" or rows.targets_NC.all():
        return False
    labeller = Labeller.of(rows.names, rows.link, decisions.answering(rows.link))
    return bool(labeller.answer(rows.probs_NC, rows.energy_N).decided_NC.all())


def fit_abstention(config: DecisionConfig, curve: RiskCurve, energy_N: Floats) -> Abstention:
    """Return the limits that a user asked for, on the validation rows."""
    confidence = least_confidence(parse_rule(config.abstain), curve)
    return Abstention(None if confidence is None else _rounded_down(confidence), strangest(energy_N, config.outside))


def risk_of(rows: ScoredRows, decisions: Decisions) -> RiskCurve:
    """Return the share of wrong answers by coverage; an answer is right as a whole or wrong."""
    answers = Labeller.of(rows.names, rows.link, decisions.answering(rows.link)).answer(rows.probs_NC, rows.energy_N)
    right_N = (answers.decided_NC == rows.targets_NC).all(axis=1)
    return risk_curve(answers.confidence_N, right_N)


def _rounded_down(confidence: float) -> float:
    return float(np.floor(confidence * 1e4) / 1e4)  # the row that set it is answered


# -- any number of labels a row -----------------------------------------------------------------------


def _fit_many_labels(
    decisions: Decisions, goal: Goal, score_NC: Floats, rows: ScoredRows
) -> tuple[Decisions, dict[str, object]]:
    if goal.kind == "default":
        return decisions, {}
    shared = fit_threshold(score_NC, rows.targets_NC)
    if goal.kind == "fbeta" and goal.number == 1.0:
        decisions = replace(decisions, threshold=shared)
    if not rows.targets_NC.any():
        return decisions, {}
    aim = aim_of(goal, rows.names)
    found = fit_thresholds(Candidates.of_cells(score_NC, rows.targets_NC), aim, len(score_NC))
    return replace(decisions, **_as_thresholds(found, rows.names, decisions.threshold, goal)), found.to_json()  # type: ignore[arg-type]  # names of fields


def _as_thresholds(found: ThresholdFit, names: Sequence[str], shared: float, goal: Goal) -> dict[str, object]:
    """Return one threshold where all labels have the same, else those of the labels."""
    number = float(found.threshold_C[0])
    if math.isfinite(number) and len(set(found.threshold_C.tolist())) == 1:
        plain = goal.kind == "fbeta" and goal.number == 1.0
        return {"threshold": shared if plain and not found.own else number}
    return {"thresholds": tuple(zip(names, found.threshold_C.tolist(), strict=True))}


# -- exactly one label a row ----------------------------------------------------------------------------


def _fit_one_label(
    decisions: Decisions, goal: Goal, score_NC: Floats, rows: ScoredRows
) -> tuple[Decisions, dict[str, object]]:
    targets_N = rows.targets_NC.argmax(axis=1)
    if goal.kind == "default" or not len(targets_N):
        return decisions, {}
    if goal.kind == "cost":
        return _with_costs(decisions, goal, score_NC, targets_N, rows.names)
    if goal.kind == "fbeta":
        found = fit_weights(score_NC, targets_N, goal.number)
        weights = () if (found.weight_C == 1).all() else tuple(zip(rows.names, found.weight_C.tolist(), strict=True))
        facts: dict[str, object] = {
            "held_out": found.value,
            "held_out_plain": found.plain_value,
            "error": found.error,
        }
        return replace(decisions, weights=weights), facts
    if goal.kind == "recall":
        return _with_recall(decisions, goal, score_NC, targets_N, rows.names)
    given = _decided(score_NC, score_NC.argmax(axis=1), targets_N)
    if goal.label:  # the other labels neither lend it their precision nor are held back
        given = given.take(given.label_M == rows.names.index(goal.label))
    found_t = fit_thresholds(given, PrecisionAim(goal.number), len(targets_N))
    pairs: Pairs = tuple(zip(rows.names, found_t.threshold_C.tolist(), strict=True))
    thresholds = tuple(pair for pair in pairs if goal.label in ("", pair[0]))
    return replace(decisions, thresholds=thresholds), found_t.to_json()


def _decided(score_NC: Floats, decided_N: npt.NDArray[np.intp], targets_N: npt.NDArray[np.intp]) -> Candidates:
    """Return the decided label of each row as a candidate, and the true one as missed where it is another."""
    rows = np.arange(len(targets_N))
    missed = np.flatnonzero(decided_N != targets_N)
    return Candidates(
        np.concatenate([score_NC[rows, decided_N], np.full(len(missed), -1.0)]),
        np.concatenate([decided_N == targets_N, np.ones(len(missed), np.bool_)]),
        np.concatenate([decided_N, targets_N[missed]]).astype(np.int64),
        np.concatenate([rows, missed]).astype(np.int64),
        score_NC.shape[1],
    )


def _with_recall(
    decisions: Decisions, goal: Goal, score_NC: Floats, targets_N: npt.NDArray[np.intp], names: Sequence[str]
) -> tuple[Decisions, dict[str, object]]:
    """Return a weight for one label with which so much of it is found."""
    label = names.index(goal.label)
    if not (targets_N == label).any():  # any threshold would find all of nothing
        return decisions, {"unseen": goal.label}
    others_N = np.delete(score_NC, label, axis=1).max(axis=1)
    share_N = score_NC[:, label] / np.maximum(score_NC[:, label] + others_N, 1e-12)
    cells = Candidates.of_cells(share_N[:, None], (targets_N == label)[:, None])
    found = fit_thresholds(cells, RecallAim(goal.number), len(targets_N))
    threshold = float(np.clip(found.threshold_C[0], 1e-4, 1 - 1e-4))
    return replace(decisions, weights=((goal.label, (1 - threshold) / threshold),)), found.to_json()


def _with_costs(
    decisions: Decisions, goal: Goal, score_NC: Floats, targets_N: npt.NDArray[np.intp], names: Sequence[str]
) -> tuple[Decisions, dict[str, object]]:
    """Return the rule of least expected cost (Elkan 2001); nothing is fitted, so the cost is an honest one."""
    ruled = replace(decisions, costs=goal.costs)
    labeller = Labeller.of(names, "softmax", replace(ruled, calibration=Decisions().calibration))
    cost_CC = labeller.cost_CC
    after_N = (score_NC @ cost_CC).argmin(axis=1)
    facts: dict[str, object] = {
        "cost_before": float(cost_CC[targets_N, score_NC.argmax(axis=1)].mean()),
        "cost_after": float(cost_CC[targets_N, after_N].mean()),
    }
    return ruled, facts
