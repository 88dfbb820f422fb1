"""Whether the words that an explanation names are those that the answer rests on: hide them, and look at the score.

Words are hidden one after another, those worth most first (the deletion curve: Samek et al. 2017, IEEE TNNLS 28(11);
Petsiuk et al. 2018, arXiv 1806.07421), and the same is done in random orders. A good explanation lets the score fall
sooner than chance does. At TOP_SHARE of the words the two measures of ERASER are read off: how much is lost without
them (comprehensiveness) and kept with them alone (sufficiency; DeYoung et al. 2020, arXiv 1911.03429).

Imports no torch. Axes: N words that were read, P points of a curve, R random orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fastbert.insight.attribution import Case
from fastbert.insight.explained_outputs import Floats, Output
from fastbert.insight.masking import HiddenWords, Masker, hidden_sets

POINTS = 20  # of a curve, beside its beginning; fewer for a text of fewer words
TOP_SHARE = 0.2
FEWEST_WORDS = 4  # 24 orders: with fewer a random order is often the very same
SAME = 0.01  # of the score's range: areas that differ by less are equal
STILL = 0.05  # a probability that moves less with every word hidden does not rest on the words
Verdict = Literal["faithful", "unclear", "no better than chance", "not about the words", "too few words"]
Order = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Faithfulness:
    """Scores of one output while words are hidden, or shown, in the order of an explanation and in random ones.

    counts: words hidden at each point, of num_words that were read; its first is 0, its last all.
    deletion: scores while the words worth most are hidden first.    insertion: with so many of them shown alone.
    random: a row an order, scores while words are hidden in that order.    top: words that TOP_SHARE amounts to.
    is_probability: scores are from 0 to 1.
    """

    num_words: int
    counts: tuple[int, ...]
    deletion: tuple[float, ...]
    insertion: tuple[float, ...]
    random: tuple[tuple[float, ...], ...]
    top: int
    is_probability: bool = True

    @property
    def area(self) -> float:
        """Return the mean score over the deletion curve: lower is better."""
        return self._area(self.deletion)

    @property
    def random_areas(self) -> tuple[float, ...]:
        """Return the same of each random order. Read backwards they are as many random insertion curves."""
        return tuple(self._area(scores) for scores in self.random)

    @property
    def insertion_area(self) -> float:
        """Return the mean score over the insertion curve: higher is better."""
        return self._area(self.insertion)

    @property
    def without_top(self) -> float:
        """Return the score with the top words hidden."""
        return self.deletion[self.counts.index(self.top)]

    @property
    def top_alone(self) -> float:
        """Return the score with the top words alone."""
        return self.insertion[self.counts.index(self.top)]

    @property
    def random_without(self) -> tuple[float, ...]:
        """Return the score with as many random words hidden, for each order."""
        return tuple(scores[self.counts.index(self.top)] for scores in self.random)

    @property
    def random_alone(self) -> tuple[float, ...]:
        """Return the score with as many random words alone, for each order."""
        return tuple(scores[self.counts.index(self.num_words - self.top)] for scores in self.random)

    @property
    def verdict(self) -> Verdict:
        """Return what the curves say: faithful if the score falls as soon as in the best of the random orders.

        With 19 orders or more chance alone would do that once in 20 texts at most.
        """
        if self.num_words < FEWEST_WORDS:
            return "too few words"
        if self.is_probability and abs(self.deletion[0] - self.deletion[-1]) < STILL and self._spread < STILL:
            return "not about the words"
        areas = self.random_areas
        if self.area <= min(areas) + SAME * self._spread:
            return "faithful"
        return "no better than chance" if self.area >= float(np.median(areas)) else "unclear"

    def sentences(self) -> tuple[str, ...]:
        """Return the verdict for people, and the numbers behind it."""
        first = {
            "faithful": "The words shown carry the answer: no random order lowers the score sooner.",
            "unclear": "Not clear: hiding these words lowers the score sooner than most random orders, not all.",
            "no better than chance": "These words do not carry the answer: hiding random ones does as much.",
            "not about the words": "The score hardly moves whatever words are hidden: no word carries it.",
            "too few words": "The text has too few words to tell.",
        }[self.verdict]
        if self.verdict == "too few words":
            return (first,)
        share = f"{self.top} of {self.num_words} words, the top {TOP_SHARE:.0%}"
        return (
            first,
            f"Without {share}: score {self.deletion[0]:.3f} -> {self.without_top:.3f}; "
            f"without as many random ones {_mean_and_range(self.random_without)}.",
            f"With these alone: {self.top_alone:.3f}; with as many random ones {_mean_and_range(self.random_alone)}; "
            f"with none {self.deletion[-1]:.3f}.",
            f"Mean over the deletion curve {self.area:.3f}; in {len(self.random)} random orders "
            f"{_mean_and_range(self.random_areas)}.",
        )

    def to_json(self) -> dict[str, object]:
        """Return curves, areas and verdict as plain values."""
        return {
            "verdict": self.verdict,
            "num_words": self.num_words,
            "counts": list(self.counts),
            "deletion": list(self.deletion),
            "insertion": list(self.insertion),
            "random": [list(scores) for scores in self.random],
            "area": self.area,
            "insertion_area": self.insertion_area,
            "random_areas": list(self.random_areas),
            "top": self.top,
            "without_top": self.without_top,
            "top_alone": self.top_alone,
        }

    @property
    def _spread(self) -> float:
        values = [*self.deletion, *self.insertion, *(score for scores in self.random for score in scores)]
        return max(values) - min(values)

    def _area(self, scores: Sequence[float]) -> float:
        """Return the mean height over the share of words; of a text without words its only score."""
        if self.num_words == 0:
            return scores[0]
        shares = np.array(self.counts, np.float64) / self.num_words
        heights = np.array(scores, np.float64)
        return float(np.sum(np.diff(shares) * (heights[1:] + heights[:-1]) / 2))


def check(masker: Masker, case: Case, values_TK: Sequence[Floats], *, orders: int, seed: int = 0) -> list[Faithfulness]:
    """Return how faithful values of words are, for each output of a case. All outputs see the same random orders."""
    plan = _CheckPlan.of(case, values_TK, orders, seed)
    (found_TV,) = masker.values([plan.hidden()])
    return [
        plan.read(found_V, output, number)
        for number, (found_V, output) in enumerate(zip(found_TV, case.outputs, strict=True))
    ]


def num_check_passes(case: Case, orders: int) -> int:
    """Return about how many windows a check runs: some sets coincide, or leave a window as it is."""
    points = len(_counts(int(case.reading.read_K.sum()))) - 2
    return max(0, points) * (orders + 2 * len(case.outputs)) * len(case.reading.windows) + 2


@dataclass(frozen=True)
class _CheckPlan:
    """The sets of hidden words of all curves of a case.

    given: for each output its words by falling value.    random: as many random orders.
    """

    case: Case
    words: Order
    counts: tuple[int, ...]
    given: tuple[Order, ...]
    random: tuple[Order, ...]

    @classmethod
    def of(cls, case: Case, values_TK: Sequence[Floats], orders: int, seed: int) -> _CheckPlan:
        words = np.flatnonzero(case.reading.read_K)
        rng = np.random.default_rng(seed)
        given = tuple(words[np.argsort(-values_K[words], kind="stable")] for values_K in values_TK)
        random = tuple(rng.permutation(words) for _ in range(orders))
        return cls(case, words, _counts(len(words)), given, random)

    def hidden(self) -> HiddenWords:
        sets = []
        for order in self.given:
            sets += [order[:count] for count in self.counts] + [order[count:] for count in self.counts]
        for order in self.random:
            sets += [order[:count] for count in self.counts]
        listed = [one.tolist() for one in sets]
        return HiddenWords(self.case.reading, self.case.outputs, hidden_sets(len(self.case.reading.words), listed))

    def read(self, found_V: Floats, output: Output, number: int) -> Faithfulness:
        scores = [output.score(value) for value in found_V.tolist()]
        size = len(self.counts)
        curves = [tuple(scores[start : start + size]) for start in range(0, len(scores), size)]
        return Faithfulness(
            len(self.words),
            self.counts,
            deletion=curves[2 * number],
            insertion=curves[2 * number + 1],
            random=tuple(curves[2 * len(self.given) :]),
            top=_top(len(self.words)),
            is_probability=output.unit == "log-odds",
        )


def _counts(num_words: int) -> tuple[int, ...]:
    """Return how many words are hidden at each point.

    >>> _counts(4), len(_counts(300))
    ((0, 1, 2, 3, 4), 21)
    """
    evenly = np.round(np.linspace(0, num_words, min(POINTS, num_words) + 1)).astype(int).tolist()
    top = _top(num_words)
    return tuple(sorted({*evenly, top, num_words - top}))


def _top(num_words: int) -> int:
    return min(num_words, max(1, round(TOP_SHARE * num_words)))


def _mean_and_range(values: Sequence[float]) -> str:
    return f"{float(np.mean(values)):.3f} ({min(values):.3f} to {max(values):.3f})"
