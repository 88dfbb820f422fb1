"""A search before it begins: rows are read, the space is made, the first trial's time is measured, all is checked.

Nothing is written. The test table is read, so that what is wrong with it is told now; its rows are set aside.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fastbert._version import __version__
from fastbert.bundle import MANIFEST, check_target, read_bundle
from fastbert.config import DataConfig, DecisionConfig, TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.data.sources import Source
from fastbert.display import Block, View, duration
from fastbert.errors import BundleError, ConfigError, EncoderError
from fastbert.models.freezing import layer_groups
from fastbert.models.loading import open_encoder
from fastbert.tasks.base import Example
from fastbert.training.learner import Learner
from fastbert.training.plan import Plan
from fastbert.tuning import material as rows
from fastbert.tuning.budget import SLOWER, Budget
from fastbert.tuning.keeping import Place
from fastbert.tuning.latency import texts_of
from fastbert.tuning.material import Cut, Material
from fastbert.tuning.settings import Settings
from fastbert.tuning.space import Facts, Scalar, Space, check_task, usual_space
from fastbert.tuning.study import check_url

ENOUGH_TRIALS = 8  # with a time limit, splits are given up until so many trials fit
LEAST_RESERVE_S, RESERVE_SHARE = 1.0, 0.02  # of the time, for writing the model


@dataclass(frozen=True)
class Tables:
    """What a search reads. test: read with the others, but answered only once the search is over."""

    train: Source
    valid: Source | None = None
    test: Source | None = None


@dataclass(frozen=True)
class Prepared:
    """Everything that a search needs.

    config: of what is not searched.    usual: what the searched options are without a search.    trial_s: that a trial
    with them takes, all splits together.    texts: to measure the latency by, of middle length and long.
    """

    out: Path
    place: Place
    settings: Settings
    config: TrainConfig
    material: Material
    space: Space
    usual: Mapping[str, Scalar]
    plan: Plan
    trial_s: float
    budget: Budget
    texts: tuple[Example, Example]

    @property
    def cut(self) -> Cut:
        """Return how texts are cut without a search."""
        data = self.material.data.config
        return (self.config.encoder, data.truncation, data.max_tokens)

    @property
    def study(self) -> str:
        """Return the name of the study."""
        return self.settings.study or self.out.resolve().name

    @property
    def storage(self) -> str:
        """Return the URL of the database."""
        return self.settings.storage or self.place.url

    @property
    def most_trials(self) -> float:
        """Return how many trials there will be at most; infinity without such a limit."""
        most = self.settings.most_trials
        return float("inf") if most is None else most

    def facts(self) -> dict[str, object]:
        """Return what must be the same in all runs of a study. No text is in it, and no label."""
        data, usual = self.material.data, DecisionConfig().to_json()
        rule = {name: value for name, value in self.material.deciding.to_json().items() if value != usual[name]}
        return {
            "rows": rows.digest(data),
            "task": data.task.name,
            "space": self.space.to_json(),
            "options": {
                name: value
                for name, value in {**data.config.to_json(), **self.config.to_json(), **rule}.items()
                if name not in self.space.parts and name not in ("text", "labels", "labels_file")
            },
            "splits": len(self.material.splits),
            "latency": {"limit_s": self.settings.max_latency_s, "backend": self.settings.backend},
            "fastbert": __version__,
        }

    def view(self) -> View:
        """Return what will be done, for people."""
        num = len(self.material.splits)
        valid = f"{len(self.material.examples):,} validation rows" + (f", in {num} splits" if num > 1 else "")
        monitor = self.material.data.task.monitor
        lines = [
            f"score      {monitor} on {valid}; test rows are not answered before the end",
            f"a trial    about {duration(self.trial_s)} with the defaults",
            f"trials     {self._amount()}",
            f"study      '{self.study}' in {self.settings.storage and 'the database given' or self.place.folder}",
            "first      the defaults: the result is never worse than they are on the validation rows",
        ]
        if self.settings.max_latency_s is not None:
            limit = 1000 * self.settings.max_latency_s
            lines.append(f"latency    at most {limit:g} ms for a long text, measured by {self.settings.backend}")
        if math.isfinite(self.space.size):
            lines.append(f"space      {self.space.size:,.0f} combinations; the search ends when all are tried")
        table = tuple((name, part.describe(), str(self.usual[name])) for name, part in self.space.parts.items())
        moved = tuple(f"- {sentence}" for sentence in self.space.moved(self.usual))
        return View(
            (
                *self.plan.view().blocks,
                Block("Search", (*lines, *moved)),
                Block("Space", (), ("option", "searched", "without a search"), table),
            )
        )

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "plan": self.plan.to_json(),
            "space": self.space.to_json(),
            "usual": dict(self.usual),
            "splits": len(self.material.splits),
            "trials": self.settings.most_trials,
            "timeout_s": self.settings.timeout_s,
            "trial_seconds": round(self.trial_s, 1),
            "study": self.study,
            "max_latency_s": self.settings.max_latency_s,
        }

    def _amount(self) -> str:
        most, timeout = self.settings.most_trials, self.settings.timeout_s
        if timeout is None:
            return f"{most}, about {duration(self.trial_s * (most or 0))} if none is ended early"
        fitting = max(1, int(self.budget.left_s / self.trial_s))
        limit = "" if most is None else f"at most {most}, "
        return f"{limit}about {fitting} in {duration(timeout)}, more if some are ended early"


def prepare(
    tables: Tables,
    out: str | Path,
    settings: Settings,
    options: tuple[DataConfig, TrainConfig, DecisionConfig],
    *,
    encoders: Sequence[str] = (),
    fixed: Collection[str] = (),
    overwrite: bool = False,
) -> Prepared:
    """Read and check everything. fixed: options that the user has set; they are not searched.

    encoders: choices; the first is the one without a search.
    Raises UsageError for wrong options or bad input.
    """
    budget = Budget(settings.timeout_s)
    folder = Path(out)
    place = Place.beside(folder)
    if not _is_own(folder, place, settings):
        check_target(folder, overwrite=overwrite)
    check_url(settings.storage or place.url)
    config = _with_encoder(options[1], encoders, settings.space)
    if config.start == "auto":  # what is searched are the options of plain training
        config = config.changed(start="plain")
    data = DataBunch.from_files(tables.train, tables.valid, tables.test, config=options[0], seed=config.seed)
    rule: dict[str, Any] = options[2].to_json()
    learner = Learner(data, config=config, **rule)
    data = replace(learner.data, task=data.task)
    plan = learner.plan()
    found = _facts(learner, data, plan.config, by_latency=settings.max_latency_s is not None)
    space = settings.space or usual_space(found, fixed, encoders)
    check_task(space, data.task)
    usual = space.usual(plan.config, data.config, found.limit)
    once_s = plan.seconds * SLOWER
    num_splits = settings.splits or _splits_in_time(data, once_s, budget)
    _check_time(budget, once_s * num_splits)
    budget.reserve_s = once_s if num_splits > 1 else max(LEAST_RESERVE_S, RESERVE_SHARE * (settings.timeout_s or 0))
    material = Material.of(data, num_splits, config.seed, learner.deciding)
    trial_s = once_s * len(material.splits)
    texts = texts_of(learner)
    return Prepared(folder, place, settings, config, material, space, usual, plan, trial_s, budget, texts)


def _with_encoder(config: TrainConfig, encoders: Sequence[str], space: Space | None) -> TrainConfig:
    """Return the configuration with the encoder of the first trial; open all of them, to find what is wrong now."""
    part = space.parts.get("encoder") if space is not None else None
    choices = [*encoders, *(str(value) for value in getattr(part, "values", ()))]
    for name in choices:
        open_encoder(name)
    usual = encoders[:1] or ([] if config.encoder in choices else choices[:1])
    return config.changed(encoder=usual[0]) if usual else config


def _facts(learner: Learner, data: DataBunch, config: TrainConfig, *, by_latency: bool) -> Facts:
    try:
        has_layers = bool(layer_groups(learner.model))
    except EncoderError:
        has_layers = False
    return Facts(
        data.task,
        data.config,
        config,
        rows.cut_share(learner),
        rows.lengths(learner),
        learner.data.max_tokens,
        has_layers,
        by_latency,
    )


def _splits_in_time(data: DataBunch, once_s: float, budget: Budget) -> int:
    """Return as many splits as the rows want, fewer where the time is not enough for some trials of them."""
    counts = range(rows.wanted_splits(data), 1, -1)
    return next((count for count in counts if budget.fits(count * once_s * ENOUGH_TRIALS)), 1)


def _check_time(budget: Budget, trial_s: float) -> None:
    if budget.timeout_s is not None and not budget.fits(trial_s):
        raise ConfigError(
            f"timeout is {duration(budget.timeout_s)}, and one training with the defaults takes about "
            f"{duration(trial_s)}: there is no time to search.",
            f"Give {duration(10 * trial_s)} or more, fewer --epochs, or fewer rows.",
        )


def _is_own(folder: Path, place: Place, settings: Settings) -> bool:
    """Return whether the model at --out is that of the same search, which goes on."""
    if not (folder / MANIFEST).is_file() or not place.exists:
        return False
    try:
        facts = read_bundle(folder, verify=False).facts.get("tuning")
    except BundleError:
        return False
    study = settings.study or folder.resolve().name
    return isinstance(facts, dict) and facts.get("study") == study
