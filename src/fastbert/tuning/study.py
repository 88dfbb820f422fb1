"""The study: trials and their results in a database, shared by all processes of a search, left by a killed one.

It holds numbers and the names of options: no text, no label, no pickle. Knows nothing of how a trial is run. All of
Optuna that a search needs is used here and in `objective`.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from fastbert.errors import ConfigError, MissingExtraError, first_line
from fastbert.tuning.space import Choice, Part, Scalar, Space

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial
    from sqlalchemy.engine import URL

HEARTBEAT_S = 10  # of a running trial; one that was not heard of for six of them belongs to a process that is gone
GRACE_S = 60
BUSY_S = 60.0  # that a process waits for another one to write to SQLite
TRIES = 5  # at opening a database that several processes open at once, 3 s together
BEGUN_S = 30.0  # that a process waits for the one that makes the study
STARTUP = 8  # trials drawn at random before the sampler learns from them
PREFIX = "fastbert"
LATE = "the time was up"  # why a trial ended early: a first one is not the first one then
Direction = Literal["maximize", "minimize"]


@dataclass(frozen=True)
class Record:
    """A trial as the study has it.

    state: "complete", "pruned", "running" or "failed".    value: the score that chooses, higher is better;
    of a trial that ended early the best it had.    like: the trial with the same options whose result it was given.
    options: of the space, as the trial used them.    note: why it ended early.    seconds: it took, all in all.
    evidence: see `evidence.Evidence`.    latency_s: of the middle and of a long text, where it counts.
    """

    number: int
    state: str
    value: float | None = None
    options: Mapping[str, Scalar] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    seconds: float = 0.0
    epochs: float = 0.0
    first: bool = False
    evidence: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    latency_s: tuple[float, float] | None = None
    owner: Mapping[str, object] = field(default_factory=dict)
    like: int | None = None

    @property
    def counts(self) -> bool:
        """Return whether it is one of the trials that were asked for."""
        return self.state != "failed" and self.like is None

    @property
    def done(self) -> bool:
        """Return whether it was trained to its end, and so can be the result."""
        return self.state == "complete" and self.like is None

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "number": self.number,
            "state": self.state,
            "value": self.value,
            "options": dict(self.options),
            "scores": dict(self.scores),
            "note": self.note,
            "seconds": round(self.seconds, 2),
            "epochs": self.epochs,
            "first": self.first,
            "latency_s": None if self.latency_s is None else list(self.latency_s),
        }


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from logging and from warning of what it calls experimental, during a block."""
    optuna = load_optuna()
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def load_optuna() -> Any:  # noqa: ANN401  # a module
    """Import Optuna. Raises MissingExtraError where it is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError("optuna", "tune", "A search for options") from error
    return optuna


def check_url(url: str) -> URL:
    """Return the URL of a database, such as sqlite:///study.db or postgresql+psycopg://user@host/name.

    Raises ConfigError if it is none or its driver is not installed; no password is in the message.
    """
    load_optuna()
    from sqlalchemy import exc
    from sqlalchemy.engine import make_url

    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise ConfigError(
            "storage is no URL of a database.", "Write sqlite:///study.db or postgresql+psycopg://user@host/database."
        ) from error
    try:
        parsed.get_dialect().import_dbapi()
    except (ImportError, exc.NoSuchModuleError) as error:
        raise _missing_driver(parsed, error) from error
    return parsed


def open_storage(url: str) -> RDBStorage:
    """Open a database by its URL. Raises ConfigError as `check_url`, and if it cannot be opened."""
    optuna = load_optuna()
    from sqlalchemy import exc

    parsed = check_url(url)
    arguments: dict[str, Any] = {"timeout": BUSY_S} if parsed.get_backend_name() == "sqlite" else {}
    for place in range(TRIES):
        try:
            storage: RDBStorage = optuna.storages.RDBStorage(
                parsed.render_as_string(hide_password=False),
                engine_kwargs={"connect_args": arguments},
                heartbeat_interval=HEARTBEAT_S,
                grace_period=GRACE_S,
            )
            return storage
        except (exc.SQLAlchemyError, RuntimeError) as error:
            failure: Exception = error
            if not isinstance(error, exc.IntegrityError | exc.ProgrammingError | exc.OperationalError):
                break
            time.sleep(0.1 * 2**place)  # another process makes its tables at this moment
    said = first_line(getattr(failure, "orig", None) or failure)
    raise ConfigError(
        f"{parsed.render_as_string()}: the database cannot be opened ({said}).",
        "Check that it is there, reachable, and made by this version of Optuna.",
    ) from failure


def _missing_driver(url: URL, error: Exception) -> ConfigError:
    if not isinstance(error, ImportError):
        return ConfigError(f"'{url.drivername}' is no kind of database that is known.", "Use sqlite or postgresql.")
    package = (error.name or url.get_backend_name()).split(".")[0]
    wheels = {"psycopg": "psycopg[binary]", "psycopg2": "psycopg2-binary"}
    return ConfigError(
        f"The storage {url.render_as_string()} needs the package {package}, which is not installed.",
        f'Install it with `pip install "{wheels.get(package, package)}"`.',
    )


class Trials:
    """The trials of one study.

    directions: of the objectives, the score first.    seed: of what is drawn; the same one draws the same trials
    where one process runs them, killed and resumed or not.
    """

    def __init__(self, storage: RDBStorage, name: str, space: Space, seed: int, latency: bool) -> None:
        self.space, self.seed, self.name, self.storage = space, seed, name, storage
        self.directions: list[Direction] = ["maximize", "minimize"] if latency else ["maximize"]
        self.attempt = 0  # of drawing something that the time left is enough for
        self.study: optuna.Study | None = None

    def open(self, found: Mapping[str, object]) -> None:
        """Open the study, or make it; the trials of processes that are gone are given up.

        found: what has to be the same in all runs of a study, by name.
        Raises ConfigError, and leaves the study as it is, if it was begun with others.
        """
        optuna = load_optuna()
        facts = json.loads(json.dumps(found))  # as the database gives it back
        options = {"sampler": self._sampler(), "pruner": optuna.pruners.MedianPruner(4, 2, n_min_trials=3)}
        try:
            self.study = optuna.create_study(
                storage=self.storage, study_name=self.name, directions=self.directions, **options
            )
            self.study.set_user_attr(PREFIX, facts)
        except optuna.exceptions.DuplicatedStudyError:
            self.study = optuna.load_study(storage=self.storage, study_name=self.name, **options)
            self._compare(facts)
        self.give_up_dead()

    @property
    def open_study(self) -> optuna.Study:
        """Return the study once it is open."""
        assert self.study is not None
        return self.study

    def records(self) -> list[Record]:
        """Return all trials that began, in order."""
        return [_record(trial) for trial in self.open_study.get_trials(deepcopy=False) if trial.state.name != "WAITING"]

    def enqueue(self, drawn: Mapping[str, Scalar], *, first: bool = True) -> None:
        """Have the next trial try what is given. first: it is the first one, with the usual options."""
        self.open_study.enqueue_trial(dict(drawn), user_attrs={"first": first}, skip_if_exists=False)

    def first_state(self) -> str | None:
        """Return how it stands with the first trial: "complete", "running" or "waiting"; None where it has to be run.

        It has to be where there never was one, where the process that ran it is gone, and where it was cut short.
        """
        found = {
            STATES[trial.state.name]
            for trial in self.open_study.get_trials(deepcopy=False)
            if trial.user_attrs.get("first") and trial.user_attrs.get("note") != LATE
        }
        return next((state for state in ("complete", "running", "waiting") if state in found), None)

    def draw(self, trial: optuna.Trial) -> dict[str, Scalar]:
        """Return what the study has a trial try, by option: factors for ranges of factors."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        drawn: dict[str, Scalar] = {}
        for name, distribution in distributions(self.space).items():
            if isinstance(distribution, CategoricalDistribution):
                drawn[name] = trial.suggest_categorical(name, distribution.choices)
            elif isinstance(distribution, IntDistribution):
                drawn[name] = trial.suggest_int(name, distribution.low, distribution.high, log=distribution.log)
            elif isinstance(distribution, FloatDistribution):
                drawn[name] = trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)
        return drawn

    def importances(self) -> dict[str, float]:
        """Return the share that each option has in what makes the best quarter of the trials; {} for too few trials.

        By PED-ANOVA (Watanabe et al. 2023, arXiv 2304.10255).
        """
        optuna = load_optuna()
        complete = [record for record in self.records() if record.done]
        if len(complete) < STARTUP or len({record.value for record in complete}) < 2:
            return {}
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.25)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of options that had one value in all trials
            found = optuna.importance.get_param_importances(
                self.open_study, evaluator=evaluator, target=lambda trial: -trial.values[0]
            )
        return dict(found)

    def give_up_dead(self) -> None:
        """Fail the running trials of processes of this machine that have ended; others are known by their silence."""
        optuna = load_optuna()
        from optuna.trial import TrialState

        optuna.storages.fail_stale_trials(self.open_study)
        for record in self.records():
            if record.state == "running" and _is_gone(record.owner):
                with contextlib.suppress(ValueError):  # another process was quicker
                    self.open_study.tell(record.number, state=TrialState.FAIL)

    def delete(self) -> None:
        """Delete the study, if there is one."""
        optuna = load_optuna()
        with contextlib.suppress(KeyError):
            optuna.delete_study(storage=self.storage, study_name=self.name)

    def _compare(self, facts: Mapping[str, object]) -> None:
        """Raise ConfigError if the study was begun with other facts, or by something else."""
        until = time.monotonic() + BEGUN_S
        begun = self.open_study.user_attrs.get(PREFIX)
        while begun is None and not self.open_study.trials and time.monotonic() < until:
            time.sleep(0.2)  # another process is making it at this moment
            begun = self.open_study.user_attrs.get(PREFIX)
        if begun is None and not self.open_study.trials:  # it was killed there
            self.open_study.set_user_attr(PREFIX, dict(facts))
            return
        if not isinstance(begun, dict):
            raise ConfigError(
                f"The database holds a study '{self.name}' that FastBert did not make.", "Name another with --study."
            )
        differing = [name for name in {**begun, **facts} if begun.get(name) != facts.get(name)]
        if differing:
            raise ConfigError(
                f"The study '{self.name}' was begun with other {' and '.join(differing)}: "
                + "; ".join(_difference(name, begun.get(name), facts.get(name)) for name in differing),
                "Go on with what it was begun with, or begin anew: --restart deletes it, and --study names another.",
            )

    def _sampler(self) -> optuna.samplers.BaseSampler:
        from fastbert.tuning.sampler import PlacedSampler

        return PlacedSampler(self.seed, STARTUP, lambda: self.attempt)


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return a space as Optuna has it."""
    return {name: _distribution(part) for name, part in space.parts.items()}


def _distribution(part: Part) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(part, Choice):
        return CategoricalDistribution(part.values)
    if part.whole and not part.times:
        return IntDistribution(int(part.low), int(part.high), log=part.log)
    return FloatDistribution(part.low, part.high, log=part.log)


def own_process() -> dict[str, object]:
    """Return what tells this process from others: machine and number."""
    return {"host": platform.node(), "pid": os.getpid()}


def _is_gone(owner: Mapping[str, object]) -> bool:
    """Return whether a process is known to have ended: it ran here, and its number is free."""
    pid = owner.get("pid")
    if os.name != "posix" or owner.get("host") != platform.node() or not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return pid == os.getpid()  # a trial of this very process that is still open: it was interrupted


def _difference(name: str, before: object, now: object) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [key for key in {**before, **now} if before.get(key) != now.get(key)]
        return ", ".join(
            f"{key} was {before.get(key, 'not there')}, is {now.get(key, 'not there')}" for key in keys[:3]
        )
    return f"the {name} are not the same"


STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "RUNNING": "running", "FAIL": "failed", "WAITING": "waiting"}


def _record(trial: FrozenTrial) -> Record:
    noted = trial.user_attrs
    latency = noted.get("latency_s")
    return Record(
        trial.number,
        STATES[trial.state.name],
        trial.values[0] if trial.values else noted.get("value"),
        noted.get("options", {}),
        noted.get("scores", {}),
        noted.get("note", ""),
        noted.get("seconds", 0.0),
        noted.get("epochs", 0.0),
        bool(noted.get("first")),
        noted.get("evidence", {}),
        None if latency is None else (float(latency[0]), float(latency[1])),
        noted.get("owner", {}),
        noted.get("like"),
    )
