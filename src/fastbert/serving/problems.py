"""Why a request is not answered: a status, and a body that names the field and says what to do.

Each contract shows a problem in its own shape; this module knows none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastbert.errors import FastBertError


@dataclass
class Problem(Exception):
    """A request that is not answered.

    status: of HTTP.    code: a name for programs.    message: what happened and what was expected; never a user's text.
    where: the field, such as "texts[3]"; "" where it is none of them.    hint: what to do.
    headers: of the response.
    """

    status: int
    code: str
    message: str
    where: str = ""
    hint: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"

    @property
    def text(self) -> str:
        """Return it in one line for people, for contracts that know one string only."""
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message}{' ' + self.hint if self.hint else ''}"


def invalid(message: str, where: str = "", hint: str = "") -> Problem:
    """Return the problem of a body that is JSON, but not what was asked for."""
    return Problem(422, "invalid_value", message, where, hint)


def malformed(message: str, hint: str = "") -> Problem:
    """Return the problem of a body that cannot be read at all."""
    return Problem(400, "malformed_body", message, "", hint)


def too_large(message: str, where: str = "", hint: str = "") -> Problem:
    """Return the problem of more than the limits allow."""
    return Problem(413, "too_large", message, where, hint)


def check_number(count: int, most: int, where: str) -> None:
    """Raise the problem of more texts than are read: before anything is made of them, which may take seconds."""
    if count > most:
        raise invalid(f"There are more than {most:,} texts.", where, "Send them in parts.")


def unsupported_type(found: str, known: str) -> Problem:
    """Return the problem of a content type that is not read."""
    shown = f"is '{found[:80]}'" if found else "is missing"
    return Problem(415, "unsupported_media_type", f"The content type {shown}; expected {known}.", "Content-Type")


def busy(retry_after_s: float) -> Problem:
    """Return the problem of a queue that is full. retry_after_s: when there may be room."""
    seconds = max(1, round(retry_after_s))
    hint = f"Ask again in {seconds} s, with fewer requests at a time."
    return Problem(429, "queue_full", "The queue is full.", "", hint, {"Retry-After": str(seconds)})


def timed_out(seconds: float) -> Problem:
    """Return the problem of an answer that was not there in time."""
    return Problem(
        504, "timeout", f"There was no answer within {seconds:g} s.", "", "Send fewer texts at a time, or ask later."
    )


def not_ready(message: str) -> Problem:
    """Return the problem of a server or a model that starts or stops."""
    return Problem(503, "not_ready", message, "", "Ask again in a second.", {"Retry-After": "1"})


def failed(message: str) -> Problem:
    """Return the problem of a model that did not answer, which no caller can put right."""
    return Problem(500, "model_failed", message, "", "The server's log says more, under the id of this request.")


def from_error(error: FastBertError) -> Problem:
    """Return an error of the library as what the caller is told."""
    return invalid(error.message, "", error.hint or "")


def place_of(error: Exception) -> str:
    """Return the type of an error and where it was raised; neither its message nor its traceback: they may hold a text.

    >>> place_of(ValueError("a text"))
    'ValueError'
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" in {trace.tb_frame.f_code.co_qualname}, line {trace.tb_lineno}"
    return f"{type(error).__name__}{where}"
