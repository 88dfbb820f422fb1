"""What a learner shows of itself: its worst rows, its answers, its curves, its loop.

Everything is returned, as a `View`, a figure or a string; nothing is printed. Views show texts
of the user on the user's own screen, and only there. Knows nothing of how scores are computed
and of no task by name. Matplotlib is imported when a figure is drawn, and no display is needed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
from torch import nn

from fastbert.data.batches import num_steps
from fastbert.data.databunch import length_phrase
from fastbert.data.examples import Example, show_truth
from fastbert.display import Block, View, number, shorten, sparkline
from fastbert.errors import ConfigError, EncoderError, MissingExtraError
from fastbert.insight.charts import running_mean
from fastbert.models.freezing import LayerGroup, layer_groups, trainable_count
from fastbert.models.schedules import Schedule
from fastbert.tasks.base import Prediction, Task
from fastbert.training.callbacks import Callback, EarlyStopping
from fastbert.training.plan import Plan
from fastbert.training.state import EvaluationRecord, History

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

    from fastbert.training.lr_finder import RateTest

Figure: TypeAlias = "matplotlib.figure.Figure"
Axes: TypeAlias = "matplotlib.axes.Axes"

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8a8a8a"  # told apart by all eyes: Okabe and Ito 2008
_NOTHING = "(none)"


def top_losses(task: Task, predictions: Sequence[Prediction], examples: Sequence[Example], rows: int = 10) -> View:
    """Return the rows with the highest loss by `task.row_loss`, the highest first, if their truth is known."""
    known = [pair for pair in zip(predictions, examples, strict=True) if pair[1].truth is not None]
    losses_N = np.array([task.row_loss(prediction, example) for prediction, example in known], np.float64)
    order = np.argsort(-losses_N, kind="stable")[:rows]
    table = tuple(
        (
            example.where,
            number(float(losses_N[index])),
            _truth(example),
            shorten(prediction.describe(), 60) or _NOTHING,
            _text_of(example),
        )
        for index in order.tolist()
        for prediction, example in [known[index]]
    )
    lines = (
        f"{len(table)} of {len(known):,} rows; the mean loss is {number(_mean(losses_N))}.",
        "A high loss may mean a wrong label, an unclear text, or something that was not learned.",
    )
    return View((Block("Highest losses", lines, ("place", "loss", "true", "decided", "text"), table),))


def show_results(task: Task, predictions: Sequence[Prediction], examples: Sequence[Example], rows: int = 6) -> View:
    """Return rows, evenly spread over all, with their truth and what the model says: right, partly or wrong."""
    pairs = list(zip(predictions, examples, strict=True))
    marks = ["-" if example.truth is None else task.agreement(prediction, example) for prediction, example in pairs]
    chosen = np.linspace(0, len(pairs) - 1, num=min(rows, len(pairs))).round().astype(int)
    table = tuple(
        (
            marks[index],
            _truth(example),
            shorten(prediction.describe(), 60) or _NOTHING,
            _top_scores(prediction),
            _text_of(example),
        )
        for index in chosen.tolist()
        for prediction, example in [pairs[index]]
    )
    num_known = sum(mark != "-" for mark in marks)
    lines = (f"{marks.count('right'):,} of all {num_known:,} rows are right; {len(table)} are shown.",)
    return View((Block("Results", lines, ("", "true", "decided", "top scores", "text"), table),))


def plot_history(history: History, monitor: str, path: str | Path | None = None) -> Figure:
    """Return a figure of loss, learning rate and the monitored score over steps.

    The dot marks the evaluation whose weights the model has now. path: also written there.
    Raises ConfigError if the figure cannot be written, MissingExtraError without matplotlib.
    """
    figure = _new_figure(7.0, 7.5)
    loss_axes, score_axes, rate_axes = figure.subplots(3, 1, sharex=True, height_ratios=[3, 3, 2])
    steps = [record.step for record in history.steps]
    losses = [record.loss for record in history.steps]
    loss_axes.plot(steps, losses, color=GREY, alpha=0.4, linewidth=0.8, label="each step")
    loss_axes.plot(steps, running_mean(losses), color=BLUE, label="running mean")
    _plot_scores(loss_axes, history.evaluations, "log_loss", "validation log loss")
    _plot_scores(score_axes, history.evaluations, monitor, monitor)
    kept = kept_evaluation(history.evaluations)
    if kept is not None and monitor in kept.scores:
        value = kept.scores[monitor]
        score_axes.plot([kept.step], [value], "o", color=ORANGE, markersize=9, label=f"kept: {value:.4f}")
    rate_axes.plot(steps, [record.lr for record in history.steps], color=BLUE)
    rate_axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    rate_axes.set_xlabel("step")
    for axes, name in ((loss_axes, "training loss"), (score_axes, monitor), (rate_axes, "learning rate")):
        axes.set_ylabel(name)
        if axes.get_legend_handles_labels()[1]:
            axes.legend(frameon=False)
    return _written(figure, path)


def plot_schedule(schedules: Mapping[str, Schedule], path: str | Path | None = None) -> Figure:
    """Return a figure with a panel for each schedule: factor on the learning rate, momentum where cycled.

    path: also written there. Raises as `plot_history`.
    """
    columns = min(4, max(1, len(schedules)))
    num_rows = max(1, math.ceil(len(schedules) / columns))
    figure = _new_figure(3.0 * columns + 0.6, 2.4 * num_rows + 0.3)
    panels = list(figure.subplots(num_rows, columns, sharey=True, squeeze=False).flat)
    for axes, (name, schedule) in zip(panels, schedules.items(), strict=False):
        curve = schedule.curve()
        axes.plot([step for step, _ in curve], [factor for _, factor in curve], color=BLUE, label="learning rate")
        momenta = [(step, schedule.momentum(step)) for step, _ in curve]
        if momenta[0][1] is not None:
            steps, values = zip(*momenta, strict=True)
            axes.plot(steps, values, color=ORANGE, linestyle="--", label="momentum")
            axes.legend(frameon=False, fontsize="small")
        axes.set_title(name, fontsize="medium")
        axes.set_ylim(0.0, 1.05)
    for axes in panels[len(schedules) :]:
        axes.set_axis_off()
    figure.supxlabel("step", fontsize="medium")
    figure.supylabel("share of the peak rate", fontsize="medium")
    return _written(figure, path)


def plot_rates(test: RateTest, path: str | Path | None = None) -> Figure:
    """Return a figure of the loss of a learning-rate test over the rates, with what is suggested.

    path: also written there. Raises as `plot_history`.
    """
    figure = _new_figure(7.0, 4.0)
    axes = figure.subplots()
    axes.plot(test.rates, test.losses, color=GREY, alpha=0.4, linewidth=0.8, label="each step")
    axes.plot(test.rates, test.smoothed, color=BLUE, label="smoothed")
    for (name, rate), style in zip(test.suggestions.items(), ("-", "--"), strict=False):
        axes.axvline(rate, color=ORANGE, linestyle=style, label=f"{name}: {rate:.2g}")
    axes.axvline(test.planned, color=GREY, linestyle=":", label=f"plan: {test.planned:.2g}")
    finite = [loss for loss in test.smoothed if math.isfinite(loss)]
    if finite:  # the losses of divergence would press the descent flat
        low, start = min(finite), finite[0]
        axes.set_ylim(low - 0.2 * abs(start), start + max(start - low, 0.5 * abs(start)))
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
    axes.set_ylabel("training loss")
    axes.set_title("unsure: see the doubts" if test.unsure else "", fontsize="medium")
    axes.legend(frameon=False, fontsize="small")
    return _written(figure, path)


def check_figure(path: str | Path) -> None:
    """Raise what writing a figure would, before there is one: ConfigError, MissingExtraError without matplotlib."""
    place = Path(path)
    kinds = _new_figure(1.0, 1.0).canvas.get_supported_filetypes()
    if place.suffix.removeprefix(".").lower() not in kinds or not place.absolute().parent.is_dir():
        raise ConfigError(
            f"{path}: the figure cannot be written there.", "Try a name ending in .png, in a folder that exists."
        )


def describe_learner(plan: Plan, model: nn.Module, callbacks: Sequence[Callback], schedule: Schedule) -> View:
    """Return what a learner is, and the loop that `fit` will run with its callbacks in place."""
    data, config = plan.data, plan.config
    trained, total = trainable_count(model)
    what = (
        f"task       {data.task.describe()}",
        f"rows       {data.sizes}",
        f"tokens     {length_phrase(data, 'train')}",
        f"encoder    {plan.encoder}",
        f"machine    {plan.runtime}",
        f"trained    {trained:,} of {total:,} weights"
        + (" at first, then one more group each epoch" if config.freeze == "gradual" else ""),
    )
    momentum = [schedule.momentum(step) for step, _ in schedule.curve(60)]
    rate = [
        sparkline([factor for _, factor in schedule.curve(60)]),
        f"{schedule.name}, peak {plan.peak_rate}, {schedule.total_steps:,} steps",
    ]
    cycled = [value for value in momentum if value is not None]
    if cycled:
        rate.append(f"momentum from {cycled[0]:.2f} to {min(cycled):.2f} and back")
    return View(
        (
            Block("Learner", what),
            Block("Layer groups", (), ("group", "", "weights"), _group_rows(model)),
            Block("Learning rate to come", tuple(rate)),
            Block("Loop", _loop_lines(plan, callbacks, schedule)),
        )
    )


def kept_evaluation(evaluations: Sequence[EvaluationRecord]) -> EvaluationRecord | None:
    """Return the evaluation of the weights that the model has: those that the last fit kept."""
    return next((record for record in reversed(evaluations) if record.kept), None)


# -- rows -----------------------------------------------------------------------------------


def _mean(values_N: npt.NDArray[np.float64]) -> float | None:
    return float(values_N.mean()) if len(values_N) else None


def _truth(example: Example) -> str:
    return shorten(show_truth(example.truth), 40)


def _top_scores(prediction: Prediction, count: int = 3) -> str:
    best = sorted(prediction.numbers.items(), key=lambda item: -item[1])[:count]
    return ", ".join(f"{name} {score:.2f}" for name, score in best)


def _text_of(example: Example) -> str:
    if example.pair is None:
        return shorten(example.text, 60)
    return f"{shorten(example.text, 30)} | {shorten(example.pair, 30)}"


# -- figures --------------------------------------------------------------------------------


def _new_figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure as NewFigure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train", "A figure") from error
    return NewFigure(figsize=(width, height), layout="constrained")  # not pyplot: no global state, no window


def _plot_scores(axes: Axes, evaluations: Sequence[EvaluationRecord], name: str, label: str) -> None:
    points = [(record.step, record.scores[name]) for record in evaluations if name in record.scores]
    if points:
        steps, values = zip(*points, strict=True)
        axes.plot(steps, values, ".-", color=ORANGE if name == "log_loss" else BLUE, label=label)


def _written(figure: Figure, path: str | Path | None) -> Figure:
    if path is not None:
        try:
            figure.savefig(path, dpi=150)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{path}: the figure cannot be written ({error}).",
                "Try a name ending in .png, in a folder that exists.",
            ) from error
    return figure


# -- the learner ----------------------------------------------------------------------------


def _group_rows(model: nn.Module) -> tuple[tuple[str, ...], ...]:
    """Return a row for each run of neighbouring groups that are alike."""
    try:
        groups = layer_groups(model)
    except EncoderError:  # a model without a list of layers trains as well, it has no groups to freeze
        trained, total = trainable_count(model)
        return (("whole model", "trained" if trained == total else "partly frozen", f"{total:,}"),)
    runs: list[list[LayerGroup]] = []
    for group in groups:
        alike = runs and runs[-1][0].name.startswith("layer") and group.name.startswith("layer")
        if alike and (_state(runs[-1][0]), runs[-1][0].num_parameters) == (_state(group), group.num_parameters):
            runs[-1].append(group)
        else:
            runs.append([group])
    return tuple(
        (
            run[0].name if len(run) == 1 else f"{run[0].name} to {run[-1].name.removeprefix('layer ')}",
            _state(run[0]),
            ("" if len(run) == 1 else f"{len(run)} x ") + f"{run[0].num_parameters:,}",
        )
        for run in runs
    )


def _state(group: LayerGroup) -> str:
    states = {parameter.requires_grad for parameter in group.parameters}
    return "-" if not states else "partly frozen" if len(states) == 2 else "trained" if True in states else "frozen"


def _loop_lines(plan: Plan, callbacks: Sequence[Callback], schedule: Schedule) -> tuple[str, ...]:
    data, config = plan.data, plan.config
    stopping = [EarlyStopping(config.patience)] if config.patience else []
    watching = [*callbacks, *stopping]
    steps = num_steps(data.round_rows, config.batch_size)
    thaw = ("  free one more layer group, from the top",) if config.freeze == "gradual" else ()
    evaluate = f"{config.evaluations_per_epoch} x per epoch, evaluate the {len(data.splits['valid']):,} validation rows"
    keep = f"if {data.task.monitor} cannot be told from the best: keep the weights, {config.average} at most"
    settle = "take the mean of the kept weights if it scores as high as the latest of them, else these"
    if data.folded:
        evaluate = f"no scores: {data.config.valid_folds} models of folds, trained before, answer the rows"
        keep, settle = "keep the weights", "take the latest of them"
    return (
        f"on_start: {_acting(watching, 'on_start')}",
        f"for epoch in {config.epochs or 0:g} epochs:",
        *thaw,
        f"  for batch in {steps:,} steps of {config.batch_size} rows:",
        f"    for part in parts of at most {config.batch_tokens:,} tokens with padding:",
        "      forward; loss as SUM and count; backward",
        f"    unscale; divide by the count; clip the norm to {config.clip_norm:g}; "
        f"{config.optimizer} step at the rate of {schedule.name}",
        f"    on_step: {_acting(watching, 'on_step')}",
        f"    {evaluate}:",
        f"      on_evaluate: {_acting(watching, 'on_evaluate')}",
        f"      {keep}",
        f"        on_checkpoint: {_acting(watching, 'on_checkpoint')}",
        "    a callback asked to stop: evaluate once more, then leave the loop",
        settle,
        f"on_finish: {_acting(watching, 'on_finish')}",
        f"at an exception, before it goes on: on_error: {_acting(watching, 'on_error')}",
    )


def _acting(callbacks: Sequence[Callback], event: str) -> str:
    """Return the callbacks that override an event, by the names of their classes."""
    base = getattr(Callback, event)
    return ", ".join(type(one).__name__ for one in callbacks if getattr(type(one), event) is not base) or "-"
