"""A metered backend answers as the other one does, and counts real tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.inference.metering import MeteredBackend
from fastbert.inference.predictor import Predictor

TEXTS = ["the app is great", "the page is slow and the app works , please help"]


def test_answers_are_those_of_the_backend_and_real_tokens_are_counted(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([10.0, 12.0])
    monkeypatch.setattr("fastbert.inference.metering.time.perf_counter", lambda: next(ticks))
    model = Predictor.load(bundle)
    expected, name = model(TEXTS), model.backend.name

    meter = MeteredBackend(model.backend)
    model.backend = meter

    assert model(TEXTS) == expected
    assert meter.name == name
    assert meter.tokens == (4 + 2) + (11 + 2)
    assert meter.describe_speed(len(TEXTS)) == "1 texts/s, 10 tokens/s"
