"""Experiment trackers as callbacks: MLflow, Weights & Biases and Trackio.

They get options, numbers and, if asked, the finished model: never a text, and nothing over a network unless the
tracker is set up so. A tracker that cannot be opened ends the run before its first step; one that breaks later is
dropped with one warning, and training goes on. Knows nothing of the command line.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import math
import os
import re
import sys
import tempfile
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from fastbert._version import __version__
from fastbert.errors import ConfigError, MissingExtraError, first_line
from fastbert.training.callbacks import Callback
from fastbert.training.state import RunState

if TYPE_CHECKING:
    from fastbert.bundle import Bundle
    from fastbert.training.plan import Plan

PROJECT = "fastbert"
POINTS = 500  # of each curve of training steps, about
FLUSH_S = 5.0  # MLflow's server is asked no oftener
BATCH = 500  # numbers in one call; MLflow's limit is 1000
SAVED_MODEL = "saved model"  # the run of what was kept of several trainings
End = Literal["finished", "failed", "killed"]
log = logging.getLogger(__name__)


class Tracker(Callback):
    """What the trackers share: which numbers are sent, when, and what happens where that fails.

    A run begins with a fit and ends when its model is saved, or when the next one begins; further fits of the same
    learner go on in it. Where a command trains several models, each has a run, grouped, and so has the saved one.
    project: where runs are put.    name: of the run; the tracker finds one if None.
    bundle: send the saved model, too.    every: steps between two points of a curve; None: about 500 points a fit.
    Raises MissingExtraError where the tracker's package is not installed.
    """

    package: str  # to import
    title: str  # for people

    def __init__(
        self, project: str | None = None, *, name: str | None = None, bundle: bool = False, every: int | None = None
    ) -> None:
        self.project, self.name, self.bundle, self.every = project, name, bundle, every
        try:
            self._module: ModuleType = importlib.import_module(self.package)
        except ImportError as error:
            raise MissingExtraError(self.package, self.package, f"The {self.title} callback") from error
        self._plan: Plan | None = None
        self._part: str | None = None
        self._fits = 0  # of the open run; 0 if none is open
        self._stride = 1
        self._opened = self._broken = False

    # -- events ---------------------------------------------------------------------------------

    def on_part(self, name: str) -> None:
        """End the run; the next one is named after the part."""
        self.close()
        self._part, self._plan = name, None

    def on_plan(self, plan: Plan) -> None:
        """Keep the options for the run to come."""
        self._plan = plan

    def on_start(self, state: RunState) -> None:
        """Open a run, or go on in that of the learner's last fit.

        Raises ConfigError if none can be opened; nothing was trained then.
        """
        self._stride = self.every or max(1, math.ceil(state.total_steps / POINTS))
        if self._fits and state.steps_before:
            self._fits += 1
            self._try(lambda: self._add({f"fit{self._fits}/{name}": value for name, value in self._options().items()}))
            return
        self.close()
        self._begin(self._part)

    def on_step(self, state: RunState) -> None:
        """Send loss, rate and gradient norm, of the first step and every so many."""
        if state.step % self._stride == 0 or state.step == 1:
            self._send(
                {"train/loss": state.loss, "train/lr": state.lr, "train/gradient_norm": state.gradient_norm}, state
            )

    def on_evaluate(self, state: RunState) -> None:
        """Send every score of the validation rows."""
        self._send({f"valid/{name}": value for name, value in state.scores.items()}, state)

    def on_finish(self, state: RunState) -> None:
        """Send the scores of the kept weights, and the speed."""
        kept = {f"kept/{name}": value for name, value in state.scores.items()}
        speed = {"speed/tokens_per_second": state.tokens_per_second, "speed/seconds": state.seconds}
        if self._fits:
            self._try(lambda: self._summarize(_finite(kept | speed)))
            self._try(self._rest)

    def on_save(self, bundle: Bundle) -> None:
        """Send the scores of the saved model on every split, and the model itself if asked; end the run."""
        if self._part is not None:  # which of the trainings it comes of is not known here
            self.close()
            self._try(lambda: self._begin(SAVED_MODEL))
        if not self._fits:
            return  # saved again
        scores = {
            f"model/{split}/{name}": value for split, found in bundle.scores.items() for name, value in found.items()
        }
        self._try(lambda: self._summarize(_finite(scores)))
        if self.bundle:
            self._try(lambda: self._upload(bundle.folder))
        self.close()

    def on_error(self, state: RunState, error: BaseException) -> None:
        """End the run as failed, or as killed by the user."""
        self.close("killed" if isinstance(error, KeyboardInterrupt) else "failed")

    def close(self, end: End = "finished") -> None:
        """End the open run, if there is one."""
        if self._fits:
            self._fits = 0
            self._try(lambda: self._end(end))

    # -- how ------------------------------------------------------------------------------------

    def _begin(self, part: str | None) -> None:
        """Open a run. The first one must open; a later one is as good as any other call."""
        if self._broken:
            return
        name = self.name if part is None else " ".join(filter(None, [self.name, part]))
        group = None if part is None else self.name or self.project or PROJECT
        try:
            self._open(name, group, {"fastbert": __version__, **self._options()})
        except Exception as error:
            if self._opened:
                self._drop(error)
                return
            raise ConfigError(
                f"{self.title} cannot open a run: {first_line(error)}",
                "Put its address or settings right, or train without it.",
            ) from error
        self._fits, self._opened = 1, True

    def _send(self, values: Mapping[str, float], state: RunState) -> None:
        if self._fits:
            self._try(lambda: self._log(_finite(values), state.global_step))

    def _try(self, action: Callable[[], None]) -> None:
        if not self._broken:
            try:
                action()
            except Exception as error:
                self._drop(error)

    def _drop(self, error: Exception) -> None:
        self._broken, self._fits = True, 0
        log.warning("%s is dropped, training goes on: %s: %s", self.title, type(error).__name__, first_line(error))

    def _options(self) -> dict[str, object]:
        """Return what the plan says: options that have a value, sizes and machine. No text is among them."""
        if self._plan is None:
            return {}
        data, plan = self._plan.data, self._plan
        sizes = {f"rows/{split}": count for split, count in data.row_counts().items()}
        given = {**data.config.to_json(), **plan.config.to_json()}
        options = {
            name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in given.items()
        }
        facts = {"task": data.task.name, "num_labels": len(data.labels), "steps": plan.steps, **sizes}
        about = {"encoder_size": plan.encoder, "machine": plan.runtime, "max_tokens": data.max_tokens}
        return {name: value for name, value in {**options, **facts, **about}.items() if value not in (None, "")}

    @abstractmethod
    def _open(self, name: str | None, group: str | None, options: Mapping[str, object]) -> None:
        """Open a run with its options."""

    @abstractmethod
    def _log(self, values: Mapping[str, float], step: int) -> None:
        """Send numbers of one step."""

    @abstractmethod
    def _summarize(self, values: Mapping[str, float]) -> None:
        """Send numbers of the run as a whole."""

    @abstractmethod
    def _upload(self, folder: Path) -> None:
        """Send a bundle."""

    @abstractmethod
    def _end(self, end: End) -> None:
        """End the run."""

    def _add(self, options: Mapping[str, object]) -> None:
        """Send the options of a further fit, where the tracker takes any."""

    def _rest(self) -> None:
        """Leave the run as it should be if nothing follows, neither a save nor another fit."""


class MLflow(Tracker):
    """Sends runs to MLflow: to the server or database of MLFLOW_TRACKING_URI, else to ./mlflow.db. Needs [mlflow].

    project: the experiment; None: MLFLOW_EXPERIMENT_NAME, or "fastbert".    bundle: the model is sent as one that
    `mlflow.pyfunc.load_model` opens, without pickle.
    MLflow's own reports to its makers are switched off, unless MLFLOW_DISABLE_TELEMETRY says otherwise.
    """

    package, title = "mlflow", "MLflow"

    def __init__(
        self, project: str | None = None, *, name: str | None = None, bundle: bool = False, every: int | None = None
    ) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        super().__init__(project, name=name, bundle=bundle, every=every)
        self._client: Any = None
        self._run = ""
        self._waiting: list[Any] = []
        self._sent = 0.0
        uri = str(self._module.get_tracking_uri())
        if re.match(r"(sqlite|postgresql|mysql|mssql)", uri) and importlib.util.find_spec("sqlalchemy") is None:
            raise ConfigError(
                f"MLflow keeps its runs in a database ({uri.split(':')[0]}), which needs the package sqlalchemy.",
                "Install it with `pip install mlflow`, or set MLFLOW_TRACKING_URI to a server.",
            )

    def _open(self, name: str | None, group: str | None, options: Mapping[str, object]) -> None:
        client = self._client = self._client or self._module.MlflowClient()
        project = self.project or os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT
        found = client.get_experiment_by_name(project)
        experiment = client.create_experiment(project) if found is None else found.experiment_id
        tags = {"fastbert.group": group} if group else {}
        self._run = client.create_run(experiment, run_name=name, tags=tags).info.run_id
        self._add(options)

    def _add(self, options: Mapping[str, object]) -> None:
        entities = importlib.import_module("mlflow.entities")
        params = [entities.Param(name, str(value)[:500]) for name, value in options.items()]
        self._client.log_batch(self._run, params=params)

    def _log(self, values: Mapping[str, float], step: int) -> None:
        entities, now = importlib.import_module("mlflow.entities"), int(time.time() * 1000)
        self._waiting += [
            entities.Metric(re.sub(r"[^\w\-. :/]", "_", name), value, now, step) for name, value in values.items()
        ]
        if len(self._waiting) >= BATCH or time.monotonic() - self._sent > FLUSH_S:
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting, self._sent = self._waiting, [], time.monotonic()
        if waiting:
            self._client.log_batch(self._run, metrics=waiting)

    def _summarize(self, values: Mapping[str, float]) -> None:
        self._log(values, 0)
        self._flush()

    def _upload(self, folder: Path) -> None:
        from fastbert.inference.mlflow_model import save_mlflow_model

        with tempfile.TemporaryDirectory(prefix="fastbert-") as place:
            self._client.log_artifacts(self._run, save_mlflow_model(folder, Path(place) / "model"), "model")

    def _rest(self) -> None:
        self._flush()
        self._client.set_terminated(self._run, "FINISHED")  # it takes numbers still

    def _end(self, end: End) -> None:
        self._flush()
        self._client.set_terminated(self._run, end.upper())


class WandB(Tracker):
    """Sends runs to Weights & Biases; to ./wandb only, unless WANDB_MODE is "online". Needs the extra [wandb].

    What is printed is not sent, nor source code. W&B's own reports to its makers are switched off, unless
    WANDB_ERROR_REPORTING says otherwise.
    """

    package, title = "wandb", "Weights & Biases"

    def __init__(
        self, project: str | None = None, *, name: str | None = None, bundle: bool = False, every: int | None = None
    ) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        super().__init__(project, name=name, bundle=bundle, every=every)
        self._run: Any = None

    def _open(self, name: str | None, group: str | None, options: Mapping[str, object]) -> None:
        self._run = self._module.init(
            project=self.project or os.environ.get("WANDB_PROJECT") or PROJECT,
            name=name,
            group=group,
            config=dict(options),
            mode=os.environ.get("WANDB_MODE") or "offline",
            reinit="create_new",  # a run of the user's own goes on beside it
            settings=self._module.Settings(console="off", save_code=False),
        )

    def _add(self, options: Mapping[str, object]) -> None:
        self._run.config.update(dict(options))

    def _log(self, values: Mapping[str, float], step: int) -> None:
        self._run.log(dict(values), step=step)

    def _summarize(self, values: Mapping[str, float]) -> None:
        self._run.summary.update(dict(values))

    def _upload(self, folder: Path) -> None:
        artifact = self._module.Artifact(f"model-{self._run.id}", type="model")
        artifact.add_dir(str(folder))
        self._run.log_artifact(artifact)

    def _end(self, end: End) -> None:
        self._run.finish(exit_code={"finished": 0, "failed": 1, "killed": 130}[end])


class Trackio(Tracker):
    """Sends runs to Trackio: to its folder on this machine, unless TRACKIO_SPACE_ID or TRACKIO_SERVER_URL is set.

    Needs the extra [trackio]. It knows no failed runs: such a one has a curve `failed`. Options of a further fit are
    not sent, for it takes them once.
    """

    package, title = "trackio", "Trackio"
    _run: Any = None
    _step = 0

    def _open(self, name: str | None, group: str | None, options: Mapping[str, object]) -> None:
        project = self.project or os.environ.get("TRACKIO_PROJECT") or PROJECT
        with _told_on_stderr():
            self._run = self._module.init(project=project, name=name, group=group, config=dict(options), embed=False)

    def _log(self, values: Mapping[str, float], step: int) -> None:
        self._step = step
        with _told_on_stderr():
            self._run.log(dict(values), step=step)

    def _summarize(self, values: Mapping[str, float]) -> None:
        self._log(values, self._step)

    def _upload(self, folder: Path) -> None:
        with _told_on_stderr():
            self._run.log_artifact(folder, name=f"model-{self._run.id}", type="model")

    def _end(self, end: End) -> None:
        with _told_on_stderr():
            if end != "finished":
                self._run.log({"failed": 1.0}, step=self._step)
            self._module.finish()  # and not the run's own: Trackio would end it again, and say so, as the process ends


TRACKERS: dict[str, type[Tracker]] = {"mlflow": MLflow, "wandb": WandB, "trackio": Trackio}


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    """Return the values that a curve can show."""
    return {name: float(value) for name, value in values.items() if math.isfinite(value)}


def _told_on_stderr() -> contextlib.redirect_stdout[Any]:
    """Keep what Trackio prints off standard output, where a command's data goes."""
    return contextlib.redirect_stdout(sys.stderr)
