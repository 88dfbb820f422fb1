"""What goes through the model together: the oldest first, others of like length, never more than the budget."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from fastbert.serving.queueing import PADDING, Gauge, Waiting, take

Row = Waiting[int, None]


def rows(*tokens: int) -> deque[Row]:
    return deque(Row(place, 0, count) for place, count in enumerate(tokens))


def owners(taken: list[Row]) -> list[int]:
    return [row.owner for row in taken]


def test_texts_of_like_length_are_taken_and_others_keep_their_order() -> None:
    queue = rows(10, 50, 11, 60, 9)

    assert sorted(owners(take(queue, 96))) == [0, 2, 4]
    assert owners(list(queue)) == [1, 3]


def test_one_text_may_be_longer_than_the_budget() -> None:
    assert owners(take(rows(100, 100), 10)) == [0]


def test_texts_of_another_kind_wait() -> None:
    queue = rows(10, 10, 10)
    queue[1].kind = "another"

    assert sorted(owners(take(queue, 100))) == [0, 2]


@given(st.lists(st.integers(1, 200), min_size=1, max_size=80), st.integers(16, 300))
def test_every_text_is_taken_once_and_the_oldest_at_once(tokens: list[int], budget: int) -> None:
    queue = rows(*tokens)
    seen: list[int] = []
    while queue:
        oldest = queue[0].owner
        taken = take(queue, budget)
        assert taken[0].owner == oldest
        padded = max(row.tokens for row in taken) * len(taken)
        assert len(taken) == 1 or padded <= budget
        assert padded - sum(row.tokens for row in taken) <= budget / PADDING
        seen += owners(taken)
    assert sorted(seen) == list(range(len(tokens)))


def test_a_gauge_follows_what_it_is_given() -> None:
    gauge = Gauge(1.0)
    for _ in range(100):
        gauge.add(5.0)

    assert abs(gauge.value - 5.0) < 0.01
