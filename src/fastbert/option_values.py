"""What all option classes share: values in their types, from code or text, ranges and durations checked in one place.

Knows no option by name but `task`, whose wrong values may be commands.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Literal, Self

from fastbert.errors import ConfigError, did_you_mean

COMMANDS = {  # tasks that have commands of their own
    "language": "Use `fastbert adapt CORPUS`, or `fastbert pretrain CORPUS` for a new encoder.",
    "summarizing": "Use `fastbert train-summarizer TABLE`.",
}

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}  # of durations


@dataclass(frozen=True)
class Options:
    """Shared behaviour of the option classes: coercion, checks and plain values."""

    def changed(self, **changes: object) -> Self:
        """Return a copy with some options replaced. Raises ConfigError for a bad name or value."""
        known = {field.name: field for field in fields(self)}
        hints = typing.get_type_hints(type(self))
        checked: dict[str, object] = {}
        for name, value in changes.items():
            if name not in known:
                hint = did_you_mean(name, known) or f"Known options: {', '.join(known)}."
                raise ConfigError(f"'{name}' is not an option.", hint)
            checked[name] = _coerce(name, value, hints[name])
        return replace(self, **checked)  # checked one by one above

    def check_types(self) -> None:
        """Raise ConfigError for a value of another type; text that says a number or a flag is for `changed`."""
        for name, hint in typing.get_type_hints(type(self)).items():
            value = getattr(self, name)
            if isinstance(_coerce(name, value, hint), str) != isinstance(value, str):
                expected = _describe(typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,))
                raise ConfigError(f"{name} is {value!r}; expected {expected}.")

    def to_json(self) -> dict[str, object]:
        """Return plain values, for the plan and the bundle."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def chosen(self) -> dict[str, object]:
        """Return the options that are not as they are by default, as plain values."""
        usual = type(self)().to_json()
        return {name: value for name, value in self.to_json().items() if value != usual[name]}


def chosen_of(name: str, value: object, choices: Sequence[str]) -> object:
    """Return the value of an option that has choices. Raises ConfigError for any other."""
    if value not in choices:
        raise ConfigError(f"{name} is {value!r}; expected one of {', '.join(choices)}.")
    return value


def check_range(name: str, value: float, low: float, high: float, *, open_low: bool = False) -> None:
    """Raise ConfigError for an option's value outside its range. open_low: the lower end is outside too."""
    if not (low < value if open_low else low <= value) or not value <= high:
        expected = f"above {_plain(low)}" if open_low else f"at least {_plain(low)}"
        raise ConfigError(f"{name} is {value}; it must be {expected} and at most {_plain(high)}.")


def parse_duration(text: str | float, option: str) -> float:
    """Return seconds. Text without a unit is seconds. Raises ConfigError for anything that is no time above 0.

    >>> parse_duration("20m", "timeout"), parse_duration("1h30m", "timeout"), parse_duration("20ms", "max_latency")
    (1200.0, 5400.0, 0.02)
    """
    written = str(text).strip().lower()
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d)", written)
    if re.fullmatch(r"\d+(\.\d+)?", written):
        seconds = float(written)
    elif parts and re.fullmatch(r"(\d+(\.\d+)?\s*(ms|min|s|m|h|d)\s*)+", written):
        seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    else:
        raise ConfigError(
            f"{option} is '{text}', which is no time.", "Write a number with a unit: 20ms, 90s, 20m, 1h30m."
        )
    if not 0 < seconds < 1e9:
        raise ConfigError(f"{option} is '{text}'; it must be above 0.", "Write a number with a unit: 20ms, 90s, 20m.")
    return seconds


def _plain(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _coerce(name: str, value: object, hint: object) -> object:
    """Return the value in the option's type; text is parsed, everything else must fit already."""
    choices = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None or (isinstance(value, str) and value.lower() == "none" and type(None) in choices):
        if type(None) in choices:
            return None
        raise ConfigError(f"{name} must have a value.")
    for choice in choices:
        converted = _converted(value, choice)
        if converted is not None:
            return converted
    elsewhere = COMMANDS.get(str(value)) if name == "task" else None
    raise ConfigError(
        f"{name} is {value!r}; expected {_describe(choices)}.", elsewhere or _closest_choice(value, choices)
    )


def _converted(value: object, choice: object) -> object | None:
    if typing.get_origin(choice) is Literal:
        return value if value in typing.get_args(choice) else None
    if typing.get_origin(choice) is tuple:
        return _as_names(value)
    if choice is bool:
        return _as_bool(value)
    if choice is str:
        return str(value) if isinstance(value, str | Path) else None
    if choice in (int, float) and not isinstance(value, bool):
        return _as_number(value, whole=choice is int)
    return None


def _as_names(value: object) -> tuple[str, ...] | None:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, int) and not isinstance(value, bool):
        return (str(value),)
    if isinstance(value, list | tuple) and all(isinstance(item, str | int) for item in value):
        return tuple(str(item) for item in value)
    return None


def _as_bool(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def _as_number(value: object, *, whole: bool) -> float | int | None:
    try:
        if isinstance(value, str):
            return int(value) if whole else float(value)
        if isinstance(value, int):
            return int(value) if whole else float(value)
        return None if whole or not isinstance(value, float) else value
    except (ValueError, OverflowError):
        return None


def _describe(choices: tuple[object, ...]) -> str:
    words: list[str] = []
    plain = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "none"}
    for choice in choices:
        if typing.get_origin(choice) is Literal:
            words.extend(str(item) for item in typing.get_args(choice))
        elif typing.get_origin(choice) is tuple:
            words.append("names")
        else:
            words.append(plain[typing.cast("type", choice)])
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _closest_choice(value: object, choices: tuple[object, ...]) -> str | None:
    known = [str(item) for choice in choices for item in typing.get_args(choice) if isinstance(item, str)]
    return did_you_mean(str(value), known) if known else None
