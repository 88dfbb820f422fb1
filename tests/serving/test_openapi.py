"""The description: every route, types with the labels of the models, and keys where there are any."""

from __future__ import annotations

import re
from pathlib import Path

from fastbert.serving.settings import Settings
from tests.bundles import NAMES
from tests.serving.asking import Asker, serving


def test_every_described_route_is_there_with_its_statuses(asker: Asker) -> None:
    paths = asker.get("/openapi.json").json["paths"]

    for route in asker.app.router.routes:
        if route.operation is not None:
            assert "200" in paths[route.pattern][route.method.lower()]["responses"]
    assert {"400", "401", "404", "413", "415", "422", "429", "500", "503", "504"} <= set(
        paths["/v1/predict"]["post"]["responses"]
    )


def test_all_references_lead_somewhere(asker: Asker) -> None:
    text = asker.get("/openapi.json").body.decode()
    known = asker.get("/openapi.json").json["components"]["schemas"]

    assert set(re.findall(r'"#/components/schemas/([^"]+)"', text)) <= set(known)


def test_labels_and_kinds_of_text_are_those_of_the_models(asker: Asker) -> None:
    body = asker.get("/openapi.json").json["components"]["schemas"]["PredictBody"]

    assert body["properties"]["thresholds"]["propertyNames"] == {"enum": sorted(NAMES)}
    assert body["properties"]["text"]["anyOf"][0] == {"anyOf": [{"type": "string"}]}


def test_names_of_operations_are_distinct(asker: Asker) -> None:
    names = [one["operationId"] for path in asker.get("/openapi.json").json["paths"].values() for one in path.values()]

    assert len(names) == len(set(names))


def test_keys_are_described_where_there_are_any(single: Path, asker: Asker) -> None:
    assert "security" not in asker.get("/openapi.json").json
    with serving([single], Settings(api_keys=("k" * 32,), access_log=False)) as locked:
        described = locked.get("/openapi.json", {"x-api-key": "k" * 32}).json
    assert set(described["components"]["securitySchemes"]) == {"bearer", "header"}
    assert described["paths"]["/health/live"]["get"]["security"] == []
