"""The weights worth keeping: the latest of those that the validation rows cannot tell from the best.

A validation share of some hundred rows is a rough scale. By the highest score alone a lucky early evaluation
wins, from before the rate fell: on the jigsaw sample the first of 12 epochs did, with an average precision of 0.36
on the test rows (LOG 2026-11-24). Knows nothing of what a score means but that a higher one is better. Copies
lie on the CPU.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import nn

Weights = dict[str, torch.Tensor]

# Standard errors below the best score within which an evaluation counts as no worse. With one it would be the rule
# of Breiman et al. 1984 (section 3.4.3); two are the usual 95 %.
MARGIN = 2.0


@dataclass(frozen=True)
class Copy:
    """The weights of one evaluation. place: number of the evaluation."""

    place: int
    score: float
    weights: Weights


@dataclass
class KeptWeights:
    """Copies of the latest weights that are no worse than the best of a fit.

    keep: how many copies at most.    copies: in order of time.    best: highest score so far, None before the first.
    """

    keep: int = 1
    copies: list[Copy] = field(default_factory=list)
    best: float | None = None
    _least: float = float("-inf")

    def offer(self, place: int, score: float, error: float, model: nn.Module) -> bool:
        """Keep the weights unless they are worse than the best; return whether they are kept.

        error: standard error of the score.
        """
        if self.best is None or score > self.best:
            self.best, self._least = score, score - MARGIN * error
            self.copies = [copy for copy in self.copies if copy.score >= self._least]
        if score < self._least:
            return False
        self.copies = [*self.copies, Copy(place, score, _copy(model))][-self.keep :]
        return True

    def load_mean(self, model: nn.Module) -> bool:
        """Put the mean of the kept weights into the model; False, and nothing done, if there is only one.

        Averaging the weights of one run's evaluations evens out what each learned by chance
        (Izmailov et al. 2018, arXiv 1803.05407; Wortsman et al. 2022, arXiv 2203.05482).
        """
        if len(self.copies) < 2:
            return False
        first = self.copies[0].weights
        mean = {
            # as a difference to the first: weights that were not trained keep every bit
            name: first[name] + torch.stack([copy.weights[name] - first[name] for copy in self.copies]).mean(0)
            if value.is_floating_point()
            else value
            for name, value in self.copies[-1].weights.items()
        }
        model.load_state_dict(mean)
        return True

    def load_latest(self, model: nn.Module) -> None:
        """Put the latest kept weights into the model; before the first evaluation nothing happens."""
        if self.copies:
            model.load_state_dict(self.copies[-1].weights)


def _copy(model: nn.Module) -> Weights:
    return {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
