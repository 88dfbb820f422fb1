"""A load generator with an open loop: requests leave when they were planned to, however slow the answers are.

A closed loop waits for an answer before it asks again, so that a server that stalls is asked less and looks well
("coordinated omission"). Here latency counts from the planned time. HTTP/1.1 over as many connections as it takes.

Knows nothing of FastBert.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

REFUSED, BROKEN = -1, -2  # instead of a status: no connection was to be had; it ended without an answer
TICK_S = 0.001


@dataclass
class Outcome:
    """What became of the requests, in order of planned time. seconds: from it to the answer."""

    planned: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    late_s: float = 0.0  # by how much the generator itself was behind, at most

    def summary(self, status: int = 200) -> dict[str, Any]:
        """Return how many had this status and their latencies in ms, and how many had which other one."""
        counts = Counter(self.status)
        times = np.array([took for took, one in zip(self.seconds, self.status, strict=True) if one == status]) * 1000
        names = {REFUSED: "refused", BROKEN: "broken"}
        found: dict[str, Any] = {"requests": len(self.status), "late_ms": round(self.late_s * 1000, 1)}
        found["statuses"] = {names.get(one, str(one)): count for one, count in sorted(counts.items())}
        if len(times):
            points = {"p50": 50, "p90": 90, "p99": 99, "p99.9": 99.9, "max": 100}
            found["ms"] = {name: round(float(np.percentile(times, at)), 2) for name, at in points.items()}
        return found


class _Connection(asyncio.Protocol):
    """One connection; a request at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._data, self._needed = pool, b"", 0
        self._done: Callable[[int], None] | None = None
        self._status, self._close = 0, False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def ask(self, request: bytes, done: Callable[[int], None]) -> None:
        assert self.transport is not None
        self._done = done
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._needed:
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._data[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 : (head.find(b"\r\n", at) + 1 or end + 1) - 1]) if at >= 0 else 0
            self._status, self._close = int(head[9:12]), b"\r\nconnection: close" in head
            self._needed = end + 4 + length
        if len(self._data) >= self._needed:
            self._data, self._needed = b"", 0
            self._finish(self._status)

    def connection_lost(self, error: Exception | None) -> None:
        self._pool.idle.pop(self, None)
        self._close = True
        if self._done is not None:
            self._finish(BROKEN)

    def _finish(self, status: int) -> None:
        done, self._done = self._done, None
        if not self._close:
            self._pool.idle[self] = None
        elif self.transport is not None:
            self.transport.close()
        if done is not None:
            done(status)


class Pool:
    """Connections to one server, made as they are needed."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.idle: dict[_Connection, None] = {}
        self._making: set[asyncio.Task[None]] = set()

    def ask(self, request: bytes, done: Callable[[int], None]) -> None:
        """Send a request on a connection that is free, or a new one; done(status) is called once."""
        if self.idle:
            connection, _ = self.idle.popitem()
            connection.ask(request, done)
            return
        task = asyncio.get_running_loop().create_task(self._connect(request, done))
        self._making.add(task)
        task.add_done_callback(self._making.discard)

    async def _connect(self, request: bytes, done: Callable[[int], None]) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(lambda: _Connection(self), self.host, self.port)
        except OSError:
            done(REFUSED)
        else:
            connection.ask(request, done)

    def close(self) -> None:
        """Close the connections that are free."""
        for connection in list(self.idle):
            assert connection.transport is not None
            connection.transport.close()


def post(path: str, body: bytes, host: str = "bench") -> bytes:
    """Return a request with a JSON body."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(path: str, host: str = "bench") -> bytes:
    """Return a request without a body."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


async def open_loop(pool: Pool, requests: Iterable[bytes], rate: float, seconds: float, seed: int = 0) -> Outcome:
    """Send requests for so long at a rate a second, at random times (Poisson), and wait for all answers."""
    rng = np.random.default_rng(seed)
    gaps = rng.exponential(1 / rate, int(rate * seconds * 1.2) + 100)
    times = np.cumsum(gaps)
    times = times[times < seconds]
    count = len(times)
    outcome = Outcome(times.tolist(), [0.0] * count, [0] * count)
    loop, source = asyncio.get_running_loop(), itertools.cycle(requests)
    left, over = [count], loop.create_future()
    start = time.perf_counter() + 0.01

    def finish(number: int, status: int) -> None:
        outcome.seconds[number] = time.perf_counter() - start - outcome.planned[number]
        outcome.status[number] = status
        left[0] -= 1
        if not left[0]:
            over.set_result(None)

    number = 0
    while number < count:
        now = time.perf_counter() - start
        while number < count and outcome.planned[number] <= now:
            outcome.late_s = max(outcome.late_s, now - outcome.planned[number])
            pool.ask(next(source), lambda status, number=number: finish(number, status))  # type: ignore[misc]
            number += 1
        await asyncio.sleep(TICK_S)
    await over
    return outcome


async def closed_loop(pool: Pool, requests: Sequence[bytes], clients: int, seconds: float) -> Outcome:
    """Let so many clients ask for so long, each again as soon as it is answered: for the throughput, not latencies."""
    loop, source, outcome = asyncio.get_running_loop(), itertools.cycle(requests), Outcome()
    start = time.perf_counter()

    async def client() -> None:
        while (begun := time.perf_counter()) - start < seconds:
            answered = loop.create_future()
            pool.ask(next(source), answered.set_result)
            status = await answered
            outcome.planned.append(begun - start)
            outcome.seconds.append(time.perf_counter() - begun)
            outcome.status.append(status)

    await asyncio.gather(*(client() for _ in range(clients)))
    return outcome
