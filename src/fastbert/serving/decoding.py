"""JSON bodies made into typed values. Knows no contract; says which field is wrong, and never what stood there.

Bodies are read by msgspec: it checks types while it reads, so that nothing is made of what is not wanted.
"""

from __future__ import annotations

import re
from typing import Generic, TypeVar

import msgspec

from fastbert.serving.http import JSON, Request, check_depth
from fastbert.serving.problems import Problem, invalid, malformed, unsupported_type
from fastbert.serving.settings import Limits

Body = TypeVar("Body")
CONTAINERS = 3  # of a text, at most: a record, and its list in a tensor or a row
_PLACE = re.compile(r"^(.*?)(?: - at `(?P<place>.+)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `.*`", re.DOTALL)


class JsonBody(Generic[Body]):
    """Reads the JSON body of requests as a type.

    loosely: whatever the content type says, as the servers of some contracts do.
    """

    def __init__(self, kind: type[Body] | object, *, loosely: bool = False) -> None:
        self._decoder = msgspec.json.Decoder(kind)
        self._loosely = loosely

    async def read(self, request: Request, limits: Limits) -> Body:
        """Return the body. Raises Problem: 400, 413, 415 or 422; ClientGone."""
        if request.media_type != JSON and not (self._loosely and not request.media_type.startswith("multipart/")):
            raise unsupported_type(request.media_type, JSON)
        if request.charset not in ("utf-8", "utf8", "us-ascii", "ascii"):
            raise Problem(415, "unsupported_charset", "The body is not in UTF-8.", "Content-Type", "Send UTF-8.")
        return self.parse(await request.body(limits.body_bytes), limits)

    def parse(self, body: bytes, limits: Limits) -> Body:
        """Return JSON as the type. Raises Problem: 400 for what is no JSON, 422 for other types of fields."""
        check_depth(body, limits.depth, limits.depth + CONTAINERS * limits.texts)
        try:
            return self._decoder.decode(body)  # type: ignore[no-any-return]
        except msgspec.ValidationError as error:
            raise _explained(error) from None
        except msgspec.DecodeError as error:
            if not body.strip():
                raise malformed("The body is empty; expected JSON.") from None
            raise malformed(f"The body is no JSON ({_without_values(str(error))}).") from None
        except (RecursionError, UnicodeDecodeError):
            raise malformed("The body is no JSON that can be read.") from None


def _explained(error: msgspec.ValidationError) -> Problem:
    match = _PLACE.match(str(error))
    assert match is not None  # it matches anything
    message, place = match.group(1), (match.group("place") or "").removeprefix("$").removeprefix(".")
    if "..." in place:  # a key of the caller's own
        place = place.partition("[...]")[0].removeprefix("key in ").strip("`$.")
    message = _UNKNOWN.sub("an unknown field", message)
    return invalid(f"{_without_values(message)}.", place, "See GET /openapi.json.")


def _without_values(message: str) -> str:
    """Return a message of msgspec without what it quotes of the body: an invalid value of a choice."""
    return re.sub(r"(Invalid enum value|invalid value) .*", r"\1", message)
