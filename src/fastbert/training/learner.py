"""The learner: data, an encoder and a task, made into a trained model.

It puts the parts together and remembers between fits; the loop is in `loop`, one step in
`step`, the defaults in `recipe`. Knows nothing of the command line.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from fastbert.config import TrainConfig, take_decisions
from fastbert.data.databunch import DataBunch
from fastbert.decisions.rules import Decisions
from fastbert.display import View
from fastbert.errors import ConfigError
from fastbert.inference.pipeline import Backend, predict_features
from fastbert.inference.predictor import TextInput, as_examples
from fastbert.inference.torch_backend import TorchBackend
from fastbert.insight import review
from fastbert.insight.collapse import describe_collapse
from fastbert.insight.linear_check import LinearCheck
from fastbert.models import freezing
from fastbert.models.frozen_prefix import FrozenPrefix
from fastbert.models.loading import (
    HeadFactory,
    open_encoder,
)
from fastbert.models.optimizers import find_optimizer, forget_misfits
from fastbert.models.schedules import Schedule, make_schedule
from fastbert.runtime import choose_runtime, seed_everything
from fastbert.tasks.base import Prediction
from fastbert.training import lr_finder
from fastbert.training import plan as planning
from fastbert.training.ahead import plan_fit
from fastbert.training.callbacks import Callback, EarlyStopping, planned
from fastbert.training.contrastive import draw_labels_apart
from fastbert.training.few_rows import with_start
from fastbert.training.loop import Loop, whole_epochs
from fastbert.training.loss_choice import with_loss
from fastbert.training.loss_trials import choose_loss
from fastbert.training.meter import FlopMeter
from fastbert.training.moving_average import MovingAverage
from fastbert.training.probe import train_head_first
from fastbert.training.saving import save
from fastbert.training.shortcuts import shortcuts
from fastbert.training.start import head_of, new_model, new_optimizer, new_stepper
from fastbert.training.state import History, RunState, Validation
from fastbert.training.step import Stepper
from fastbert.training.time_budget import Fitted, time_limits
from fastbert.training.valid_folds import FoldAnswers, beside_folds

# The model and the task are made by them.
FIXED_OPTIONS = ("encoder", "loss", "precision", "pooling", "dropout", "reinit_layers")
Metric = Callable[..., float]


class Learner:
    """Trains a task on data, starting from an encoder.

    encoder: "minilm", a folder, or a hub name.    options: fields of TrainConfig and of DecisionConfig.
    callbacks: watch every fit.    metrics: functions of (predictions, examples), added to the
    scores by their `__name__`.    head: factory (hidden size, labels) -> module, for a head of
    your own; it is called with (hidden states, attention mask).

    >>> learner = Learner(data, encoder="minilm")                   # doctest: +SKIP
    >>> learner.fit(epochs=4, lr=1e-4, schedule="warmup_linear")    # doctest: +SKIP
    >>> learner.save("model/")                                      # doctest: +SKIP
    """

    def __init__(
        self,
        data: DataBunch,
        encoder: str | None = None,
        *,
        config: TrainConfig | None = None,
        callbacks: Sequence[Callback] = (),
        metrics: Sequence[Metric] = (),
        head: HeadFactory | None = None,
        **options: object,
    ) -> None:
        self.deciding, named = take_decisions(options if encoder is None else {**options, "encoder": encoder})
        data.task.check_rule(self.deciding)
        self.config = (config or TrainConfig()).changed(**named)
        self.runtime = choose_runtime(self.config.precision)
        self.encoder = open_encoder(self.config.encoder)
        max_tokens = data.config.max_tokens or min(data.task.default_max_tokens, self.encoder.default_max_tokens)
        self.data = data.with_tokenizer(self.encoder.tokenizer, max_tokens)
        self.callbacks = list(callbacks)
        self.metrics = list(metrics)
        self.head = head
        self.history = History()
        self.facts: dict[str, object] = {}  # more than plan and history, to be saved with the model
        self.part = ""  # of a command, before the names of what a fit of it does
        self.decisions, self.collapse = Decisions(), ""  # collapse: what `describe_collapse` says
        seed_everything(self.config.seed)
        self.data, self.config, self.reasons = with_loss(self.data, self.config)
        self.config, started = with_start(self.data, self.config, self.encoder, head)
        self.reasons, self.fold_answers = (*started, *self.reasons), FoldAnswers()
        factory = head_of(self.config, self.data.task, head)
        self.model, self.runtime = new_model(self.encoder, self.data, factory, self.runtime, self.config)
        self._optimizer: tuple[tuple[object, ...], torch.optim.Optimizer] | None = None
        self._epochs_done = 0
        self.measured: dict[TrainConfig, float] = {}  # seconds
        self.used_s = 0.0  # of the time budget of the next fit, by trials
        self.budgeted: dict[tuple[TrainConfig, float], Fitted] = {}  # by what there would be without a time budget
        if self.config.freeze == "encoder":
            self.freeze()

    # -- training ---------------------------------------------------------------------------

    def fit(
        self,
        epochs: float | None = None,
        lr: float | None = None,
        schedule: str | None = None,
        optimizer: str | None = None,
        **options: object,
    ) -> Learner:
        """Train; the latest weights that validation cannot tell from the best are in the model after.

        What is not given is taken from the configuration or chosen by the recipe. Called again
        it continues: from the present weights and optimiser state, over new epochs of rows,
        with a schedule that starts anew. options: further fields of TrainConfig, for this fit;
        freeze "encoder" or "none" stays in force after it.
        Raises ConfigError for an option that only the constructor takes, TrainingError if the
        loss diverges.
        """
        given = {"epochs": epochs, "lr": lr, "schedule": schedule, "optimizer": optimizer, **options}
        given = {name: value for name, value in given.items() if value is not None}
        choose_loss(self, options=given)
        if options.get("freeze") in ("none", "encoder"):
            self.unfreeze() if options["freeze"] == "none" else self.freeze()
        # of all that follows, the measured step of a plan too
        limits = time_limits(self.config.changed(**given), self.used_s)
        plan = self.plan(**given, estimate=False)
        self.used_s = 0.0
        with beside_folds(self, plan, given):
            self._follow(plan, limits)
        return self.decide()

    def _follow(self, plan: planning.Plan, limits: Sequence[Callback] = ()) -> None:
        """Train as a plan says, without the models of folds, and decide nothing. limits: on the time of all of it."""
        config = plan.config
        if config.freeze == "encoder" and config.time_budget is not None:  # for more there is no time
            self.freeze()
        if config.start == "probe" and not self._epochs_done:
            train_head_first(self, limits)
        if config.start == "contrastive" and not self._epochs_done:
            draw_labels_apart(self, config, limits)
        # A second fit gets other random numbers, and the same ones whatever was done in between.
        seed_everything((config.seed + self._epochs_done) % 2**32)
        stepper = self.stepper(config)
        patience = [EarlyStopping(config.patience)] if config.patience else []
        callbacks = planned(plan, [*self.callbacks, *patience, *limits])
        with _trained_as_before(self.model), shortcuts(self.model, self.data, config, self.runtime) as kept:
            stepper = replace(stepper, prefix=kept.train, packed=kept.packed)
            if find_optimizer(config.optimizer).elementwise:
                forget_misfits(stepper.optimizer)
            state = Loop(
                self.data,
                stepper,
                self.schedule(config),
                config,
                lambda: _validate(self, kept.valid),
                callbacks,
                self.history,
                self._epochs_done,
                FlopMeter(stepper, int(self.data.encoded("train").features[0].input_ids_L[0])),
                moving=MovingAverage(self.model, config.ema) if config.ema else None,
            ).run()
        self._epochs_done += whole_epochs(self.data.round_rows, config.batch_size, state.step)
        self.last_run: RunState = state
        self.last_plan = plan

    def decide(self, **options: object) -> Learner:
        """Fit the decision rule to the validation rows; the weights stay. options: fields of DecisionConfig.

        `fit` ends with it. Raises ConfigError for what the task does not know or the rows cannot serve.
        """
        deciding = self.deciding.changed(**options)
        self.data.task.check_rule(deciding)
        raw, examples = self.raw_predictions("valid"), self.data.examples("valid")
        self.decisions = self.data.task.fit_rule(raw, examples, deciding)
        self.deciding = deciding
        loss = "auto" if "loss_choice" in self.facts else self.config.loss
        self.collapse = describe_collapse(self.data.task, raw, self.decisions, examples, loss)
        return self

    def plan(self, *, estimate: bool = True, **options: object) -> planning.Plan:
        """Return what `fit` with these options would do, with the time and memory it would need.

        Raises ConfigError for an unknown option, or one that only the constructor takes.
        """
        _refuse_fixed(options)
        return plan_fit(self, options, estimate=estimate)

    lr_find = lr_finder.lr_find

    def schedule(self, config: TrainConfig | None = None) -> Schedule:
        """Return the learning-rate curve to come, by the configuration or one completed by a plan."""
        chosen = config or self.plan(estimate=False).config
        steps = planning.total_steps(chosen, self.data.round_rows)
        return make_schedule(chosen.schedule, steps, chosen.warmup, chosen.cycles)

    def freeze(self) -> int:
        """Train the head alone; return the number of frozen parameters."""
        return freezing.freeze(self.model)

    def freeze_to(self, group: int) -> int:
        """Freeze all layer groups below one (negative counts from the top); return the number frozen."""
        return freezing.freeze_to(self.model, group)

    def unfreeze(self) -> int:
        """Train everything; return the number of parameters still frozen, which is 0."""
        return freezing.unfreeze(self.model)

    # -- answers ----------------------------------------------------------------------------

    def predict(self, texts: Sequence[TextInput]) -> list[Prediction]:
        """Return one prediction per text, in order, as the saved bundle will give them."""
        examples = as_examples(texts)
        features = self.data.task.encode(examples, self.encoder.tokenizer, self.data.max_tokens)
        return predict_features(
            self.data.task, self._backend(), features, examples, self.decisions, self.encoder.tokenizer
        )

    def predictions(self, split: str = "valid") -> list[Prediction]:
        """Return the predictions of a split, in the order of its rows."""
        return self._predict_split(split, self._backend(), self.decisions)

    def raw_predictions(self, split: str = "valid") -> list[Prediction]:
        """Return the predictions of a split by the default rule, with scores as the model gives them."""
        return self._predict_split(split, self._backend(), Decisions())

    def evaluate(self, split: str = "valid") -> dict[str, float]:
        """Return the scores of a split, the metrics of your own among them."""
        return self._score(self.predictions(split), split)

    def evaluate_labels(self, split: str = "valid") -> dict[str, dict[str, float | int | None]]:
        """Return the scores of each label on a split."""
        return self.data.task.score_labels(self.predictions(split), self.data.examples(split))

    def top_losses(self, rows: int = 10, split: str = "valid") -> View:
        """Return the rows on which the model is most wrong: candidates for wrong labels."""
        return review.top_losses(self.data.task, self.predictions(split), self.data.examples(split), rows)

    def show_results(self, rows: int = 6, split: str = "valid") -> View:
        """Return rows with their labels and what the model says."""
        return review.show_results(self.data.task, self.predictions(split), self.data.examples(split), rows)

    def plot_history(self, path: str | Path | None = None) -> review.Figure:
        """Return a figure of loss, rate and scores; write it to path if one is given."""
        return review.plot_history(self.history, self.data.task.monitor, path)

    # -- saving -----------------------------------------------------------------------------

    def save(self, folder: str | Path, *, overwrite: bool = False, baseline: LinearCheck | None = None) -> Path:
        """Write the bundle: checkpoint, tokenizer, decision rule, scores and report. Return its path.

        baseline: saved, too.    Raises BundleError if the folder exists and overwrite is False, or is no bundle.
        """
        return save(self, Path(folder), overwrite=overwrite, baseline=baseline)

    def __repr__(self) -> str:
        return repr(self._view())

    def _repr_html_(self) -> str:
        return self._view()._repr_html_()

    def _view(self) -> View:
        return review.describe_learner(self.plan(estimate=False), self.model, self.callbacks, self.schedule())

    def _backend(self, prefix: FrozenPrefix | None = None) -> Backend:
        """Return the model as a backend in float32: bf16 ties near-equal scores (LOG 2026-11-22)."""
        exact = replace(self.runtime, precision="fp32")
        names = self.encoder.tokenizer.input_names
        return TorchBackend(self.model, exact, names, prefix, self.data.task.outputs)

    def _predict_split(self, split: str, backend: Backend, decisions: Decisions) -> list[Prediction]:
        if split == "valid" and self.data.folded:
            return self.fold_answers.predict(decisions)
        encoded, examples = self.data.encoded(split), self.data.examples(split)
        return predict_features(self.data.task, backend, encoded.features, examples, decisions, self.encoder.tokenizer)

    def _score(self, predictions: Sequence[Prediction], split: str) -> dict[str, float]:
        examples = self.data.examples(split)
        scores = self.data.task.score(predictions, examples)
        return scores | {_name_of(metric): float(metric(predictions, examples)) for metric in self.metrics}

    def stepper(self, config: TrainConfig, *, keep: bool = True) -> Stepper:
        """Return a stepper; its optimizer goes on from the last fit where kind, decay and factor are the same."""
        key = (config.optimizer, config.weight_decay, config.layer_decay, config.head_lr_factor)
        lr = config.lr or 0.0
        last = self._optimizer
        optimizer = new_optimizer(self.model, config) if last is None or last[0] != key else last[1]
        if keep:
            self._optimizer = (key, optimizer)
            for group in optimizer.param_groups:
                group["base_lr"] = lr
        return new_stepper(self.model, self.data.task, optimizer, self.runtime, self.encoder, how=config)


def _validate(learner: Learner, prefix: FrozenPrefix | None) -> Validation:
    task, examples = learner.data.task, learner.data.examples("valid")
    if learner.data.folded:  # their answers are not of these weights
        return Validation({}, math.inf, collapsed=False)
    outputs = learner._predict_split("valid", learner._backend(prefix), Decisions())
    # Weights are compared as they would be saved: each by the decision rule that fits them.
    predictions = task.redecide(outputs, task.fit_decisions(outputs, examples))
    # Within an infinite error all weights are as good: the latest are kept.
    error = task.score_error(predictions, examples) if learner.data.valid_chooses else math.inf
    collapsed = bool(task.collapsed(predictions, examples))
    return Validation(learner._score(predictions, "valid"), error, collapsed)


def _refuse_fixed(options: Mapping[str, object]) -> None:
    for name in FIXED_OPTIONS:
        if name in options:
            raise ConfigError(f"'{name}' cannot change from fit to fit.", f"Make another Learner(data, {name}=...).")


@contextlib.contextmanager
def _trained_as_before(model: nn.Module) -> Iterator[None]:
    """Put back, whatever happens, which parameters are trained: gradual unfreezing is for one fit."""
    before = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    try:
        yield
    finally:
        for parameter, trained in before:
            parameter.requires_grad_(trained)


def _name_of(function: Callable[..., object]) -> str:
    """Return the name of a function or class, of what a partial wraps, or else of the object's class."""
    inner = getattr(function, "func", function)
    return str(getattr(inner, "__name__", type(inner).__name__))
