"""A whole application has the routes of every contract, each once."""

from __future__ import annotations

from tests.serving.asking import Asker


def test_every_route_is_there_once(asker: Asker) -> None:
    routes = [(route.method, route.pattern) for route in asker.app.router.routes]

    assert len(routes) == len(set(routes))
    assert {("POST", "/v1/predict"), ("GET", "/openapi.json"), ("GET", "/metrics")} <= set(routes)
