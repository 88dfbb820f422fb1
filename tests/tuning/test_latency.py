"""How long one text takes: measured in turns, after a warm-up, by the backend that will answer."""

from __future__ import annotations

import itertools

import pytest
import torch

from fastbert.data.examples import TextExample
from fastbert.runtime import using_threads
from fastbert.tuning import latency
from fastbert.tuning.latency import LEAST_ROUNDS, MOST_ROUNDS, WARM_UP, Latency, measure, texts_of, time_answers
from tests.feedback import make_learner

TEXTS = (TextExample("short"), TextExample("a long text"))


def test_texts_take_turns_and_the_first_calls_are_not_timed() -> None:
    asked: list[str] = []
    ticks = itertools.count(0.0, 0.001)
    found = time_answers(lambda example: asked.append(example.text), TEXTS, clock=lambda: next(ticks))

    assert asked[:4] == ["short", "a long text", "short", "a long text"]
    assert LEAST_ROUNDS <= len(asked) / 2 - WARM_UP <= MOST_ROUNDS
    assert (found.middle_s, found.long_s, found.spread) == pytest.approx((0.001, 0.001, 0.0))


def test_one_slow_call_does_not_count() -> None:
    now, calls = [0.0], itertools.count()

    def answer(example: TextExample) -> None:
        now[0] += 1000.0 if next(calls) == 30 else 0.002

    assert time_answers(answer, TEXTS, clock=lambda: now[0]).middle_s == pytest.approx(0.002)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_a_learner_that_was_not_trained_is_measured(
    backend: str, encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "LONGEST_S", 0.0)
    learner = make_learner(encoder)

    found = measure(learner, texts_of(learner), backend)

    assert 0 < found.middle_s < 1 and 0 < found.long_s < 1 and found.spread >= 0


def test_the_texts_are_a_middle_and_a_long_one(encoder: str) -> None:
    learner = make_learner(encoder)
    tokens = dict(zip(learner.data.examples("train"), learner.data.encoded("train").num_tokens_N.tolist(), strict=True))
    middle, long = texts_of(learner)
    ordered = sorted(tokens.values())

    assert tokens[middle] == ordered[(len(ordered) - 1) // 2]
    assert sum(length <= tokens[long] for length in ordered) >= 0.95 * len(ordered)


def test_times_are_of_a_machine_and_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    here = latency.machine()
    assert latency.machine() == here
    with using_threads(torch.get_num_threads() + 1):
        threads = latency.machine()
    monkeypatch.setattr("platform.node", lambda: "elsewhere")

    assert len({here, threads, latency.machine()}) == 3


def test_a_latency_is_told_with_its_spread() -> None:
    assert Latency(0.004, 0.02, 0.5).describe().startswith("20.0 ms for a long text (spread 50 %)")
