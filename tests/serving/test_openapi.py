"""The description: every route, types with the labels of the models, and keys where there are any."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from fastbert.serving.settings import Contract, Settings
from fastbert.serving.text_schemas import text
from tests.bundles import NAMES
from tests.serving.asking import QUIET, Asker, serving


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
    assert body["properties"]["text"]["anyOf"][0] == text(asker.service)


def test_names_of_operations_are_distinct(asker: Asker) -> None:
    names = [one["operationId"] for path in asker.get("/openapi.json").json["paths"].values() for one in path.values()]

    assert len(names) == len(set(names))


def test_keys_are_described_where_there_are_any(single: Path, asker: Asker) -> None:
    assert "security" not in asker.get("/openapi.json").json
    with serving([single], Settings(api_keys=("k" * 32,), access_log=False)) as locked:
        described = locked.get("/openapi.json", {"x-api-key": "k" * 32}).json
    assert set(described["components"]["securitySchemes"]) == {"bearer", "header"}
    assert described["paths"]["/health/live"]["get"]["security"] == []


@pytest.mark.parametrize("contract", get_args(Contract))
def test_every_contract_is_described_and_its_examples_are_answered(single: Path, tmp_path: Path, contract: str) -> None:
    settings = replace(QUIET, contract=contract, models_root=tmp_path)
    with serving({"one": single}, settings) as asker:
        hidden = {route.pattern for route in asker.app.router.routes if route.operation is None}
        described = asker.get("/openapi.json").json["paths"]
        asked = [
            (path.replace("{model}", "one").replace("{version}", "1"), kind, content["example"])
            for path, methods in described.items()
            for kind, content in methods.get("post", {}).get("requestBody", {"content": {}})["content"].items()
            if "example" in content
        ]
        answers = {one: asker.post(one[0], one[2].encode(), {"content-type": one[1]}).status for one in asked}

    assert {path for path in hidden if not path.startswith("/page/")} == {"/openapi.json", "/docs"}
    assert len(answers) >= 4
    assert set(answers.values()) == {200}, answers


def test_contracts_answer_in_the_types_and_statuses_that_are_described(asker: Asker) -> None:
    paths = asker.get("/openapi.json").json["paths"]

    assert set(paths["/invocations"]["post"]["responses"]["200"]["content"]) == {
        "application/json",
        "text/csv",
        "application/jsonlines",
    }
    infer = paths["/v2/models/{model}/infer"]["post"]["responses"]
    assert set(infer["200"]["content"]) == {"application/json", "application/octet-stream"}
    for path, methods in paths.items():
        assert all("404" in one["responses"] for one in methods.values()) or "{" not in path
