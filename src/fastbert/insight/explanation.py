"""An explanation as plain values: words, what each is worth to each output, the check, the nearest training rows.

It shows itself in a terminal and in a notebook. It holds the user's texts and is shown to the user alone. Knows nothing
of models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from fastbert.display import shorten
from fastbert.insight.attribution import Attributed
from fastbert.insight.explained_outputs import Output, Unit
from fastbert.insight.faithfulness import Faithfulness
from fastbert.insight.readings import Word
from fastbert.tasks.base import Prediction

METHODS = {"gradients": "integrated gradients", "occlusion": "occlusion"}  # as people read them


@dataclass(frozen=True)
class Attribution:
    """What each word is worth to one output.

    name: the label, entity or answer.    place: its characters, where it is a part of the text.
    unit: of value, hidden and values: "log-odds", the user's own ("value"), or "logits".
    score: value as people read it: a probability where it is log-odds.
    value, hidden: the output for the text, and with every word hidden.
    values: one for each word of the explanation, None for words that were not read.
    method: "gradients" or "occlusion".    steps, error: of gradients, as in `attribution.Attributed`.
    """

    name: str
    unit: Unit
    score: float
    value: float
    hidden: float
    values: tuple[float | None, ...]
    method: str
    place: tuple[int, int] | None = None
    steps: int | None = None
    error: float | None = None
    check: Faithfulness | None = None

    @classmethod
    def of(
        cls, output: Output, found: Attributed, words: Sequence[Word], method: str, check: Faithfulness | None = None
    ) -> Self:
        """Return what was found for an output."""
        values = tuple(value if word.read else None for value, word in zip(found.values_K.tolist(), words, strict=True))
        return cls(
            output.name, output.unit, output.score(found.value), found.value, found.hidden, values, method,
            output.place, found.steps, found.error, check,
        )  # fmt: skip

    @property
    def ranked(self) -> tuple[int, ...]:
        """Return the numbers of the words that were read, by falling size of their value."""
        known = [(number, value) for number, value in enumerate(self.values) if value is not None]
        return tuple(number for number, value in sorted(known, key=lambda item: -abs(item[1])))

    @property
    def largest(self) -> float:
        """Return the size of the largest value, 0 without one."""
        return max((abs(value) for value in self.values if value is not None), default=0.0)

    def shares(self) -> tuple[float, ...]:
        """Return each value as a share of the largest, from -1 to 1; 0 for words that were not read."""
        largest = self.largest or 1.0
        return tuple(0.0 if value is None else value / largest for value in self.values)


@dataclass(frozen=True)
class Neighbour:
    """A training row near to a text. truth: what the row says is right.    similarity: cosine of the two vectors."""

    similarity: float
    truth: str
    text: str
    where: str
    pair: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        values: dict[str, object] = {"similarity": self.similarity, "truth": self.truth, "where": self.where}
        return values | {"text": self.text} | ({} if self.pair is None else {"pair": self.pair})


@dataclass(frozen=True)
class Explanation:
    """Why a model answers a text as it does.

    words: of the text, then of its pair.    attributions: one for each output explained; none where there is none.
    hidden_by: the token that stood for hidden words.    num_windows: in which the text was read.
    similar, other: the nearest training rows, and the nearest whose truth is another than the answer.
    """

    prediction: Prediction
    words: tuple[Word, ...]
    attributions: tuple[Attribution, ...]
    hidden_by: str = ""
    num_windows: int = 1
    similar: tuple[Neighbour, ...] = ()
    other: tuple[Neighbour, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the text, or the two of a pair."""
        pair = self.prediction.pair
        return (self.prediction.text,) if pair is None else (self.prediction.text, pair)

    def with_similar(self, similar: Sequence[Neighbour], other: Sequence[Neighbour] = ()) -> Explanation:
        """Return it with training rows beside it."""
        return replace(self, similar=tuple(similar), other=tuple(other))

    def to_json(self) -> dict[str, object]:
        """Return plain values. Words are named once; values are in their order."""
        values: dict[str, object] = {
            "text": self.prediction.text,
            "prediction": self.prediction.to_json(),
            "words": [
                {"text": word.text, "start": word.start, "end": word.end, "source": word.source, "read": word.read}
                for word in self.words
            ],
            "attributions": [_attribution_json(one) for one in self.attributions],
            "hidden_by": self.hidden_by,
            "windows": self.num_windows,
        }
        for name, rows in (("similar", self.similar), ("other", self.other)):
            values |= {name: [row.to_json() for row in rows]} if rows else {}
        return values | ({} if self.prediction.pair is None else {"pair": self.prediction.pair})

    def __repr__(self) -> str:
        shown = "; ".join(f"{one.name} {one.score:.2f}: {self._top(one)}" for one in self.attributions)
        return f"Explanation({shown or shorten(self.prediction.text, 40)})"

    def _repr_html_(self) -> str:
        from fastbert.insight.explanation_page import notebook_fragment  # it imports this module

        return notebook_fragment(self)

    def _top(self, one: Attribution, count: int = 3) -> str:
        listed = [f"{self.words[number].text} {one.values[number]:+.2f}" for number in one.ranked[:count]]
        return ", ".join(listed) + (", ..." if len(one.ranked) > count else "")


def _attribution_json(one: Attribution) -> dict[str, object]:
    return {
        "name": one.name,
        "unit": one.unit,
        "score": one.score,
        "value": one.value,
        "hidden": one.hidden,
        "values": list(one.values),
        "method": one.method,
        **({} if one.place is None else {"place": list(one.place)}),
        **({} if one.steps is None else {"steps": one.steps, "error": one.error}),
        **({} if one.check is None else {"check": one.check.to_json()}),
    }
