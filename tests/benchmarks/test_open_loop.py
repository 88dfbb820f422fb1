"""The load generator: it neither waits for a slow server, nor loses sight of a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from benchmarks.open_loop import BROKEN, REFUSED, Outcome, Pool, closed_loop, get, open_loop, post

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def load(answer: Answer, run: Callable[[Pool], Awaitable[Outcome]]) -> Outcome:
    """Return the outcome of a load on a server of one function."""
    handlers: set[asyncio.Task[None] | None] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.current_task())
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await answer(head, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            await writer.wait_closed()

    async def work() -> Outcome:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        pool = Pool("127.0.0.1", server.sockets[0].getsockname()[1])
        outcome = await run(pool)
        pool.close()
        await asyncio.gather(*(one for one in handlers if one is not None))
        server.close()
        return outcome

    return asyncio.run(work())


async def well(head: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nok")


def test_every_request_is_answered_and_comes_when_it_was_planned() -> None:
    outcome = load(well, lambda pool: open_loop(pool, [get("/")], 500, 0.4))

    assert set(outcome.status) == {200}
    assert 150 < len(outcome.status) < 250
    assert outcome.planned == sorted(outcome.planned)


def test_a_server_that_stalls_is_asked_all_the_same_and_its_latency_counts_from_the_plan() -> None:
    asked = [0]
    several = asyncio.Event()

    async def stall(head: bytes, writer: asyncio.StreamWriter) -> None:
        asked[0] += 1
        if asked[0] >= 50:
            several.set()
        await several.wait()  # would wait for ever for a closed loop of fewer clients
        await well(head, writer)

    outcome = load(stall, lambda pool: open_loop(pool, [get("/")], 500, 0.4))

    assert set(outcome.status) == {200}
    first, last = outcome.seconds[0], outcome.seconds[49]
    assert first - last > 0.5 * (outcome.planned[49] - outcome.planned[0])


def test_answers_of_other_kinds_are_counted_apart() -> None:
    numbers = iter(range(10_000))

    async def mixed(head: bytes, writer: asyncio.StreamWriter) -> None:
        number = next(numbers) % 3
        if number == 0:
            await well(head, writer)
        elif number == 1:
            writer.write(b"HTTP/1.1 429 Busy\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        else:
            writer.close()

    summary = load(mixed, lambda pool: open_loop(pool, [get("/")], 500, 0.3)).summary()

    assert set(summary["statuses"]) == {"broken", "200", "429"}
    assert sum(summary["statuses"].values()) == summary["requests"]


def test_no_server_is_refused() -> None:
    async def work() -> Outcome:
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return await open_loop(Pool("127.0.0.1", port), [get("/")], 200, 0.1)

    assert set(asyncio.run(work()).status) == {REFUSED}


def test_clients_of_a_closed_loop_ask_one_at_a_time() -> None:
    at_once, most = [0], [0]

    async def counted(head: bytes, writer: asyncio.StreamWriter) -> None:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        await asyncio.sleep(0)
        at_once[0] -= 1
        await well(head, writer)

    outcome = load(counted, lambda pool: closed_loop(pool, [get("/")], 4, 0.2))

    assert set(outcome.status) == {200}
    assert most[0] <= 4
    assert BROKEN not in outcome.status


def test_a_body_is_sent_with_its_length() -> None:
    assert post("/a", b"{}").endswith(b"Content-Length: 2\r\n\r\n{}")
