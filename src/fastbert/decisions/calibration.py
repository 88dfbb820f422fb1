"""Maps from a model's probabilities to ones that can be taken at their word; which of them, held-out rows decide.

- temperature: all logits are multiplied by one number (Guo et al. 2017, arXiv 1706.04599).
- platt: each label has a shift of its own besides, and, where labels do not exclude each other, a factor
  (Platt 1999; the "vector scaling" of Guo et al. with one factor for labels that do).
- isotonic: any rising function of the probability, for each label that has enough rows and one for all others
  (Zadrozny and Elkan 2002).

Labels exclude each other ("softmax", rows sum to 1) or not ("sigmoid"). Knows nothing of tasks. Numpy only.

Axes: N rows, C labels, K knots of an isotonic function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from fastbert.errors import BundleError

Floats = npt.NDArray[np.float64]
Cells = npt.NDArray[np.bool_]
Method = Literal["none", "temperature", "platt", "isotonic"]
Link = Literal["softmax", "sigmoid"]
METHODS: tuple[Method, ...] = get_args(Method)
SMALLEST = 1e-12  # probabilities are kept this far from 0 and 1 before a logarithm
RIDGE = 5.0  # rows' worth of belief that a label needs no mapping of its own (platt)
ENOUGH = 50  # rows with and without a label before it has an isotonic function of its own
KNOTS = 200  # groups of rows of equal number that an isotonic function is fitted to
STEPS = 50  # of Newton's method, at most


@dataclass(frozen=True)
class Calibration:
    """A fitted map. scale, shift: of the logit of each label.    knots: of each label, pairs (raw, calibrated).

    All empty means that probabilities stay as they are.
    """

    method: Method = "none"
    scale: tuple[float, ...] = ()
    shift: tuple[float, ...] = ()
    knots: tuple[tuple[tuple[float, float], ...], ...] = ()

    def apply(self, probs_NC: Floats, link: Link) -> Floats:
        """Return calibrated probabilities of shape (N, C); with "softmax" rows sum to 1."""
        if self.method == "none":
            return probs_NC
        if self.method == "isotonic":
            columns = [np.interp(probs_NC[:, label], *np.array(knots).T) for label, knots in enumerate(self.knots)]
            mapped_NC = np.stack(columns, axis=1)
            return mapped_NC / mapped_NC.sum(axis=1, keepdims=True) if link == "softmax" else mapped_NC
        logits_NC = to_logits(probs_NC, link) * np.array(self.scale) + np.array(self.shift)
        return to_probs(logits_NC, link)

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        values: dict[str, object] = {"method": self.method}
        if self.method == "isotonic":
            return {**values, "knots": [[list(pair) for pair in label] for label in self.knots]}
        return values if self.method == "none" else {**values, "scale": list(self.scale), "shift": list(self.shift)}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Calibration:
        """Read what `to_json` wrote. Raises BundleError for anything else."""
        method = values.get("method", "none")
        if method not in METHODS:
            raise BundleError(
                f"bundle.json: the calibration is {method!r}; this version knows {', '.join(METHODS)}.",
                "Upgrade with `pip install -U fastbert-nlp`.",
            )
        try:
            knots = cast("Sequence[Sequence[Sequence[float]]]", values.get("knots", []))
            pairs = tuple(tuple((float(x), float(y)) for x, y in label) for label in knots)
            scale, shift = (tuple(map(float, cast("list[float]", values.get(n, [])))) for n in ("scale", "shift"))
        except (TypeError, ValueError) as error:
            raise BundleError(f"bundle.json: the calibration '{method}' has no list of numbers ({error}).") from error
        numbers = [*scale, *shift, *(value for label in pairs for pair in label for value in pair)]
        if not np.isfinite(numbers).all() or len(scale) != len(shift) or (method != "none" and not (scale or pairs)):
            raise BundleError(f"bundle.json: the numbers of the calibration '{method}' are not whole or not finite.")
        return cls(method, scale, shift, pairs)

    def check_labels(self, count: int) -> None:
        """Raise BundleError if it was not made for so many labels."""
        found = len(self.knots) if self.method == "isotonic" else len(self.scale)
        if self.method != "none" and found != count:
            raise BundleError(f"bundle.json: the calibration is for {found} labels, the model has {count}.")

    def describe(self) -> str:
        """Return it in a phrase for people."""
        if self.method == "temperature":
            return f"temperature {1 / self.scale[0]:.3g}"
        return {"none": "none", "platt": "Platt scaling", "isotonic": "isotonic regression"}[self.method]


def to_logits(probs_NC: Floats, link: Link) -> Floats:
    """Return log probabilities ("softmax": logits but for a number a row) or log-odds ("sigmoid")."""
    clipped_NC = np.clip(probs_NC, SMALLEST, 1.0)
    if link == "softmax":
        return np.log(clipped_NC)
    return np.log(clipped_NC) - np.log(np.clip(1.0 - probs_NC, SMALLEST, 1.0))


def to_probs(logits_NC: Floats, link: Link) -> Floats:
    """Return the softmax of each row, or the sigmoid of each cell."""
    if link == "sigmoid":
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits_NC)))
    shifted_NC = np.exp(logits_NC - logits_NC.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(shifted_NC / shifted_NC.sum(axis=1, keepdims=True))


def row_losses(probs_NC: Floats, targets_NC: Cells, link: Link) -> Floats:
    """Return the negative log likelihood of each row, (N,): of its one label, or summed over labels."""
    if link == "softmax":
        return -np.log(np.clip(probs_NC, SMALLEST, 1.0))[targets_NC]
    return np.asarray(-np.log(np.clip(np.where(targets_NC, probs_NC, 1.0 - probs_NC), SMALLEST, 1.0)).sum(axis=1))


def fit(method: Method, probs_NC: Floats, targets_NC: Cells, link: Link) -> Calibration:
    """Return the map of a method that makes these rows most likely.

    probs_NC: of the model, as they are.    targets_NC: truth; with "softmax" one True a row.
    """
    if method == "none" or not probs_NC.size:
        return Calibration()
    if method == "isotonic":
        return Calibration(method, knots=_isotonic(probs_NC, targets_NC))
    logits_NC = to_logits(probs_NC, link)
    scale = _one_scale(logits_NC, targets_NC, link)
    count = probs_NC.shape[1]
    if method == "temperature":
        return Calibration(method, (scale,) * count, (0.0,) * count)
    if link == "softmax":
        scale, shift_C = _scale_and_shifts(logits_NC, targets_NC, scale)
        return Calibration(method, (scale,) * count, tuple(shift_C.tolist()))
    scale_C, shift_C = _own_lines(logits_NC, targets_NC, scale)
    return Calibration(method, tuple(scale_C.tolist()), tuple(shift_C.tolist()))


# -- one factor for all -------------------------------------------------------------------------------


def _one_scale(logits_NC: Floats, targets_NC: Cells, link: Link) -> float:
    """Return the factor with the least loss, by Newton's method on its logarithm."""
    log_scale = 0.0
    for _ in range(STEPS):
        scaled_NC = logits_NC * np.exp(log_scale)
        probs_NC = to_probs(scaled_NC, link)
        # derivatives by the logarithm of the factor
        slope = float((scaled_NC * (probs_NC - targets_NC)).sum())
        if link == "softmax":
            mean_N = (probs_NC * scaled_NC).sum(axis=1)
            bend = float(((probs_NC * scaled_NC**2).sum(axis=1) - mean_N**2).sum()) + abs(slope)
        else:
            bend = float((probs_NC * (1 - probs_NC) * scaled_NC**2).sum()) + abs(slope)
        step = float(np.clip(slope / max(bend, SMALLEST), -1.0, 1.0))
        log_scale = float(np.clip(log_scale - step, -3.0, 3.0))  # factors of 0.05 to 20
        if abs(step) < 1e-6:
            break
    return float(np.exp(log_scale))


# -- a line for each label ------------------------------------------------------------------------------


def _scale_and_shifts(logits_NC: Floats, targets_NC: Cells, scale: float) -> tuple[float, Floats]:
    """Return one factor and a shift for each label that exclude each other; shifts are drawn to 0 (RIDGE)."""
    count = logits_NC.shape[1]
    shift_C = np.zeros(count)
    for _ in range(STEPS):
        probs_NC = to_probs(logits_NC * scale + shift_C, "softmax")
        gap_NC = probs_NC - targets_NC
        slope = np.append(gap_NC.sum(axis=0) + RIDGE * shift_C, (gap_NC * logits_NC).sum())
        bend = np.zeros((count + 1, count + 1))
        bend[:count, :count] = np.diag(probs_NC.sum(axis=0) + RIDGE) - probs_NC.T @ probs_NC
        mean_N1 = (probs_NC * logits_NC).sum(axis=1, keepdims=True)
        centred_NC = probs_NC * (logits_NC - mean_N1)
        bend[:count, count] = bend[count, :count] = centred_NC.sum(axis=0)
        bend[count, count] = (centred_NC * logits_NC).sum() + 1e-6
        step = np.clip(np.linalg.solve(bend, slope), -1.0, 1.0)
        shift_C = shift_C - step[:count]
        scale = float(np.clip(scale - step[count], 0.05, 20.0))
        if np.abs(step).max() < 1e-6:
            break
    return scale, shift_C


def _own_lines(logits_NC: Floats, targets_NC: Cells, scale: float) -> tuple[Floats, Floats]:
    """Return factor and shift of each label, drawn to the factor of all and to no shift (RIDGE)."""
    scale_C, shift_C = np.full(logits_NC.shape[1], scale), np.zeros(logits_NC.shape[1])
    for _ in range(STEPS):
        probs_NC = to_probs(logits_NC * scale_C + shift_C, "sigmoid")
        gap_NC, weight_NC = probs_NC - targets_NC, probs_NC * (1 - probs_NC)
        slope_a = (gap_NC * logits_NC).sum(axis=0) + RIDGE * (scale_C - scale)
        slope_b = gap_NC.sum(axis=0) + RIDGE * shift_C
        aa = (weight_NC * logits_NC**2).sum(axis=0) + RIDGE
        ab = (weight_NC * logits_NC).sum(axis=0)
        bb = weight_NC.sum(axis=0) + RIDGE
        det = aa * bb - ab**2
        step_a = np.clip((bb * slope_a - ab * slope_b) / det, -1.0, 1.0)
        step_b = np.clip((aa * slope_b - ab * slope_a) / det, -1.0, 1.0)
        scale_C, shift_C = np.clip(scale_C - step_a, 0.05, 20.0), shift_C - step_b  # a falling map would turn scores
        if max(np.abs(step_a).max(), np.abs(step_b).max()) < 1e-6:
            break
    return scale_C, shift_C


# -- any rising function --------------------------------------------------------------------------------


def _isotonic(probs_NC: Floats, targets_NC: Cells) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Return knots for each label: of its own rows where it has ENOUGH, else of all cells together."""
    positives_C = targets_NC.sum(axis=0)
    own_C = np.minimum(positives_C, len(targets_NC) - positives_C) >= ENOUGH
    shared = () if own_C.all() else _knots(probs_NC.ravel(), targets_NC.ravel())
    return tuple(
        _knots(probs_NC[:, label], targets_NC[:, label]) if own else shared for label, own in enumerate(own_C.tolist())
    )


def _knots(probs_M: Floats, targets_M: Cells) -> tuple[tuple[float, float], ...]:
    """Return the corners of a rising function: pools of adjacent violators (Ayer et al. 1955), of grouped cells.

    Each pool has half a positive and half a negative added, so that no probability becomes 0 or 1.
    """
    order = np.argsort(probs_M, kind="stable")
    parts = np.array_split(order, min(KNOTS, max(1, len(order) // 5)))
    pools: list[list[float]] = []  # [sum of probabilities, positives, cells]
    for part in parts:
        pools.append([float(probs_M[part].sum()), float(targets_M[part].sum()), float(len(part))])
        while len(pools) > 1 and pools[-2][1] * pools[-1][2] >= pools[-1][1] * pools[-2][2]:
            last = pools.pop()
            pools[-1] = [before + after for before, after in zip(pools[-1], last, strict=True)]
    values = np.maximum.accumulate([(right + 0.5) / (count + 1.0) for _, right, count in pools])
    return tuple((total / count, float(value)) for (total, _, count), value in zip(pools, values, strict=True))
