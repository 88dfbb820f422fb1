"""The queue of a model: shared passes change no score, limits hold, and nobody waits for a client that is gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from fastbert.export.quantize import SCHEMES
from fastbert.inference.onnx_backend import OnnxBackend
from fastbert.inference.predictor import Predictor, as_examples
from fastbert.serving.batcher import Batcher
from fastbert.serving.metrics import Metrics
from fastbert.serving.problems import Problem
from fastbert.serving.settings import Limits, Settings
from tests.serving.gates import Gate

TEXTS = [
    "the app is slow",
    "bug",
    "good " * 50,
    "please help me , the export button does nothing",
    "great app",
    "why ?",
]


@asynccontextmanager
async def batching(
    folder: Path, limits: Limits | None = None, *, opened: bool = True
) -> AsyncIterator[tuple[Batcher, Gate, Predictor]]:
    predictor = Predictor.load(folder, "onnx")
    predictor.backend = gate = Gate(predictor.backend, opened=opened)
    batcher = Batcher(predictor, Settings(limits or Limits()), Metrics().of_model("m"))
    try:
        yield batcher, gate, predictor
    finally:
        gate.open.set()
        await batcher.close()


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(work())  # type: ignore[arg-type]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_scores_are_the_same_alone_and_among_others(single: Path, tmp_path: Path, precision: str) -> None:
    predictor = Predictor.load(single, "onnx")
    if precision == "int8":
        next(iter(SCHEMES.values()))(single / "onnx/model.onnx", tmp_path / "int8.onnx")
        predictor.backend = OnnxBackend(tmp_path / "int8.onnx")
    rule = predictor.bundle.decisions
    rng = np.random.default_rng(0)
    texts = [TEXTS[place] for place in rng.integers(0, len(TEXTS), 60)]

    async def work() -> None:
        batcher = Batcher(predictor, Settings(), Metrics().of_model("m"))
        jobs = [batcher.submit(as_examples([text]), rule, 30) for text in texts]
        jobs.append(batcher.submit(as_examples(TEXTS), rule, 30))
        await asyncio.gather(*(job.future for job in jobs))
        await batcher.close()
        alone = {text: list(predictor([text])[0].scores.values()) for text in TEXTS}
        for job, text in zip(jobs[:-1], texts, strict=True):
            np.testing.assert_allclose(list(job.predictions[0].scores.values()), alone[text], atol=1e-5, rtol=0)
        for prediction, text in zip(jobs[-1].predictions, TEXTS, strict=True):
            np.testing.assert_allclose(list(prediction.scores.values()), alone[text], atol=1e-5, rtol=0)

    run(work)


def test_what_waits_shares_the_next_pass(single: Path) -> None:
    async def work() -> None:
        async with batching(single, opened=False) as (batcher, gate, predictor):
            rule = predictor.bundle.decisions
            first = batcher.submit(as_examples(["bug"]), rule, 30)
            await asyncio.to_thread(gate.entered.acquire)
            others = [batcher.submit(as_examples(["the app"]), rule, 30) for _ in range(5)]
            gate.open.set()
            await asyncio.gather(first.future, *(job.future for job in others))
            assert gate.sizes == [1, 5]

    run(work)


def test_a_full_queue_refuses_and_says_when_to_come_again(single: Path) -> None:
    async def work() -> None:
        async with batching(single, Limits(waiting_texts=2), opened=False) as (batcher, gate, predictor):
            rule = predictor.bundle.decisions
            jobs = [batcher.submit(as_examples(["bug"]), rule, 30)]
            await asyncio.to_thread(gate.entered.acquire)
            jobs += [batcher.submit(as_examples(["bug"]), rule, 30) for _ in range(2)]
            with pytest.raises(Problem) as caught:
                batcher.submit(as_examples(["bug"]), rule, 30)
            assert caught.value.status == 429
            assert int(caught.value.headers["Retry-After"]) >= 1
            gate.open.set()
            await asyncio.gather(*(job.future for job in jobs))
            await batcher.submit(as_examples(["bug"]), rule, 30).future  # there is room again

    run(work)


def test_passes_of_single_texts_do_not_tell_how_long_a_queue_takes(single: Path) -> None:
    async def work() -> None:
        async with batching(single, Limits(wait_s=1e-9)) as (batcher, gate, predictor):
            rule = predictor.bundle.decisions

            async def ask_behind_another() -> None:
                gate.open.clear()
                jobs = [batcher.submit(as_examples(["bug"]), rule, 30)]
                await asyncio.to_thread(gate.entered.acquire)
                try:
                    jobs += [batcher.submit(as_examples(["bug"]), rule, 30) for _ in range(2)]
                finally:
                    gate.open.set()
                    await asyncio.gather(*(job.future for job in jobs))

            await batcher.submit(as_examples(["bug"]), rule, 30).future
            gate.entered.acquire()
            await ask_behind_another()
            await batcher.submit(as_examples(["good " * 20] * 20), rule, 30).future
            while gate.entered.acquire(blocking=False):
                pass
            with pytest.raises(Problem, match="queue is full"):
                await ask_behind_another()

    run(work)


def test_an_empty_queue_takes_a_request_that_is_larger_than_its_room(single: Path) -> None:
    async def work() -> None:
        async with batching(single, Limits(waiting_texts=2)) as (batcher, _, predictor):
            job = batcher.submit(as_examples(TEXTS), predictor.bundle.decisions, 30)
            await job.future
            assert len(job.predictions) == len(TEXTS)

    run(work)


def test_an_answer_that_is_late_is_a_timeout_and_leaves_the_queue(single: Path) -> None:
    async def work() -> None:
        async with batching(single, opened=False) as (batcher, gate, predictor):
            rule = predictor.bundle.decisions
            first = batcher.submit(as_examples(["bug"]), rule, 30)
            await asyncio.to_thread(gate.entered.acquire)
            late = batcher.submit(as_examples(["the app", "is slow"]), rule, 0.01)
            with pytest.raises(Problem, match="no answer within 0.01 s") as caught:
                await late.future
            assert caught.value.status == 504
            assert batcher.waiting == 0
            gate.open.set()
            await first.future
            assert gate.sizes == [1]  # nothing was computed for it

    run(work)


def test_a_client_that_is_gone_is_taken_out_of_the_queue(single: Path) -> None:
    async def work() -> None:
        async with batching(single, opened=False) as (batcher, gate, predictor):
            rule = predictor.bundle.decisions
            first = batcher.submit(as_examples(["bug"]), rule, 30)
            await asyncio.to_thread(gate.entered.acquire)
            gone = batcher.submit(as_examples(["the app"]), rule, 30)
            stays = batcher.submit(as_examples(["is slow"]), rule, 30)
            batcher.drop(gone)
            gate.open.set()
            await asyncio.gather(first.future, stays.future)
            assert gate.sizes == [1, 1]

    run(work)


def test_the_text_of_one_request_fails_no_other(single: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        async with batching(single, opened=False) as (batcher, gate, predictor):
            rule = predictor.bundle.decisions
            gate.poison = predictor.tokenizer.backend.token_to_id("crash")
            first = batcher.submit(as_examples(["bug"]), rule, 30)
            await asyncio.to_thread(gate.entered.acquire)
            bad = batcher.submit(as_examples(["crash"]), rule, 30)
            good = [batcher.submit(as_examples(["app"]), rule, 30) for _ in range(3)]
            gate.open.set()
            await asyncio.gather(first.future, *(job.future for job in good))
            with pytest.raises(Problem) as caught:
                await bad.future
            assert caught.value.status == 500

    with caplog.at_level(logging.ERROR):
        run(work)

    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_closing_answers_what_waits_and_takes_nothing_more(single: Path) -> None:
    async def work() -> None:
        predictor = Predictor.load(single, "onnx")
        batcher = Batcher(predictor, Settings(), Metrics().of_model("m"))
        jobs = [batcher.submit(as_examples(TEXTS), predictor.bundle.decisions, 30) for _ in range(10)]
        await batcher.close()
        await asyncio.gather(*(job.future for job in jobs))
        with pytest.raises(Problem) as caught:
            batcher.submit(as_examples(TEXTS), predictor.bundle.decisions, 30)
        assert caught.value.status == 503

    run(work)


def test_tokens_are_those_of_the_whole_text(single: Path) -> None:
    async def work() -> None:
        async with batching(single) as (batcher, _, predictor):
            job = batcher.submit(as_examples(["bug", "good " * 50]), predictor.bundle.decisions, 30)
            await job.future
            assert job.tokens == [3, 52]

    run(work)
