"""What a search may change: ranges and choices by option name, the usual ones for a task, and those of a TOML file.

A row of ROWS is all that a further option needs. Every range stays in numbers that the options themselves take:
names and ends are checked before anything is trained. Knows nothing of studies or of how a trial is run.
"""

from __future__ import annotations

import itertools
import math
import tomllib
import types
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from fastbert.config import DataConfig, TrainConfig
from fastbert.errors import ConfigError, did_you_mean
from fastbert.models.optimizers import find_optimizer
from fastbert.models.schedules import SCHEDULES, find_schedule
from fastbert.tasks.base import Task

Scalar = str | int | float | bool | None
# Of the data only how a text is cut: the rows and their labels have to be the same in all trials.
DATA_OPTIONS = ("max_tokens", "truncation")
FIXED = {
    "time_budget": "what a search may take is its --timeout",
    "seed": "a search over seeds finds luck",
    "precision": "it is how numbers are computed, not what is learned",
}
CHOSEN = ("lr", "epochs", "head_lr_factor")  # by the recipe, for each trial: what factors can be on
CUT_SHARE = 0.05  # of the training rows: with fewer of them cut, how they are cut decides nothing
DIGITS = 3  # of a number that was drawn: more cannot be told apart, and none is read


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included.

    log: small numbers are as likely as large ones.    times: factors on what the recipe chooses for the trial, so
    that the rate suits encoder and batch.    whole: whole numbers from 1 on.
    """

    low: float
    high: float
    log: bool = False
    times: bool = False
    whole: bool = False

    def value(self, drawn: Scalar, usual: Scalar) -> Scalar:
        """Return the value of the option. usual: what the recipe chooses, for factors."""
        if drawn == (1.0 if self.times else usual):
            return usual  # with all its digits: the first trial is what a training without a search would be
        number = float(str(drawn)) * (float(str(usual)) if self.times else 1.0)
        return round(number) if self.whole and number >= 1 else float(f"{number:.{DIGITS}g}")

    def nearest(self, usual: Scalar) -> Scalar:
        """Return what is drawn for the usual value, or for the nearest one that there is."""
        number = 1.0 if self.times else float(str(usual))
        inside = min(max(number, self.low), self.high)
        return round(inside) if self.whole and not self.times else inside

    def holds(self, usual: Scalar) -> bool:
        """Return whether the usual value can be drawn."""
        number = 1.0 if self.times else usual
        return isinstance(number, int | float) and self.low <= number <= self.high

    @property
    def values(self) -> Sequence[Scalar] | None:
        """Return all numbers that can be drawn, None where there is no end of them."""
        return range(int(self.low), int(self.high) + 1) if self.whole and not self.times else None

    def describe(self) -> str:
        """Return one phrase.

        >>> Range(0.25, 4, log=True, times=True).describe()
        "0.25 to 4 times the recipe's, log scale"
        """
        words = [f"{self.low:g} to {self.high:g}", " times the recipe's" * self.times, ", log scale" * self.log]
        return "".join(words)

    def to_json(self) -> dict[str, object]:
        """Return plain values, as the TOML file has them."""
        ends: dict[str, object] = (
            {"times": [self.low, self.high]} if self.times else {"low": self.low, "high": self.high}
        )
        return ends | ({"log": True} if self.log else {})


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    values: tuple[Scalar, ...]

    def value(self, drawn: Scalar, usual: Scalar) -> Scalar:
        """Return the value of the option."""
        return drawn

    def nearest(self, usual: Scalar) -> Scalar:
        """Return the usual value where it is a choice, else the first choice."""
        return usual if self.holds(usual) else self.values[0]

    def holds(self, usual: Scalar) -> bool:
        """Return whether the usual value can be drawn."""
        return usual in self.values

    def describe(self) -> str:
        """Return one phrase."""
        return ", ".join("none" if value is None else str(value) for value in self.values)

    def to_json(self) -> list[Scalar]:
        """Return plain values, as the TOML file has them."""
        return ["none" if value is None else value for value in self.values]


Part = Range | Choice


@dataclass(frozen=True)
class Facts:
    """What the usual ranges depend on.

    config: as the recipe completes it.    cut_share: of the training rows, longer than allowed.
    lengths: tokens of the middle training row and of the one that 95 % are no longer than.
    limit: longest input in tokens.    has_layers: whether the layers of the encoder can be told apart.
    by_latency: whether the speed of the model counts, too.
    """

    task: Task
    data: DataConfig
    config: TrainConfig
    cut_share: float
    lengths: tuple[int, int]
    limit: int
    has_layers: bool
    by_latency: bool = False


@dataclass(frozen=True)
class Row:
    """An option and its usual range, None where there is nothing to search."""

    name: str
    make: Callable[[Facts], Part | None]


def _truncations(facts: Facts) -> Part | None:
    cuts = hasattr(facts.task, "truncation") and not facts.task.always_windows
    return Choice(("head_tail", "head", "windows")) if cuts and facts.cut_share >= CUT_SHARE else None


def _losses(facts: Facts) -> Part | None:
    names = tuple(name for name in facts.task.losses if name != "weights")  # these need a file
    return Choice(names) if len(names) > 1 else None


def _lengths(facts: Facts) -> Part | None:
    """Return shorter inputs: a latency is bought by them, quality hardly ever."""
    middle, long = facts.lengths
    found = sorted({length for length in (middle, long, facts.limit) if 8 <= length <= facts.limit})
    return Choice(tuple(found)) if facts.by_latency and len(found) > 1 else None


# The ends are around what the recipe takes, wide enough for what published sweeps found best: rates of a quarter to
# four times (Devlin et al. 2019, Turc et al. 2019), decay by layer of 0.7 to 1 (Sun et al. 2019; Zhang et al. 2021).
ROWS: tuple[Row, ...] = (
    Row("lr", lambda facts: Range(0.25, 4.0, log=True, times=True)),
    Row("epochs", lambda facts: Range(0.5, 1.5, log=True, times=True, whole=True)),
    Row("batch_size", lambda facts: Choice(tuple(max(1, int(facts.config.batch_size * by)) for by in (0.5, 1, 2)))),
    Row("schedule", lambda facts: Choice(("warmup_linear", "warmup_cosine", "wsd"))),
    Row("warmup", lambda facts: Range(0.0, 0.3) if _warms_up(facts.config.schedule) else None),
    Row("layer_decay", lambda facts: Range(0.7, 1.0) if facts.has_layers else None),
    Row(
        "head_lr_factor",
        lambda facts: Range(0.1, 3.0, log=True, times=True) if (facts.config.head_lr_factor or 1.0) > 1 else None,
    ),
    Row("weight_decay", lambda facts: Range(0.001, 0.3, log=True)),
    Row("loss", _losses),
    Row("pooling", lambda facts: Choice(("default", "mean")) if facts.task.head == "SequenceClassification" else None),
    Row("dropout", lambda facts: Choice((None, 0.0, 0.2))),  # None: as the encoder's configuration says
    Row("truncation", _truncations),
    Row("max_tokens", _lengths),
)


@dataclass(frozen=True)
class Space:
    """Everything that a search may change, by option name."""

    parts: Mapping[str, Part]

    def usual(self, config: TrainConfig, data: DataConfig, limit: int) -> dict[str, Scalar]:
        """Return what each option is without a search. config: as the recipe completes it; limit: of the tokens."""
        known: dict[str, object] = {**vars(data), **vars(config)}
        if known["weight_decay"] is None:
            known["weight_decay"] = find_optimizer(config.optimizer).weight_decay
        if known["warmup"] is None:
            known["warmup"] = SCHEDULES[config.schedule].warmup or 0.0
        if known["max_tokens"] is None:
            known["max_tokens"] = limit
        return {name: typing.cast("Scalar", known[name]) for name in self.parts}

    def first(self, usual: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """Return what is drawn for the first trial: the usual values, or the nearest that there are."""
        return {name: part.nearest(usual[name]) for name, part in self.parts.items()}

    def fixed(self, drawn: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """Return the values of the options that are no factors: those that are known before a recipe is asked."""
        return {
            name: part.value(drawn[name], None)
            for name, part in self.parts.items()
            if not (isinstance(part, Range) and part.times)
        }

    @property
    def size(self) -> float:
        """Return how many combinations there are; infinity where there is no end of them."""
        return math.prod(float("inf") if part.values is None else len(part.values) for part in self.parts.values())

    def untried(self, tried: Collection[Mapping[str, Scalar]]) -> dict[str, Scalar] | None:
        """Return a combination that is not among some, None where there is none or no end of them."""
        if math.isinf(self.size):
            return None
        known = {frozenset(options.items()) for options in tried}
        combinations = itertools.product(*(part.values or () for part in self.parts.values()))
        named = (dict(zip(self.parts, values, strict=True)) for values in combinations)
        return next((one for one in named if frozenset(one.items()) not in known), None)

    def moved(self, usual: Mapping[str, Scalar]) -> list[str]:
        """Return a sentence for each usual value that cannot be drawn."""
        found = [(name, part) for name, part in self.parts.items() if not part.holds(usual[name])]
        return [
            f"{name}: the usual {usual[name]} is not in the space; the first trial takes "
            f"{part.value(part.nearest(usual[name]), usual[name])}"
            for name, part in found
        ]

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {name: part.to_json() for name, part in self.parts.items()}

    def to_toml(self) -> str:
        """Return the text of a file that `read_space` reads."""
        return "".join(f"{name} = {_toml(part.to_json())}\n" for name, part in self.parts.items())


def usual_space(facts: Facts, fixed: Collection[str], encoders: Sequence[str] = ()) -> Space:
    """Return the usual space of a task. fixed: options that the user has set; encoders: choices, where there are."""
    parts: dict[str, Part] = {"encoder": Choice(tuple(encoders))} if len(encoders) > 1 else {}
    for row in ROWS:
        part = None if row.name in fixed else row.make(facts)
        if part is not None:
            parts[row.name] = part
    return Space(parts)


def read_space(path: str | Path) -> Space:
    """Return the space of a TOML file: nothing but what it names is searched.

    A list is a choice; `{low = 1e-5, high = 1e-4, log = true}` a range; `{times = [0.5, 2]}` a range of factors on
    what the recipe chooses. Raises ConfigError for a file, name or value that cannot be used.
    """
    place = Path(path)
    try:
        content = tomllib.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{place}: the space cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{place}: not valid TOML: {error}.") from error
    return space_of(content, str(place))


def space_of(content: Mapping[str, object], where: str = "space") -> Space:
    """Return a space from plain values, as a TOML file holds them. Raises ConfigError as `read_space` does."""
    if not content:
        raise ConfigError(
            f"{where}: the space is empty.", 'Name at least one option, such as "lr = {times = [0.5, 2]}".'
        )
    return Space({name: _checked(where, name, value) for name, value in content.items()})


def check_task(space: Space, task: Task) -> None:
    """Raise ConfigError for an option or a choice that a task does not have."""
    for kind in _values(space, "loss"):
        if kind not in task.losses:
            raise ConfigError(
                f"loss {kind!r} is in the space; the task '{task.name}' does not have it.",
                f"It has {', '.join(task.losses)}.",
            )
    if "truncation" in space.parts and (task.always_windows or not hasattr(task, "truncation")):
        raise ConfigError(
            f"truncation is in the space; the task '{task.name}' reads all of a text, in windows.", "Take it out."
        )


def _values(space: Space, name: str) -> tuple[Scalar, ...]:
    part = space.parts.get(name)
    return part.values if isinstance(part, Choice) else ()


def _checked(where: str, name: str, value: object) -> Part:
    place = f"{where}: {name}"
    _check_name(where, name)
    if isinstance(value, Mapping):
        part: Part = _range(place, name, value)
    elif isinstance(value, list | tuple) and value:
        part = Choice(tuple(_set(place, name, one) for one in value))
        if len(set(part.values)) < len(part.values):
            raise ConfigError(f"{place} names a choice twice.", "Name each once.")
    else:
        raise ConfigError(
            f"{place} is {value!r}; expected a list of choices, or a range.",
            f"{name} = [...], {name} = {{low = ..., high = ...}} or {name} = {{times = [0.5, 2]}}. "
            f"One value is set with --set {name}=VALUE.",
        )
    return part


def _check_name(where: str, name: str) -> None:
    known = [*(field.name for field in fields(TrainConfig)), *DATA_OPTIONS]
    if name in FIXED:
        raise ConfigError(f"{where}: {name} cannot be searched: {FIXED[name]}.", "Take it out of the space.")
    if name not in known:
        data = name in {field.name for field in fields(DataConfig)}
        raise ConfigError(
            f"{where}: '{name}' is {'how the table is read, the same in all trials' if data else 'not an option'}.",
            did_you_mean(name, known) or f"Known: {', '.join(one for one in known if one not in FIXED)}.",
        )


def _range(place: str, name: str, value: Mapping[str, object]) -> Range:
    for key in value:
        if key not in ("low", "high", "log", "times"):
            raise ConfigError(
                f"{place} has the key '{key}'.",
                did_you_mean(key, ("low", "high", "log", "times")) or "Known: low, high, log, times.",
            )
    kinds = _kinds(name)
    if not {int, float} & kinds:
        raise ConfigError(f"{place} is a range, but {name} is no number.", f"Name the choices: {name} = [...].")
    times, log = value.get("times"), value.get("log", False)
    ends = times if times is not None else [value.get("low"), value.get("high")]
    if (times is not None and ("low" in value or "high" in value)) or not isinstance(log, bool):
        raise ConfigError(f"{place} is {dict(value)}.", "Give low and high, or times = [a, b]; log is true or false.")
    if not isinstance(ends, list) or len(ends) != 2 or not all(map(_is_number, ends)):
        raise ConfigError(f"{place} is {dict(value)}; two numbers are needed.", "Give low and high, or times = [a, b].")
    low, high = map(float, ends)
    if not low < high or (log and low <= 0):
        raise ConfigError(f"{place} goes from {low:g} to {high:g}{', log scale' if log else ''}.", _ORDER)
    if times is None:
        for end in ends:
            _set(place, name, end)
    elif name not in CHOSEN or low <= 0:
        raise ConfigError(
            f"{place}: factors are above 0, and on what the recipe chooses: {', '.join(CHOSEN)}.", "Give low and high."
        )
    whole = float not in kinds or (name == "epochs" and (times is not None or low >= 1))
    return Range(low, high, log, times is not None, whole)


_ORDER = "The lower end comes first, and is above 0 on a log scale."


NAMED: Mapping[str, Callable[[str], object]] = {"schedule": find_schedule, "optimizer": find_optimizer}


def _set(place: str, name: str, value: object) -> Scalar:
    """Return a value as its option has it. Raises ConfigError with the place."""
    owner = DataConfig() if name in DATA_OPTIONS else TrainConfig()
    try:
        if name in NAMED:
            NAMED[name](str(value))
        return typing.cast("Scalar", getattr(owner.changed(**{name: value}), name))
    except ConfigError as error:
        raise ConfigError(f"{place}: {error.message}", error.hint) from error


def _kinds(name: str) -> set[object]:
    hint = typing.get_type_hints(DataConfig if name in DATA_OPTIONS else TrainConfig)[name]
    return set(typing.get_args(hint)) if isinstance(hint, types.UnionType) else {hint}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _warms_up(schedule: str) -> bool:
    return find_schedule(schedule).warmup is not None


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"' if isinstance(value, str) else repr(value)
