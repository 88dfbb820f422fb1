"""Which waiting texts go through the model together: of like length, the oldest always among them.

Plain values in, plain values out: knows nothing of threads, of models or of HTTP.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

Owner = TypeVar("Owner")
Content = TypeVar("Content")
LOOKAHEAD = 8  # passes among whose texts those of like length are looked for
# Of a pass, at most this share of its budget is padding: more passes cost less than more of it (LOG 2026-12-01).
PADDING = 32


@dataclass(slots=True)
class Waiting(Generic[Owner, Content]):
    """A text in the queue. owner: the request.    index: which of its texts.

    tokens: what it costs the model, at first about.
    content: what it is for the model, once it is encoded.
    kind: texts of another kind, which is another object, are never answered together.
    """

    owner: Owner
    index: int
    tokens: int
    kind: object = None
    content: Content | None = None


def take(queue: deque[Waiting[Owner, Content]], budget: int) -> list[Waiting[Owner, Content]]:
    """Remove and return what goes through the model next: the oldest text and those nearest to it in length.

    budget: padded tokens of a pass, which one text alone may exceed; little of it may be padding.
    Others keep their order. Looked at are the oldest LOOKAHEAD passes, so that a long queue costs no more.
    """
    if not queue:
        return []
    first = queue.popleft()
    seen: list[Waiting[Owner, Content]] = []
    total = 0
    while queue and total < LOOKAHEAD * budget:
        total += queue[0].tokens
        seen.append(queue.popleft())
    order = sorted(range(len(seen)), key=lambda place: (abs(seen[place].tokens - first.tokens), seen[place].tokens))
    taken, longest, own, spare = [first], first.tokens, first.tokens, budget // PADDING
    places: set[int] = set()
    for place in order:
        one = seen[place]
        reach = max(longest, one.tokens)
        padded = reach * (len(taken) + 1)
        if one.kind is not first.kind or padded > budget or padded - own - one.tokens > spare:
            continue
        taken.append(one)
        places.add(place)
        longest, own = reach, own + one.tokens
    queue.extendleft(seen[place] for place in reversed(range(len(seen))) if place not in places)
    return taken


class Gauge:
    """A running mean that forgets: the last few dozen values count most.

    >>> gauge = Gauge(4.0)
    >>> gauge.add(8.0), round(gauge.value, 2)
    (None, 4.4)
    """

    def __init__(self, value: float, weight: float = 0.1) -> None:
        self.value = value
        self._weight = weight

    def add(self, value: float) -> None:
        """Take a value into account."""
        self.value += self._weight * (value - self.value)
