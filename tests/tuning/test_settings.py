"""What a search is asked for, as people write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.errors import ConfigError
from fastbert.tuning.settings import SETTINGS, TRIALS, Settings


def test_what_people_write_becomes_settings(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text("batch_size = [8, 16]\n")
    found = Settings.of({"timeout": "20m", "max_latency": "20ms", "space": tmp_path / "space.toml", "study": None})

    assert (found.timeout_s, found.max_latency_s, found.study) == (1200.0, 0.02, None)
    assert found.space is not None and list(found.space.parts) == ["batch_size"]
    assert Settings.of({"space": {"batch_size": [8, 16]}}).space == found.space


def test_settings_have_the_names_of_the_options() -> None:
    assert SETTINGS == ("trials", "timeout", "storage", "study", "space", "splits", "max_latency", "backend")


def test_trials_are_limited_by_one_of_both() -> None:
    assert Settings().most_trials == TRIALS
    assert Settings(timeout_s=60.0).most_trials is None
    assert Settings(trials=3, timeout_s=60.0).most_trials == 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"trials": 0}, "trials is 0; it must be at least 1"),
        ({"trials": "many"}, "trials is 'many'; expected a whole number"),
        ({"splits": 11}, "splits is 11"),
        ({"backend": "onnxx", "max_latency": "1s"}, "backend is 'onnxx'; expected one of torch, onnx"),
        ({"backend": "onnx"}, "backend is for a search with a latency"),
        ({"timeout": "soon"}, "timeout is 'soon'"),
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Settings.of(values)
