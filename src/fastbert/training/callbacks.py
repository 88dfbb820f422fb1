"""Callbacks: they watch a run and may ask it to stop. The order of a step is not theirs.

Subclass `Callback` and override the events you need; each gets a `RunState`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from fastbert.errors import ConfigError, MissingExtraError
from fastbert.jsonable import finite
from fastbert.training.state import RunState

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from fastbert.bundle import Bundle
    from fastbert.training.plan import Plan


class Callback:
    """Watches a run. Every event does nothing here; override the ones you need."""

    def on_part(self, name: str) -> None:
        """Run before each of several trainings of one command, such as "adapted encoder, split 1 of 4"."""

    def on_plan(self, plan: Plan) -> None:
        """Run before a learner's fit, with what it will do; where an encoder is adapted there is none."""

    def on_start(self, state: RunState) -> None:
        """Run before the first step; step is 0."""

    def on_step(self, state: RunState) -> None:
        """Run after each optimiser step."""

    def on_evaluate(self, state: RunState) -> None:
        """Run after each evaluation; state.scores holds its result."""

    def on_checkpoint(self, state: RunState) -> None:
        """Run when weights were kept: no worse than the best so far, as far as the validation rows tell."""

    def on_finish(self, state: RunState) -> None:
        """Run after the last step, when the kept weights are back in the model."""

    def on_error(self, state: RunState, error: BaseException) -> None:
        """Run when training ends by an exception, which is raised again afterwards."""

    def on_save(self, bundle: Bundle) -> None:
        """Run when a learner's model was saved; bundle.scores are those of the saved weights."""


def tell(callbacks: Sequence[Callback], event: str, *what: object) -> None:
    """Tell callbacks of an event, by the name of its method."""
    for callback in callbacks:
        getattr(callback, event)(*what)


def planned(plan: Plan, callbacks: Sequence[Callback]) -> Sequence[Callback]:
    """Tell callbacks what a fit will do; return them."""
    for callback in callbacks:
        callback.on_plan(plan)
    return callbacks


def saved(bundle: Bundle, folder: Path, callbacks: Sequence[Callback]) -> Path:
    """Tell callbacks of a bundle that was written; return its folder."""
    for callback in callbacks:
        callback.on_save(bundle)
    return folder


class EarlyStopping(Callback):
    """Stops when the monitored score has not improved for `patience` evaluations."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self._waited = 0

    def on_start(self, state: RunState) -> None:
        """Forget the waiting of an earlier fit."""
        self._waited = 0

    def on_evaluate(self, state: RunState) -> None:
        """Count evaluations since the best one."""
        self._waited = 0 if state.best_step == state.step else self._waited + 1
        if self._waited >= self.patience:
            state.stop.ask(f"no better {state.monitor} in {self.patience} evaluations")


LONGEST_PART = 26  # of 80 columns


class ProgressBar(Callback):
    """Shows loss, score, rate and time left on standard error."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._part = ""

    def on_part(self, name: str) -> None:
        """Name it before the bars to come; of a long name the end."""
        self._part = (name if len(name) <= LONGEST_PART else f"…{name[1 - LONGEST_PART :]}") + "  "

    def on_start(self, state: RunState) -> None:
        """Open the bar."""
        self._progress = Progress(
            TextColumn("{task.fields[part]}epoch {task.fields[epoch]}", markup=False),
            BarColumn(bar_width=4 if self._part else 12),
            TextColumn("{task.completed}/{task.total}  loss {task.fields[loss]}  {task.fields[score]}"),
            TextColumn("{task.fields[rate]} tokens/s"),
            TimeRemainingColumn(),
            console=self.console,
            refresh_per_second=4,
        )
        self._progress.start()
        total = state.total_steps
        self._task = self._progress.add_task("", total=total, part=self._part, epoch="0", loss="-", score="", rate="-")

    def on_step(self, state: RunState) -> None:
        """Move the bar."""
        if self._progress is not None and self._task is not None:
            self._progress.update(
                self._task,
                completed=state.step,
                total=state.total_steps,
                epoch=f"{state.epoch:.1f}/{round(state.total_epochs, 1):g}",
                loss=f"{state.loss:.4f}",
                rate=f"{state.tokens_per_second:,.0f}",
            )

    def on_evaluate(self, state: RunState) -> None:
        """Show the latest score, and a line for the record."""
        if self._progress is not None and self._task is not None and state.scores:
            name, value = monitored(state)
            self._progress.update(self._task, score=f"{name} {value:.4f}")
            mark = "  best" if state.best_step == state.step else ""
            mark += "  (one answer for all rows)" if state.collapsed else ""
            self._progress.console.print(
                f"  epoch {state.epoch:.2f}  step {state.step}  loss {state.loss:.4f}  {name} {value:.4f}{mark}",
                highlight=False,
            )

    def on_finish(self, state: RunState) -> None:
        """Close the bar; say what was kept, and why the run ended early if it did."""
        self._close()
        if state.kept_steps and state.scores:
            name, value = monitored(state)
            steps = ", ".join(map(str, state.kept_steps))
            several = len(state.kept_steps) > 1
            what = f"the mean of the weights after steps {steps}" if several else f"the weights after step {steps}"
            mark = "  (one answer for all rows)" if state.collapsed else ""
            self.console.print(f"  kept {what}: {name} {value:.4f}{mark}", highlight=False)
        if state.stop.reason is not None:
            self.console.print(f"  stopped after step {state.step}: {state.stop.reason}", highlight=False, markup=False)

    def on_error(self, state: RunState, error: BaseException) -> None:
        """Close the bar, so that the error is read below it."""
        self._close()

    def _close(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


class JsonLog(Callback):
    """Appends one JSON object a line to a file: steps, evaluations, the end. No texts.

    Steps and epochs count on from fit to fit; seconds are of the fit. Where a command trains several models, "run"
    names which, and each counts for itself.

    Raises ConfigError if there is no folder for the file, or if it holds something else.
    """

    def __init__(self, path: str | Path, every: int = 10) -> None:
        self.path = Path(path)
        self.every = every
        if self.path.is_dir() or not self.path.absolute().parent.is_dir():
            raise ConfigError(f"{path}: the log cannot be written there.", "Give a file in a folder that exists.")
        if self.path.exists() and not _is_log(self.path):
            raise ConfigError(f"{path} exists and is no log of a run; nothing is added to it.", "Give another file.")
        self._part: dict[str, str] = {}

    def on_part(self, name: str) -> None:
        """Name it in the lines to come."""
        self._part = {"run": name}

    def on_step(self, state: RunState) -> None:
        """Write every so many steps, and the first."""
        if state.step % self.every == 0 or state.step == 1:
            self._write({"event": "step", "loss": state.loss, "lr": state.lr, "norm": state.gradient_norm}, state)

    def on_evaluate(self, state: RunState) -> None:
        """Write all scores."""
        self._write({"event": "evaluate", "scores": dict(state.scores)}, state)

    def on_finish(self, state: RunState) -> None:
        """Write rates and the reason of an early end."""
        self._write(
            {"event": "finish", "tokens_per_second": state.tokens_per_second, "stopped": state.stop.reason}, state
        )

    def on_error(self, state: RunState, error: BaseException) -> None:
        """Write the kind of the error; its message may quote data and is left out."""
        self._write({"event": "error", "kind": type(error).__name__}, state)

    def _write(self, values: dict[str, object], state: RunState) -> None:
        place = {"step": state.global_step, "epoch": round(state.global_epoch, 4), "seconds": state.seconds}
        line = json.dumps(finite({**values, **place, **self._part}), allow_nan=False)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")


class TensorBoard(Callback):
    """Writes loss, rate and scores for TensorBoard; steps count on from fit to fit. Needs the extra [track].

    Where a command trains several models, each has a folder in the folder.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingExtraError("tensorboard", "track", "The TensorBoard callback") from error
        self._folder, self._open = Path(folder), SummaryWriter
        try:
            self._writer: SummaryWriter = SummaryWriter(str(folder))
        except OSError as error:
            raise ConfigError(
                f"{folder}: TensorBoard's files cannot be written there ({error.strerror or error}).",
                "Give a folder that can be written to.",
            ) from error

    def on_part(self, name: str) -> None:
        """Go on in a folder of its own."""
        self._writer.close()
        self._writer = self._open(str(self._folder / re.sub(r"\W+", "-", name)))

    def on_step(self, state: RunState) -> None:
        """Write loss, rate and gradient norm."""
        self._writer.add_scalar("train/loss", state.loss, state.global_step)
        self._writer.add_scalar("train/lr", state.lr, state.global_step)
        self._writer.add_scalar("train/gradient_norm", state.gradient_norm, state.global_step)

    def on_evaluate(self, state: RunState) -> None:
        """Write every score."""
        for name, value in state.scores.items():
            self._writer.add_scalar(f"valid/{name}", value, state.global_step)

    def on_finish(self, state: RunState) -> None:
        """Flush and close."""
        self._writer.close()

    def on_error(self, state: RunState, error: BaseException) -> None:
        """Flush and close: what was measured before the error is kept."""
        self._writer.close()


def monitored(state: RunState) -> tuple[str, float]:
    """Return name and value of the monitored score, or of any other where it is undefined."""
    if state.monitor in state.scores:
        return state.monitor, state.scores[state.monitor]
    name = next(iter(state.scores))
    return name, state.scores[name]


def _is_log(path: Path) -> bool:
    """Return True for an empty file, or one whose first line is an event of a run."""
    with path.open("rb") as stream:
        line = stream.readline(100_000)
    try:
        return not line or "event" in json.loads(line)
    except (ValueError, TypeError):
        return False
