"""The client of event loops: the same answers, retries and errors, without blocking the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

import fastbert
from fastbert.client.async_client import AsyncClient
from fastbert.client.client import Client
from fastbert.errors import DataError, ServerError
from fastbert.tasks.base import Prediction
from tests.client.scripted import Script, busy, refusal
from tests.serving.asking import Asker

TEXTS = ["the app is slow", "bug", ""]


def scripted(script: Script, timeout_s: float = 30.0, retries: int = 5) -> AsyncClient:
    client = AsyncClient("http://s", timeout_s=timeout_s, retries=retries, transport=httpx2.MockTransport(script))
    client._pause = script.pause_async
    return client


def lengths(script: Script, count: int, retries: int = 5) -> list[float]:
    async def ask() -> list[Prediction]:
        async with scripted(script, retries=retries) as client:
            return await client(["a" * number for number in range(count)])

    return [one.scores["bug"] for one in asyncio.run(ask())]


def test_it_answers_as_the_other_client_does(server: Asker, single: Path) -> None:
    async def ask() -> tuple[object, ...]:
        async with AsyncClient(server.address) as client:
            found = await client(TEXTS), await client.explain(TEXTS[:1]), await client.models(), await client.ready()
            return (*found, await client.predict(TEXTS, top_k=1, threshold=0.0))

    with Client(server.address) as client:
        expected = client(TEXTS), client.explain(TEXTS[:1]), client.models(), client.ready()
        assert asyncio.run(ask()) == (*expected, client.predict(TEXTS, top_k=1, threshold=0.0))


def test_many_texts_are_sent_in_parts_and_answered_in_order() -> None:
    script = Script()

    assert lengths(script, 200) == list(range(200))
    assert script.sizes == [64, 64, 64, 8]


def test_a_stream_takes_texts_as_they_come() -> None:
    async def texts() -> AsyncIterator[str]:
        for number in range(5):
            yield "a" * number

    async def ask() -> list[float]:
        async with scripted(Script()) as client:
            return [one.scores["bug"] async for one in client.stream(texts(), chunk=2)]

    assert asyncio.run(ask()) == [0, 1, 2, 3, 4]


def test_a_few_requests_are_on_their_way_at_a_time() -> None:
    script = Script()

    async def ask() -> int:
        together = asyncio.Barrier(4)

        async def answer(request: httpx2.Request) -> httpx2.Response:
            await together.wait()
            return script(request)

        async with AsyncClient("http://s", transport=httpx2.MockTransport(answer)) as client:
            return len([one async for one in client.stream(["a"] * 8, chunk=1)])

    assert asyncio.run(asyncio.wait_for(ask(), 30)) == 8


@pytest.mark.parametrize("outcome", [busy(429), busy(503), httpx2.ConnectError("no"), httpx2.ReadError("cut")])
def test_a_request_is_sent_again_after_a_pause(outcome: httpx2.Response | Exception) -> None:
    script = Script(outcome)

    assert lengths(script, 2) == [0, 1]
    assert len(script.pauses) == 1


def test_retries_end() -> None:
    script = Script(*[busy() for _ in range(3)])

    with pytest.raises(ServerError, match=r"answered 429 \(asked 3 times\)"):
        lengths(script, 1, retries=2)


def test_an_answer_that_does_not_come_is_given_up() -> None:
    async def never(request: httpx2.Request) -> httpx2.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def ask() -> None:
        async with AsyncClient("http://s", timeout_s=0.01, transport=httpx2.MockTransport(never)) as client:
            await client(["a"])

    with pytest.raises(ServerError, match="does not answer: no answer in time"):
        asyncio.run(ask())


def test_an_error_ends_what_is_on_its_way() -> None:
    left: list[asyncio.Task[object]] = []

    async def ask() -> None:
        async with scripted(Script(refusal(422, "invalid_value", "No.", "top_k"))) as client:
            try:
                await client(["a"] * 640)
            finally:
                left.extend(asyncio.all_tasks() - {asyncio.current_task()})

    with pytest.raises(ServerError, match="top_k: No"):
        asyncio.run(ask())
    assert left == []


def test_a_single_text_is_refused() -> None:
    async def ask() -> None:
        async with scripted(Script()) as client:
            await client("a text")

    with pytest.raises(DataError):
        asyncio.run(ask())


def test_the_name_is_public() -> None:
    assert fastbert.AsyncClient is AsyncClient
