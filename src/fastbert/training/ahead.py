"""What the next fit of a learner will do: its options completed by the recipe, within its time, and estimated.

Trains nothing. Knows nothing of how a plan is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fastbert.config import TrainConfig
from fastbert.data.batches import num_steps
from fastbert.models.loading import describe_encoder
from fastbert.training import recipe, valid_folds
from fastbert.training.contrastive import times_as_long
from fastbert.training.loss_trials import trials_ahead
from fastbert.training.plan import Plan, estimate_cost, estimate_memory, total_steps
from fastbert.training.start import recipe_facts
from fastbert.training.time_budget import fit_into

if TYPE_CHECKING:
    from fastbert.training.learner import Learner


def plan_fit(learner: Learner, options: Mapping[str, object], *, estimate: bool) -> Plan:
    """Return the plan of a fit with these options. estimate: measure a step for it; a time budget needs that anyway.

    Raises ConfigError for an unknown option or a wrong value.
    """
    config = learner.config.changed(**options)
    times, announced = trials_ahead(learner, config)
    facts = recipe_facts(learner.data, learner.model, learner.encoder, learner.head)
    config, reasons = recipe.choose(config, facts)
    if not learner.data.valid_chooses:  # nor is the mean of kept weights chosen
        config = config.changed(average=1)
    valid_folds.check_fit(learner, config)
    times *= times_as_long(config, sum(learner.data.round_rows)) * valid_folds.times_as_long(learner.data)
    learner.schedule(config)  # a wrong name or value is refused before anything is measured
    if config.time_budget is not None:
        config, why = _within_budget(learner, config, times)
        reasons = (*reasons, why)
    stepper = learner.stepper(config, keep=False)
    if estimate and config.time_budget is None:
        cost = estimate_cost(stepper, learner.data, config)
        learner.measured[config] = cost.seconds(config.epochs or 0) * times
    return Plan(
        data=learner.data,
        config=config,
        encoder=describe_encoder(learner.encoder, learner.model),
        runtime=learner.runtime.describe(),
        steps=total_steps(config, learner.data.round_rows),
        seconds=learner.measured.get(config, 0.0),
        memory_bytes=estimate_memory(stepper, learner.data, config),
        reasons=(*reasons, *learner.reasons, *announced),
    )


def _within_budget(learner: Learner, config: TrainConfig, times: float) -> tuple[TrainConfig, str]:
    """Return what fits, measured once: what was shown is what is trained."""
    if config not in learner.budgeted:
        cost = estimate_cost(learner.stepper(config, keep=False), learner.data, config)
        chosen, why = fit_into(config, cost, num_steps(learner.data.round_rows, config.batch_size), times)
        learner.budgeted[config] = chosen, why
        learner.measured[chosen] = times * (
            cost.forward_s if chosen.freeze != config.freeze else cost.seconds(chosen.epochs or 0)
        )
    return learner.budgeted[config]
