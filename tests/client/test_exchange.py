"""One request: when it is sent again, after which pause, and when it is given up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fastbert.client.exchange import Call, Lost, Outcome, Patience, Reply, Send, Wait, exchange, retry_after_s
from fastbert.errors import ConfigError
from tests.client.scripted import Clock, carry_out

CALL = Call("POST", "/v1/predict", b"secret")
OK, FULL, STARTS, GONE = Reply(200, {}, b""), Reply(429, {}, b""), Reply(503, {}, b""), Lost("no connection")


def patience(clock: Clock, retries: int = 5, timeout_s: float = 30.0, draw: float = 1.0) -> Patience:
    return Patience(timeout_s, retries, clock, lambda: draw)


def waits(*outcomes: Outcome, retries: int = 5, draw: float = 1.0) -> list[float]:
    clock = Clock()
    _, steps = carry_out(exchange(CALL, patience(clock, retries, draw=draw)), outcomes, clock)
    return [step.seconds for step in steps if isinstance(step, Wait)]


@pytest.mark.parametrize("outcome", [FULL, STARTS, GONE])
def test_what_may_pass_is_asked_again(outcome: Outcome) -> None:
    found, _ = carry_out(exchange(CALL, patience(Clock())), [outcome, OK])

    assert (found.outcome, found.attempts) == (OK, 2)


@pytest.mark.parametrize("status", [200, 400, 401, 404, 413, 422, 500, 504])
def test_what_will_not_pass_is_asked_once(status: int) -> None:
    found, steps = carry_out(exchange(CALL, patience(Clock())), [Reply(status, {}, b"")])

    assert (len(steps), found.attempts) == (1, 1)


def test_pauses_double_up_to_a_limit() -> None:
    assert waits(*[GONE] * 7, OK, retries=7) == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0]


def test_pauses_are_drawn_from_the_whole_range() -> None:
    assert waits(GONE, OK, draw=0.0) == [0.0]
    assert waits(GONE, GONE, OK, draw=0.5) == [0.125, 0.25]


def test_retry_after_is_the_least_pause() -> None:
    assert waits(Reply(429, {"retry-after": "3"}, b""), OK) == [3.25]


def test_a_server_cannot_ask_for_more_than_a_minute() -> None:
    clock = Clock()
    steps = exchange(CALL, patience(clock, timeout_s=100.0))

    _, done = carry_out(steps, [Reply(503, {"retry-after": "99999"}, b""), OK], clock)

    assert done[1] == Wait(60.25)


def test_retries_are_counted() -> None:
    found, _ = carry_out(exchange(CALL, patience(Clock(), retries=2)), [GONE, FULL, FULL])

    assert (found.outcome, found.attempts, found.refused) == (FULL, 3, 2)


def test_all_attempts_share_one_deadline() -> None:
    clock = Clock()

    found, steps = carry_out(exchange(CALL, patience(clock, 99, 10.0)), [FULL] * 4, clock, each_s=2.0)

    assert [step.timeout_s for step in steps if isinstance(step, Send)] == [10.0, 7.75, 5.25, 2.25]
    assert found.attempts == 4
    assert clock.now <= 10.0


def test_a_pause_that_would_end_after_the_deadline_is_not_begun() -> None:
    assert waits(Reply(429, {"retry-after": "40"}, b"")) == []


def test_what_is_sent_is_not_shown() -> None:
    assert "secret" not in repr(Send(CALL, 1.0))
    assert "secret" not in repr(Reply(200, {}, b"secret"))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        (" 0 ", 0.0),
        ("Tue, 01 Dec 2026 00:00:07 GMT", 7.0),
        ("Mon, 30 Nov 2026 00:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_s(value, datetime(2026, 12, 1, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("timeout_s", "retries", "message"),
    [
        (0.0, 5, "timeout_s is 0.0; expected seconds, above 0."),
        (float("inf"), 5, "timeout_s is inf; expected seconds, above 0."),
        (1.0, -1, "retries is -1; expected a whole number, 0 or more."),
        (1.0, True, "retries is True; expected a whole number, 0 or more."),
    ],
)
def test_impatience_is_refused(timeout_s: float, retries: int, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}$"):
        Patience(timeout_s, retries)
