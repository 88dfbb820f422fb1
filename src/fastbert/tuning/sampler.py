"""The sampler of a search: TPE, with random numbers that depend on the place of a trial and on nothing else.

A process that goes on with a study draws what the killed one would have drawn, and two processes never draw the same.
Imports Optuna, so it is imported only where a study is open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState


class PlacedSampler(BaseSampler):
    """A TPE sampler for each trial.

    startup: trials drawn at random at first.    attempt: returns how often the trial was drawn before and not run.
    """

    def __init__(self, seed: int, startup: int, attempt: Callable[[], int]) -> None:
        self.seed, self.startup, self.attempt = seed, startup, attempt
        self._inner: BaseSampler = TPESampler(seed=seed, n_startup_trials=startup)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Begin with the random numbers of the trial's place."""
        earlier = study.get_trials(deepcopy=False)
        place = sum(one.number < trial.number and one.state != TrialState.FAIL for one in earlier)
        seed = int(np.random.SeedSequence([self.seed, place, self.attempt()]).generate_state(1)[0])
        self._inner = TPESampler(seed=seed, n_startup_trials=self.startup)
        self._inner.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return what is drawn together."""
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return what is drawn together, by name."""
        return self._inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:  # noqa: ANN401  # as Optuna has it
        """Return one value drawn by itself."""
        return self._inner.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Pass on how it ended."""
        self._inner.after_trial(study, trial, state, values)
