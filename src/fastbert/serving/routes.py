"""Which handler answers a method and a path: exact paths at once, patterns with variables in order.

Knows nothing of what handlers do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastbert.serving.http import Handler, Response, decoded_path
from fastbert.serving.problems import Problem

if TYPE_CHECKING:
    from fastbert.serving.service import Service

ProblemShape = Callable[[Problem, str], Response]  # and the request's id


@dataclass(frozen=True)
class Operation:
    """What the OpenAPI description says of a route.

    summary: one line.    body: type of the JSON body, None for none.    answer: type of the JSON of a 200.
    other_bodies: further content types, each with an example.    query: parameters by name, with a sentence each.
    statuses: further statuses that it may answer with.    answer_type: content type of a 200, "" for no body.
    other_answers: further content types of a 200.
    error: type of the JSON of any other status.
    refine: makes the schemas more exact for the models that are served; gets all of them by name.
    """

    summary: str
    tag: str
    body: object = None
    answer: object = None
    other_bodies: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    statuses: Sequence[int] = ()
    answer_type: str = "application/json"
    other_answers: Sequence[str] = ()
    error: object = None
    refine: Callable[[dict[str, Any], Service], None] | None = None


@dataclass(frozen=True)
class Route:
    """A method and a path. pattern: with variables in braces, such as /v1/models/{model}:predict.

    shape: makes a response of a problem.    public: needs no API key.    operation: None: not described.
    """

    method: str
    pattern: str
    handler: Handler
    shape: ProblemShape
    operation: Operation | None = None
    public: bool = False


@dataclass(frozen=True)
class Found:
    """A route with the variables of a path."""

    route: Route
    variables: Mapping[str, str]


class Router:
    """Finds the route of a request. Raises ValueError for two routes with one method and path."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)
        self._exact: dict[str, dict[str, Route]] = {}
        self._patterns: list[tuple[re.Pattern[str], str, dict[str, Route]]] = []
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        methods = self._exact.setdefault(route.pattern, {})
        if route.method in methods:
            raise ValueError(f"two routes for {route.method} {route.pattern}")
        methods[route.method] = route
        known = any(pattern == route.pattern for _, pattern, _ in self._patterns)
        if "{" in route.pattern and not known:
            self._patterns.append((_compiled(route.pattern), route.pattern, methods))
            # "{model}:predict" before "{model}", whichever came first: it says more.
            self._patterns.sort(key=lambda one: -len(re.sub(r"\{\w+\}", "", one[1])))

    def find(self, method: str, path: str) -> Found:
        """Return the route of a request. Raises Problem: 404, or 405 with the methods that there are."""
        methods = self._exact.get(path) if "{" not in path else None
        variables: Mapping[str, str] = {}
        if methods is None:
            for expression, _, candidates in self._patterns:
                match = expression.fullmatch(path)
                if match:
                    methods, variables = candidates, match.groupdict()
                    break
        if methods is None:
            raise Problem(
                404, "not_found", "There is nothing at this path.", "", "GET /openapi.json lists what there is."
            )
        route = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
        if route is None:
            allowed = ", ".join(sorted({*methods, *(["HEAD"] if "GET" in methods else [])}))
            raise Problem(405, "method_not_allowed", f"This path takes {allowed}.", "", "", {"Allow": allowed})
        return Found(route, {name: decoded_path(value) for name, value in variables.items()})

    def shape_for(self, path: str) -> ProblemShape | None:
        """Return how the contract at a path shows problems, also for a method that it does not know."""
        methods = self._exact.get(path)
        if methods is None:
            methods = next((found for known, _, found in self._patterns if known.fullmatch(path)), None)
        return None if methods is None else next(iter(methods.values())).shape


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", pattern)
    return re.compile(
        "".join(f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    )
