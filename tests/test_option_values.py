"""Values of options: durations as people write them, and what is said of wrong ones; the rest is in test_config."""

from __future__ import annotations

import pytest

from fastbert.config import DataConfig
from fastbert.errors import ConfigError
from fastbert.option_values import chosen_of, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        (45, 45),
        ("20m", 1200),
        ("1h30m", 5400),
        ("20 ms", 0.02),
        ("1.5h", 5400),
        ("2d", 172_800),
        ("3min", 180),
    ],
)
def test_durations_are_read(text: str | float, seconds: float) -> None:
    assert parse_duration(text, "timeout") == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "20x", "-5m", "5m later", "0s", "m5"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="timeout is '.*'") as caught:
        parse_duration(text, "timeout")

    assert caught.value.hint is not None and "20m" in caught.value.hint


def test_chosen_options_are_those_that_differ_from_the_default() -> None:
    assert DataConfig().chosen() == {}
    assert DataConfig(text=("title", "body"), valid_share=0.2).chosen() == {
        "text": ["title", "body"],
        "valid_share": 0.2,
    }


def test_a_choice_is_one_of_those_named() -> None:
    assert chosen_of("backend", "torch", ("torch", "onnx")) == "torch"
    with pytest.raises(ConfigError, match="backend is 'tf'; expected one of torch, onnx"):
        chosen_of("backend", "tf", ("torch", "onnx"))
