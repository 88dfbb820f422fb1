"""What a learning-rate test says: its curve made smooth, rates read off it by rule, and what to doubt.

Pure arithmetic on rates and losses. Each loss is compared with what the starting weights lose on the same rows under
the same dropout: what is hard about a batch cancels out, and a rate that changes nothing gives a straight line.
Knows no model, no loop and no figure.

Axes: N steps of the test, by rising rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

VALLEY, TENTH = "valley", "minimum/10"
SPAN = 0.1  # of the steps: how far the running mean reaches back
STOP_FACTOR = 4.0  # times the loss before: fastai's factor, there on the best loss, which is 0 on few rows
LEAST_POINTS = 10  # before divergence, or nothing can be read off
LEAST_DESCENT = 0.03  # of the loss before; with less, CoLA gave 0.04 to 4 times its known rate
LEAST_NOISES = 2.0  # standard errors of the smoothed loss
FAR_APART = 3.0  # between the rules: where they were clear, at most 2.2
EDGE = 0.05  # of the steps, at both ends of the range
NOISE_POINTS = 20  # up to the lowest point, by which the noise is measured


@dataclass(frozen=True)
class Verdict:
    """suggestions: rates by rule, {} where none can be read off.    preferred: one of them.    reason: why that one.

    doubts: why not to trust it, one sentence each; none where the curve is clear.
    """

    suggestions: dict[str, float]
    preferred: str | None
    reason: str
    doubts: tuple[str, ...]


def smooth(losses_N: Sequence[float], start_losses_N: Sequence[float], total_steps: int) -> Floats:
    """Return the smoothed losses: the mean loss before, plus the running mean of the change.

    The mean is exponential and corrected for its start (Kingma & Ba 2015, section 3), as in fastai, and reaches back
    over a tenth of the steps, so that the same range gives the same curve whatever their number.
    start_losses_N: of the starting weights on the batch of each step; as long as the losses or longer.

    >>> smooth([2.0, 1.0], [2.0, 2.0], 100).round(3).tolist()
    [2.0, 1.474]
    """
    change_N = np.asarray(losses_N, np.float64) - np.asarray(start_losses_N, np.float64)[: len(losses_N)]
    keep = _kept(total_steps)
    mean, smoothed = 0.0, []
    for number, change in enumerate(change_N, 1):
        mean = keep * mean + (1 - keep) * float(change)
        smoothed.append(mean / (1 - keep**number))
    return np.mean(start_losses_N) + np.array(smoothed, np.float64)


def diverges(smoothed: float, start_loss: float) -> bool:
    """Return whether a test can end: the smoothed loss is STOP_FACTOR times the loss before."""
    return not smoothed <= STOP_FACTOR * abs(start_loss)  # true of NaN


def valley(rates_N: Sequence[float], smoothed_N: Floats) -> float:
    """Return the rate in the middle of the longest descent: ESRI's rule, which fastai takes by default.

    The longest falling subsequence, taken to lie in one piece before its end, as in fastai (`callback/schedule.py`,
    `valley`); the middle is one of steps, so of the logarithm of the rate.
    """
    length_N = np.ones(len(smoothed_N), int)
    for index in range(1, len(smoothed_N)):
        higher = smoothed_N[:index] > smoothed_N[index]
        length_N[index] += int(length_N[:index][higher].max(initial=0))
    end = int(np.argmax(length_N))
    return float(rates_N[max(0, end - int(length_N[end]) // 2)])


def minimum_tenth(rates_N: Sequence[float], smoothed_N: Floats) -> float:
    """Return a tenth of the rate at the lowest smoothed loss: fastai's `minimum`, in the words of its first course."""
    return float(rates_N[int(np.argmin(smoothed_N))]) / 10


def judge(
    rates_N: Sequence[float], smoothed_N: Floats, losses_N: Sequence[float], start_N: Sequence[float], *, whole: bool
) -> Verdict:
    """Return the rates that a curve suggests, and what speaks against them.

    start_N: losses of the starting weights, as for `smooth`.    whole: no rate of the range is missing.
    """
    if len(losses_N) < LEAST_POINTS:
        few = f"Only {len(losses_N)} steps were possible: the lowest rate is too high, or the loss is broken."
        return Verdict({}, None, "Too few steps to read a rate off.", (few,))
    start_loss, low = float(np.mean(start_N)), int(np.argmin(smoothed_N))
    descent = start_loss - float(smoothed_N[low])
    if descent < LEAST_DESCENT * abs(start_loss):
        flat = f"The smoothed loss fell from {start_loss:.4g} by {max(descent, 0.0):.2g} only, at any rate."
        hint = "Some tasks show nothing in so few steps; try more steps."
        return Verdict({}, None, "No rate lowered the loss.", (f"{flat} {hint}",))
    doubts = [*_doubts(low, len(losses_N), whole=whole)]
    noise = _noise(losses_N, start_N, low)
    if descent < LEAST_NOISES * noise:
        doubts.append(f"The smoothed loss fell by {descent:.2g}, its noise is {noise:.2g}; try more steps.")
    found = {TENTH: minimum_tenth(rates_N, smoothed_N), VALLEY: valley(rates_N, smoothed_N)}
    apart = max(found.values()) / min(found.values())
    if apart > FAR_APART:
        doubts.append(f"The two rules are {apart:.2g} times apart.")
    lower = min(found, key=lambda name: found[name])
    # 0.4 to 1.35 times the recipe's rate on all seven curves of MiniLM that named one (docs/guides/learning_rate.md)
    reason = f"{lower} is preferred: the lower of the two. A rate too low costs some score, one too high the run."
    return Verdict(found, lower, reason, tuple(doubts))


def _doubts(low: int, count: int, *, whole: bool) -> Iterator[str]:
    """Yield what is wrong with where the lowest point lies."""
    edge = max(1, round(EDGE * count))
    if low < edge:
        yield "The loss is lowest near the lowest rate; lower the range."
    if whole and low >= count - edge:
        yield "The loss still falls at the highest rate; raise the range."


def _noise(losses_N: Sequence[float], start_N: Sequence[float], low: int) -> float:
    """Return the standard error of the smoothed loss at its lowest point.

    From the differences of neighbours, which a slope hardly enters. A running mean that keeps k of its past has the
    variance (1 - k) / (1 + k) of one value.
    """
    first = max(0, low + 1 - NOISE_POINTS)
    change_N = np.array(losses_N[first : low + 1]) - np.array(start_N[first : low + 1])
    if len(change_N) < 3:
        return 0.0
    keep = _kept(len(start_N))
    return float(np.diff(change_N).std() / math.sqrt(2) * math.sqrt((1 - keep) / (1 + keep)))


def _kept(total_steps: int) -> float:
    return 1 - 1 / max(1.0, SPAN * total_steps)
