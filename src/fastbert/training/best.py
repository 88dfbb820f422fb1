"""The weights worth keeping: those of the best evaluations, and their average.

Knows nothing of what a score means but that a higher one is better. Copies lie on the CPU.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import nn

Weights = dict[str, torch.Tensor]


@dataclass
class BestWeights:
    """Copies of the weights of the best evaluations of a fit.

    keep: how many copies at most.    kept: (score, weights), the best first; of equal scores the
    earlier one first.
    """

    keep: int = 1
    kept: list[tuple[float, Weights]] = field(default_factory=list)

    @property
    def score(self) -> float | None:
        """Return the best score so far, None before the first."""
        return self.kept[0][0] if self.kept else None

    def offer(self, score: float, model: nn.Module) -> bool:
        """Keep the weights if they are among the best; return whether they are the best of all."""
        if len(self.kept) == self.keep and score <= self.kept[-1][0]:
            return False
        self.kept.append((score, _copy(model)))
        self.kept.sort(key=lambda pair: -pair[0])  # stable: the earlier of equal scores stays in front
        del self.kept[self.keep :]
        return self.kept[0][0] == score and all(pair[0] < score for pair in self.kept[1:])

    def load_average(self, model: nn.Module) -> bool:
        """Put the mean of the kept weights into the model; False, and nothing done, if there is only one.

        Averaging the weights of one run's best evaluations evens out what each learned by chance
        (Izmailov et al. 2018, arXiv 1803.05407; Wortsman et al. 2022, arXiv 2203.05482).
        """
        if len(self.kept) < 2:
            return False
        first = self.kept[0][1]
        mean = {
            name: torch.stack([weights[name] for _, weights in self.kept]).mean(0)
            if value.is_floating_point()
            else value
            for name, value in first.items()
        }
        model.load_state_dict(mean)
        return True

    def restore(self, model: nn.Module) -> None:
        """Put the best weights back; before the first evaluation nothing happens."""
        if self.kept:
            model.load_state_dict(self.kept[0][1])


def _copy(model: nn.Module) -> Weights:
    return {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
