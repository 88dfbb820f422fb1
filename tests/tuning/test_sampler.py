"""What is drawn depends on the place of a trial: resumed studies go on as if nothing had happened."""

from __future__ import annotations

import optuna
import pytest

from fastbert.tuning.sampler import PlacedSampler
from fastbert.tuning.study import quiet


def study(seed: int = 1, attempt: int = 0, storage: optuna.storages.BaseStorage | None = None) -> optuna.Study:
    return optuna.create_study(
        storage=storage, study_name="s", sampler=PlacedSampler(seed, 3, lambda: attempt), load_if_exists=True
    )


def objective(trial: optuna.Trial) -> float:
    lr, batch = trial.suggest_float("lr", 1e-5, 1e-3, log=True), trial.suggest_categorical("batch", [8, 16, 32])
    return abs(lr - 1e-4) * 1000 + int(batch or 0) / 100


def drawn(found: optuna.Study) -> list[dict[str, object]]:
    return [trial.params for trial in found.trials if trial.state != optuna.trial.TrialState.FAIL]


def test_the_same_seed_draws_the_same_trials_and_another_one_others() -> None:
    with quiet():
        first, second, other = study(), study(), study(seed=2)
        for one in (first, second, other):
            one.optimize(objective, n_trials=7)

    assert drawn(first) == drawn(second)
    assert drawn(first)[0] != drawn(other)[0]
    assert len({str(one) for one in drawn(first)}) == 7


@pytest.mark.parametrize("done", [1, 5])
def test_a_study_that_was_killed_in_a_trial_goes_on_with_the_same_one(done: int) -> None:
    def killed(trial: optuna.Trial) -> float:
        objective(trial)
        raise KeyboardInterrupt

    with quiet():
        whole = study()
        whole.optimize(objective, n_trials=7)
        storage = optuna.storages.InMemoryStorage()
        study(storage=storage).optimize(objective, n_trials=done)
        with pytest.raises(KeyboardInterrupt):
            study(storage=storage).optimize(killed, n_trials=1)
        resumed = study(storage=storage)
        resumed.optimize(objective, n_trials=7 - done)

    assert drawn(resumed) == drawn(whole)


def test_a_trial_that_was_not_run_is_drawn_anew() -> None:
    with quiet():
        first, again = study(), study(attempt=1)
        first.optimize(objective, n_trials=1)
        again.optimize(objective, n_trials=1)

    assert drawn(first) != drawn(again)
