"""Google Vertex AI's contract, at its default routes and at chosen ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.serving.asking import QUIET, Asker, serving
from tests.serving.contracts import CANARY, TASKS, TEXT, item

ROUTE = "/v1/endpoints/123/deployedModels/456"


@pytest.mark.parametrize("task", TASKS)
def test_instances_are_answered_in_order(askers: dict[str, Asker], task: str) -> None:
    answer = askers[task].post(f"{ROUTE}:predict", {"instances": [item(task)] * 3})

    first, *others = answer.json["predictions"]
    assert (answer.status, others) == (200, [first] * 2)


def test_top_k_is_a_parameter(asker: Asker) -> None:
    answer = asker.post(f"{ROUTE}:predict", {"instances": [TEXT], "parameters": {"top_k": 1}}).json

    assert len(answer["predictions"][0]["scores"]) == 1


@pytest.mark.parametrize(("health", "predict"), [("/health", "/predict"), ("/ping", "/"), ("/a/b", "/a/b:c")])
def test_routes_that_the_platform_has_chosen_are_its_own(single: Path, health: str, predict: str) -> None:
    settings = replace(QUIET, health_route=health, predict_route=predict)
    with serving([single], settings) as served:
        assert (served.get(health).status, served.get(health).json) == (200, {})
        assert len(served.post(predict, {"instances": [TEXT, TEXT]}).json["predictions"]) == 2
        assert served.get(ROUTE).status == 200
        served.service.set_ready(False)
        assert served.get(health).status == 503


def test_health_needs_no_key(single: Path) -> None:
    with serving([single], replace(QUIET, api_keys=("k" * 16,), health_route="/up")) as served:
        assert (served.get(ROUTE).status, served.get("/up").status) == (200, 200)
        assert served.post(f"{ROUTE}:predict", {"instances": [TEXT]}).status == 401


BAD = [
    b"{",
    {},
    {"instances": []},
    {"instances": CANARY},
    {"instances": [CANARY, 5]},
    {"instances": [{"content": CANARY}]},
    {"instances": [CANARY], "parameters": {"top_k": 0}},
    {"instances": [CANARY], "parameters": []},
]


@pytest.mark.parametrize("body", BAD)
def test_what_cannot_be_answered_is_400(asker: Asker, body: object) -> None:
    answer = asker.post(f"{ROUTE}:predict", body)

    assert (answer.status, set(answer.json)) == (400, {"error"})
    assert CANARY not in answer.body.decode()
