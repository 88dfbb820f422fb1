"""How faithful explanations are over many texts: one method against random words, with the error of the difference.

Knows nothing of how words are valued.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from fastbert.display import Block, View, number
from fastbert.errors import DataError
from fastbert.inference.predictor import Predictor
from fastbert.insight.explain import Explainer, Method
from fastbert.insight.faithfulness import Faithfulness
from fastbert.tasks.base import Example

NUM_ORDERS = 5  # a text; over a hundred texts that is enough


@dataclass(frozen=True)
class FaithfulnessSummary:
    """Means over texts, of the first output explained of each.

    score, hidden: of the texts as they are, and with all words hidden.
    area, random_area: under the deletion curve, lower is better.    error: standard error of their difference.
    insertion_area: under the insertion curve, higher is better; of random orders it is random_area too.
    without_top, top_alone: the score without the top fifth of the words, and with it alone; random_...: of random ones.
    better: share of the texts whose area is below the mean of their random orders.
    """

    method: str
    texts: int
    score: float
    hidden: float
    area: float
    random_area: float
    error: float
    insertion_area: float
    without_top: float
    random_without: float
    top_alone: float
    random_alone: float
    better: float

    @classmethod
    def of(cls, method: str, checks: Sequence[Faithfulness]) -> FaithfulnessSummary:
        """Return the means of checks. Raises DataError where there is none."""
        if not checks:
            raise DataError("There is no text with enough words to measure explanations on.", "Give more texts.")
        random_N = np.array([np.mean(one.random_areas) for one in checks])
        area_N = np.array([one.area for one in checks])

        def mean(values: Sequence[float]) -> float:
            return float(np.mean(values))

        return cls(
            method,
            len(checks),
            score=mean([one.deletion[0] for one in checks]),
            hidden=mean([one.deletion[-1] for one in checks]),
            area=mean(area_N.tolist()),
            random_area=mean(random_N.tolist()),
            error=float((area_N - random_N).std(ddof=min(1, len(checks) - 1))) / math.sqrt(len(checks)),
            insertion_area=mean([one.insertion_area for one in checks]),
            without_top=mean([one.without_top for one in checks]),
            random_without=mean([mean(one.random_without) for one in checks]),
            top_alone=mean([one.top_alone for one in checks]),
            random_alone=mean([mean(one.random_alone) for one in checks]),
            better=mean((area_N < random_N).tolist()),
        )

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)

    def view(self) -> View:
        """Return the means as a table."""
        rows = (
            ("deletion area (lower is better)", f"{self.area:.3f}", f"{self.random_area:.3f}"),
            ("insertion area (higher is better)", f"{self.insertion_area:.3f}", f"{self.random_area:.3f}"),
            ("without the top fifth", f"{self.without_top:.3f}", f"{self.random_without:.3f}"),
            ("the top fifth alone", f"{self.top_alone:.3f}", f"{self.random_alone:.3f}"),
        )
        lines = (
            f"{self.texts} texts, mean score {number(self.score, 3)}, with all words hidden {number(self.hidden, 3)}",
            f"area below random by {self.random_area - self.area:.3f} (standard error {self.error:.3f}), "
            f"in {self.better:.0%} of the texts",
        )
        return View((Block(f"Faithfulness of {self.method}", lines, ("", "explained", "random"), rows),))


def faithfulness(
    predictor: Predictor,
    examples: Sequence[Example],
    *,
    method: Method = "auto",
    orders: int = NUM_ORDERS,
    seed: int = 0,
) -> FaithfulnessSummary:
    """Return how much sooner scores fall when explained words are hidden than when random ones are.

    orders, seed: random orders of each text; with the same seed they are the same for every method.
    Raises what `Explainer` does, and DataError where no text has words to hide.
    """
    explainer = Explainer(predictor, method, check_orders=orders, seed=seed)
    explanations = explainer.run(explainer.prepare(examples))
    checks = [one.attributions[0].check for one in explanations if one.attributions]
    known = [one for one in checks if one is not None and one.verdict != "too few words"]
    return FaithfulnessSummary.of(explainer.method, known)
