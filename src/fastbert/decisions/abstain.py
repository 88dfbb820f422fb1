"""When a model had better not answer: too little confidence, or a text unlike those it was trained on. Numpy only.

Confidence is the calibrated probability that the answer is right as a whole. Strangeness is the free energy of the
logits (Liu et al. 2020, arXiv 2010.03759): a text that speaks for no label at all has a high one. Both limits are
set on validation rows. Knows nothing of tasks.

Axes: N rows, C labels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastbert.decisions.calibration import Link
from fastbert.errors import BundleError, ConfigError, did_you_mean
from fastbert.metrics.selective import RiskCurve

Floats = npt.NDArray[np.float64]
FORMS = "none, a confidence such as 0.8, risk<=0.05 or coverage>=0.9"


@dataclass(frozen=True)
class Abstention:
    """Limits beyond which the answer is "unknown"; None: no limit.

    confidence: the least.    energy: the highest.
    """

    confidence: float | None = None
    energy: float | None = None

    def __bool__(self) -> bool:
        return self.confidence is not None or self.energy is not None

    def is_strange(self, energy_N: Floats) -> npt.NDArray[np.bool_]:
        """Return which rows are unlike those that the limit was set on, (N,)."""
        return np.asarray(energy_N > (np.inf if self.energy is None else self.energy), np.bool_)

    def reasons(self, confidence_N: Floats, energy_N: Floats) -> list[str]:
        """Return why each row is not answered, "" where it is."""
        found = []
        for confidence, energy in zip(confidence_N.tolist(), energy_N.tolist(), strict=True):
            if self.energy is not None and energy > self.energy:
                found.append(f"unlike the training texts: energy {energy:.2f}, at most {self.energy:.2f}")
            elif self.confidence is not None and confidence < self.confidence:
                found.append(f"confidence {confidence:.2f} is below {self.confidence:g}")
            else:
                found.append("")
        return found

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {"confidence": self.confidence, "energy": self.energy}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Abstention:
        """Read what `to_json` wrote. Raises BundleError for anything else."""
        confidence, energy = values.get("confidence"), values.get("energy")
        for name, value in (("confidence", confidence), ("energy", energy)):
            if value is not None and (not isinstance(value, int | float) or not math.isfinite(value)):
                raise BundleError(f"bundle.json: the limit of {name} is {value!r}; expected a number or nothing.")
        return cls(*(None if value is None else float(str(value)) for value in (confidence, energy)))

    def describe(self) -> str:
        """Return it as a sentence, or nothing."""
        parts = []
        if self.confidence is not None:
            parts.append(f"the confidence is below {self.confidence:g}")
        if self.energy is not None:
            parts.append("the text is unlike the training texts")
        return f"Where {' or '.join(parts)} the answer is unknown." if parts else ""


def row_confidence(probs_NC: Floats, decided_NC: npt.NDArray[np.bool_], link: Link) -> Floats:
    """Return the probability that the answer to each row is right as a whole, (N,).

    "softmax": of the decided label, 0 without one.    "sigmoid": that every cell is as decided, labels taken as
    independent of each other.
    """
    if link == "softmax":
        return np.asarray(np.where(decided_NC, probs_NC, 0.0).max(axis=1, initial=0.0))
    return np.asarray(np.where(decided_NC, probs_NC, 1.0 - probs_NC).prod(axis=1))


def free_energy(logits_NC: Floats, link: Link) -> Floats:
    """Return -log sum exp of the logits of each row, or, for labels of their own, -sum log(1 + exp); (N,).

    The second is the joint energy of Wang et al. 2021 (arXiv 2109.14162).

    >>> free_energy(np.array([[0.0, 0.0]]), "softmax").round(4).tolist()
    [-0.6931]
    """
    if link == "sigmoid":
        return np.asarray(-np.logaddexp(0.0, logits_NC).sum(axis=1))
    highest_N1 = logits_NC.max(axis=1, keepdims=True, initial=-np.inf)
    return np.asarray(-(highest_N1[:, 0] + np.log(np.exp(logits_NC - highest_N1).sum(axis=1))))


def strangest(energy_N: Floats, share: float) -> float | None:
    """Return the energy that such a share of the validation rows exceeds; None for a share of 0."""
    return float(np.quantile(energy_N, 1.0 - share)) if share and len(energy_N) else None


@dataclass(frozen=True)
class AbstainRule:
    """What a user asks for. kind: "none", "confidence", "risk" or "coverage"."""

    kind: str = "none"
    number: float = 0.0


def parse_rule(text: str) -> AbstainRule:
    """Return a rule. Raises ConfigError for anything that is none.

    >>> parse_rule("risk<=0.05")
    AbstainRule(kind='risk', number=0.05)
    """
    plain = text.replace(" ", "")
    if plain == "none":
        return AbstainRule()
    for kind, sign in (("risk", "<="), ("coverage", ">="), ("confidence", ""), ("confidence", ">=")):
        start = (kind if sign else "") + sign
        if plain.startswith(start):
            try:
                number = float(plain.removeprefix(start))
            except ValueError:
                continue
            if 0 < number < 1:
                return AbstainRule(kind, number)
    raise ConfigError(
        f"abstain is '{text}'; expected {FORMS}, with a number between 0 and 1.", did_you_mean(plain, ("none",))
    )


def least_confidence(rule: AbstainRule, curve: RiskCurve) -> float | None:
    """Return the confidence from which on rows are answered, for a rule; None where all are.

    "risk": the lowest with at most such a share of wrong answers on the rows of the curve, counting one more wrong
    answer than was seen (add-one), so that few rows promise nothing. Raises ConfigError where no confidence keeps it.
    "coverage": the highest that leaves so many rows answered.
    """
    if rule.kind == "none":
        return None
    if rule.kind == "confidence":
        return rule.number
    if rule.kind == "coverage":
        enough = np.flatnonzero(curve.coverage_K >= rule.number)
        return float(curve.least_K[enough[0]]) if len(enough) else None
    answered_K = curve.coverage_K * curve.rows
    kept = np.flatnonzero((curve.risk_K * answered_K + 1) / (answered_K + 1) <= rule.number)
    if not len(kept):
        raise ConfigError(
            f"No confidence keeps the share of wrong answers at {rule.number:g} on the validation rows.",
            "Ask for a higher risk, give more rows, or use --abstain CONFIDENCE.",
        )
    return float(curve.least_K[kept[-1]])
