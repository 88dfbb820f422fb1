"""One request until it is answered: what is sent, how long is waited, when it is given up.

Written as steps that somebody else carries out, so that `Client` and `AsyncClient` behave alike and tests need no time.
Knows nothing of how bytes travel, nor of what they mean.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from fastbert.errors import ConfigError

RETRIED = (429, 503)  # the server is full, starts or stops: nothing was done, and all that is asked may be asked again
FIRST_S, LONGEST_S = 0.25, 8.0  # within which the first wait and all later ones are drawn
LONGEST_ASKED_S = 60.0  # that a server may ask to wait


@dataclass(frozen=True)
class Call:
    """A request. path: from the address of the server on."""

    method: str
    path: str
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Send:
    """The step to send a request, and to give it up after timeout_s."""

    call: Call
    timeout_s: float


@dataclass(frozen=True)
class Wait:
    """The step to wait."""

    seconds: float


@dataclass(frozen=True)
class Reply:
    """What a server answered. headers: with names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Lost:
    """There was no answer. reason: for people."""

    reason: str


Outcome = Reply | Lost
Value = TypeVar("Value")
Steps = Generator[Send | Wait, Outcome | None, Value]


@dataclass(frozen=True)
class Patience:
    """How long an answer is waited for. timeout_s: in all, for one request.    retries: after the first attempt.

    clock: in seconds.    draw: a number from 0 to 1.
    """

    timeout_s: float = 30.0
    retries: int = 5
    clock: Callable[[], float] = time.monotonic
    draw: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        if not 0 < self.timeout_s < float("inf"):
            raise ConfigError(f"timeout_s is {self.timeout_s}; expected seconds, above 0.")
        if isinstance(self.retries, bool) or not isinstance(self.retries, int) or self.retries < 0:
            raise ConfigError(f"retries is {self.retries!r}; expected a whole number, 0 or more.")

    def delay_s(self, attempt: int, asked_s: float | None) -> float:
        """Return how long to wait after an attempt, counted from 0.

        Drawn from the whole of a range that doubles, so that clients that were refused together do not come back
        together ("full jitter", M. Brooker, AWS Architecture Blog, 2015).    asked_s: by the server, the least.
        """
        drawn_s = self.draw() * min(LONGEST_S, FIRST_S * 2.0**attempt)
        return drawn_s if asked_s is None else min(asked_s, LONGEST_ASKED_S) + drawn_s


@dataclass(frozen=True)
class Exchanged:
    """How a request ended. attempts: how often it was sent.    refused: how often with 429."""

    outcome: Outcome
    attempts: int
    refused: int


def exchange(call: Call, patience: Patience) -> Steps[Exchanged]:
    """Send a request until it is answered, refused for good, or given up; return the last outcome.

    Sent again after 429, 503 and where the connection failed: whatever is asked changes nothing.
    """
    deadline = patience.clock() + patience.timeout_s
    refused = attempt = 0
    while True:
        outcome = yield Send(call, max(0.001, deadline - patience.clock()))
        assert outcome is not None
        if isinstance(outcome, Reply) and outcome.status not in RETRIED:
            break
        asked_s = retry_after_s(outcome.headers.get("retry-after", "")) if isinstance(outcome, Reply) else None
        refused += isinstance(outcome, Reply) and outcome.status == 429
        delay_s = patience.delay_s(attempt, asked_s)
        if attempt >= patience.retries or patience.clock() + delay_s >= deadline:
            break
        yield Wait(delay_s)
        attempt += 1
    return Exchanged(outcome, attempt + 1, refused)


def retry_after_s(value: str, now: datetime | None = None) -> float | None:
    """Return how long the header Retry-After asks to wait, in seconds or as a date; None if it is neither.

    >>> retry_after_s("2"), retry_after_s("soon")
    (2.0, None)
    """
    if value.strip().isdecimal():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())
