"""Why there is no answer, as an error: what the server says, where, and what to do.

What a server says is shortened; it names places, never texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from fastbert.client.exchange import Exchanged, Lost, Reply
from fastbert.errors import ServerError

API_KEY = "FASTBERT_API_KEY"  # the environment variable
_TEXT = re.compile(r"texts\[(\d+)\]")
_LONGEST = 300  # characters of what a server says


@dataclass(frozen=True)
class Refusal:
    """What a server says of a request that it does not answer; as far as it does, else what the status means."""

    code: str
    message: str
    field: str
    hint: str

    @classmethod
    def of(cls, reply: Reply) -> Refusal:
        """Return what a reply says."""
        try:
            values = json.loads(reply.body)["error"]
            return cls(*(_short(str(values[name])) for name in ("code", "message", "field", "hint")))
        except (ValueError, LookupError, TypeError):
            known = reply.status in HTTPStatus.__members__.values()
            return cls("", f"{HTTPStatus(reply.status).phrase if known else 'no reason given'}.", "", "")


def error_of(found: Exchanged, address: str, places: Sequence[str] = ()) -> ServerError:
    """Return the error of a request that was not answered.

    address: of the server.    places: names of the texts that were sent, such as "row 7".
    """
    outcome = found.outcome
    times = f" (asked {found.attempts} times)" if found.attempts > 1 else ""
    if isinstance(outcome, Lost):
        return ServerError(
            f"{address} does not answer: {outcome.reason}{times}.", "Check that a server runs at this address."
        )
    said = Refusal.of(outcome)
    place = _place(said.field, places)
    told = f"{address} answered {outcome.status}{times}: {place}{': ' if place else ''}{said.message}"
    request_id = _short(outcome.headers.get("x-request-id", ""))
    told += f" (request {request_id})" if request_id else ""
    hint = said.hint or None
    if outcome.status in (401, 403):
        hint = f"Set the environment variable {API_KEY} to a key of this server."
    elif 300 <= outcome.status < 400 or (outcome.status in (404, 405) and said.code != "unknown_model"):
        hint = "Check the address: this is no FastBert server, or a path is missing in front."
    return ServerError(told, hint, status=outcome.status, code=said.code, field=said.field, request_id=request_id)


def is_too_much(reply: Reply) -> bool:
    """Return whether a request may be answered in parts: it is too large, or has more texts than the server takes."""
    return reply.status == 413 or (reply.status == 422 and Refusal.of(reply).field in ("texts", "explain"))


def unreadable(address: str, reply: Reply) -> ServerError:
    """Return the error of an answer that is not one of FastBert's."""
    return ServerError(
        f"{address} answered {reply.status} with what is no answer of a FastBert server.",
        "Check the address, and that server and client are of like versions.",
        status=reply.status,
        request_id=_short(reply.headers.get("x-request-id", "")),
    )


def _place(field: str, places: Sequence[str]) -> str:
    match = _TEXT.match(field)
    if match is None:
        return "" if field == "texts" else field
    number = int(match.group(1))
    return places[number] if number < len(places) else field


def _short(text: str) -> str:
    shown = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "..."
