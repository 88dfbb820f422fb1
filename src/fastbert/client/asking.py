"""What is asked, in parts of a size that servers take, and how many parts at a time; as steps (`exchange`).

Knows nothing of how bytes travel.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastbert.client.answers import ServedModel, Values
from fastbert.client.exchange import Call, Exchanged, Patience, Reply, Steps, exchange
from fastbert.client.failures import error_of, is_too_much, unreadable
from fastbert.errors import ConfigError, DataError, ServerError
from fastbert.inference.predictor import num_characters
from fastbert.tasks.base import Example

TEXTS, CHARACTERS = 64, 200_000  # of a request; servers take 1,024 and 1,000,000 unless they are told otherwise
EXPLAINED = 8  # texts of a request for explanations; servers take no more
IN_FLIGHT = 4  # requests at a time of a stream
REGROWTH = 8  # answered requests after which one more is tried again
NO_ANSWER = (ValueError, LookupError, TypeError, AttributeError)  # what reading anything else ends with
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Options:
    """What is asked of a model beside texts; None: as the server has it. explain: what each word is worth, too.

    version: of the model, which every answer must come from; it is not sent.
    """

    model: str | None = None
    top_k: int | None = None
    threshold: float | None = None
    thresholds: Mapping[str, float] | None = None
    explain: bool = False
    version: str | None = None

    def body(self, examples: Sequence[Example]) -> bytes:
        """Return the body of a request. Raises DataError for a text that UTF-8 cannot hold, ConfigError for options."""
        texts = [one.text if one.pair is None else [one.text, one.pair] for one in examples]
        own: dict[str, object] = {"model": self.model, "top_k": self.top_k, "threshold": self.threshold}
        own |= {"thresholds": None if self.thresholds is None else dict(self.thresholds)}
        own |= {"explain": self.explain or None}
        values = {"texts": texts, **{name: value for name, value in own.items() if value is not None}}
        try:
            return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        except UnicodeEncodeError:
            pass  # its message holds the text
        except (TypeError, ValueError) as error:
            raise ConfigError(f"An option is no value that can be sent ({error}).") from None
        broken = [_place(one, row) for row, one in enumerate(examples) if not all(map(_is_utf8, _texts(one)))]
        raise DataError(
            f"{(broken or ['An option'])[0]} holds a character that UTF-8 does not have: half of a surrogate pair.",
            "Read the text with the right encoding, or replace such characters.",
        )


@dataclass(frozen=True)
class Answers(Generic[Answer]):
    """The answers to a part, in order. refused: how often the server was too busy for it."""

    found: Sequence[Answer]
    refused: int = 0


@dataclass(frozen=True)
class Questions:
    """Makes requests for one server. address: as errors name it."""

    address: str
    patience: Patience

    def texts(
        self, examples: Sequence[Example], options: Options, read: Callable[[Values, Example], Answer]
    ) -> Steps[Answers[Answer]]:
        """Return the answers to examples, each made by `read`. A part that is too much for the server is halved.

        Raises ServerError for anything else, and for an answer that cannot be read.
        """
        call = Call("POST", "/v1/predict", options.body(examples))
        sent = yield from exchange(call, self.patience)
        if isinstance(sent.outcome, Reply) and is_too_much(sent.outcome) and len(examples) > 1:
            half = len(examples) // 2
            first = yield from self.texts(examples[:half], options, read)
            second = yield from self.texts(examples[half:], options, read)
            return Answers([*first.found, *second.found], first.refused + second.refused)
        reply = self._answered(sent, [_place(example, row) for row, example in enumerate(examples)])
        try:
            values = json.loads(reply.body)
            if options.version not in (None, values["version"]):
                raise self._replaced()
            pairs = list(zip(values["predictions"], examples, strict=True))
            return Answers([read(answer, example) for answer, example in pairs], sent.refused)
        except NO_ANSWER:
            raise unreadable(self.address, reply) from None

    def models(self) -> Steps[list[ServedModel]]:
        """Return the models of the server. Raises what `texts` raises."""
        reply = self._answered((yield from exchange(Call("GET", "/v1/models"), self.patience)))
        try:
            return [ServedModel.from_json(values) for values in json.loads(reply.body)["details"]]
        except NO_ANSWER:
            raise unreadable(self.address, reply) from None

    def ready(self) -> Steps[bool]:
        """Return whether the server takes requests now; no if it cannot be reached."""
        once = Patience(self.patience.timeout_s, 0, self.patience.clock)
        found = yield from exchange(Call("GET", "/health/ready"), once)
        if not isinstance(found.outcome, Reply) or found.outcome.status == 503:
            return False
        self._answered(found)
        return True

    def _answered(self, found: Exchanged, places: Sequence[str] = ()) -> Reply:
        if isinstance(found.outcome, Reply) and found.outcome.status == 200:
            return found.outcome
        raise error_of(found, self.address, places)

    def _replaced(self) -> ServerError:
        return ServerError(
            f"{self.address}: the model was replaced by another version while answers came.", "Ask again for all."
        )


class Parts:
    """Gathers examples into parts for one request each. most: examples of a part."""

    def __init__(self, most: int) -> None:
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise ConfigError(f"chunk is {most!r}; expected a number of texts, at least 1.")
        self._most = most
        self._part: list[Example] = []
        self._characters = 0

    def add(self, example: Example) -> list[Example] | None:
        """Take an example; return a part if one is full."""
        characters = num_characters(example)
        full = self._part and (len(self._part) == self._most or self._characters + characters > CHARACTERS)
        done = self.rest() if full else None
        self._part.append(example)
        self._characters += characters
        return done

    def rest(self) -> list[Example] | None:
        """Return the last part, None if it is empty."""
        part, self._part, self._characters = self._part, [], 0
        return part or None


def parts_of(examples: Iterable[Example], most: int) -> Iterator[list[Example]]:
    """Yield examples in parts; nothing is read ahead."""
    parts = Parts(most)
    for example in examples:
        part = parts.add(example)
        if part is not None:
            yield part
    part = parts.rest()
    if part is not None:
        yield part


class Window:
    """How many requests may be on their way: fewer after each that was refused, so that a full server is left room.

    >>> window = Window(4)
    >>> window.note(refused=1), window.size
    (None, 2)
    """

    def __init__(self, most: int = IN_FLIGHT) -> None:
        self.size = self._most = most
        self._clean = 0

    @classmethod
    def of(cls, options: Options) -> Window:
        """Return the window of a stream: one explanation at a time, which a server gives one after another anyway."""
        return cls(1 if options.explain else IN_FLIGHT)

    def note(self, refused: int) -> None:
        """Take into account how often an answered request was refused before."""
        if refused:
            self.size, self._clean = max(1, self.size // 2), 0
            return
        self._clean += 1
        if self._clean >= REGROWTH:
            self.size, self._clean = min(self._most, self.size + 1), 0


def taken(answers: Answers[Answer], window: Window) -> Sequence[Answer]:
    """Return the answers to a part, and let the window know of it."""
    window.note(answers.refused)
    return answers.found


def _place(example: Example, row: int) -> str:
    return example.where or f"item {row}"


def _texts(example: Example) -> tuple[str, str]:
    return example.text, example.pair or ""


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
