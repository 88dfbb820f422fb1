"""Why there is no answer, as one of the library's errors: who has to act, and what to do.

An error says what the server says, shortened; the server names places, never texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from http import HTTPStatus

from fastbert.client.exchange import Exchanged, Lost, Reply
from fastbert.errors import ConfigError, DataError, FastBertError, ServerError

API_KEY = "FASTBERT_API_KEY"  # the environment variable
_OPTIONS = {"model", "top_k", "threshold", "thresholds", "explain"}
_TEXT = re.compile(r"texts\[(\d+)\]")
_LONGEST = 300  # characters of what a server says


def error_of(found: Exchanged, address: str, places: Sequence[str] = ()) -> FastBertError:
    """Return the error of a request that was not answered.

    address: of the server.    places: names of the texts that were sent, such as "row 7".
    ConfigError for a key, a model, an option or an address that is wrong, DataError for texts, else ServerError.
    """
    outcome = found.outcome
    times = f" (asked {found.attempts} times)" if found.attempts > 1 else ""
    if isinstance(outcome, Lost):
        return ServerError(
            f"{address} does not answer: {outcome.reason}{times}.", "Check that a server runs at this address."
        )
    code, message, field, hint = _facts(outcome)
    request_id = _short(outcome.headers.get("x-request-id", ""))
    place = _place(field, places)
    said = f"{place}: {message}" if place else message
    told = f"{address} answered {outcome.status}{times}: {said}"
    told += f" (request {request_id})" if request_id else ""
    if outcome.status in (401, 403):
        return ConfigError(told, f"Set the environment variable {API_KEY} to a key of this server.")
    if outcome.status in (404, 405) and code != "unknown_model":
        return ConfigError(told, "Check the address: this is no FastBert server, or a path is missing in front.")
    if code == "unknown_model" or (400 <= outcome.status < 500 and re.split(r"[.\[]", field)[0] in _OPTIONS):
        return ConfigError(told, hint or None)
    if outcome.status in (400, 413, 415, 422):
        return DataError(told, hint or None)
    return ServerError(told, hint or None, status=outcome.status, field=field, request_id=request_id)


def unreadable(address: str, reply: Reply) -> ServerError:
    """Return the error of an answer that is not one of FastBert's."""
    return ServerError(
        f"{address} answered {reply.status} with what is no answer of a FastBert server.",
        "Check the address, and that server and client are of like versions.",
        status=reply.status,
        request_id=_short(reply.headers.get("x-request-id", "")),
    )


def _facts(reply: Reply) -> tuple[str, str, str, str]:
    """Return code, message, field and hint, as far as the body has them; else what the status means."""
    try:
        values = json.loads(reply.body)["error"]
        code, message, field, hint = (_short(str(values[name])) for name in ("code", "message", "field", "hint"))
    except (ValueError, LookupError, TypeError):
        known = reply.status in HTTPStatus.__members__.values()
        return "", f"{HTTPStatus(reply.status).phrase if known else 'no reason given'}.", "", ""
    return code, message, field, hint


def _place(field: str, places: Sequence[str]) -> str:
    match = _TEXT.match(field)
    if match is None:
        return "" if field == "texts" else field
    number = int(match.group(1))
    return places[number] if number < len(places) else field


def _short(text: str) -> str:
    shown = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "..."
