"""Version 1 of KServe's data plane."""

from __future__ import annotations

import pytest

from tests.serving.asking import Asker
from tests.serving.contracts import CANARY, TASKS, TEXT, item


@pytest.mark.parametrize("task", TASKS)
def test_instances_are_answered_in_order(every: Asker, task: str) -> None:
    answer = every.post(f"/v1/models/{task}:predict", {"instances": [item(task)] * 3})

    assert answer.status == 200
    first, *others = answer.json["predictions"]
    assert others == [first] * 2


def test_a_record_is_as_good_as_a_text(asker: Asker) -> None:
    answer = asker.post("/v1/models/single:predict", {"instances": [TEXT, {"text": TEXT}, [TEXT]]}).json

    assert answer["predictions"][0] == answer["predictions"][1] == answer["predictions"][2]


def test_a_pair_is_a_list_or_a_record(asker: Asker) -> None:
    body = {"instances": [["the app", "is slow"], {"text": "the app", "text_pair": "is slow"}]}

    first, second = asker.post("/v1/models/single:predict", body).json["predictions"]

    assert first == second


def test_a_model_says_that_it_is_ready(asker: Asker) -> None:
    assert asker.get("/v1/models/multi").json == {"name": "multi", "ready": True}


def test_an_unknown_model_is_404(asker: Asker) -> None:
    assert asker.get("/v1/models/no").status == 404
    assert asker.post("/v1/models/no:predict", {"instances": ["a"]}).status == 404


def test_a_body_without_a_type_is_read(asker: Asker) -> None:
    assert asker.post("/v1/models/single:predict", {"instances": ["a"]}, {"content-type": ""}).status == 200


BAD = [b"{", b"", {}, {"instances": []}, {"instances": CANARY}, {"instances": [5]}, {"instances": [None]}, [CANARY]]


@pytest.mark.parametrize("body", BAD)
def test_what_cannot_be_answered_is_400(asker: Asker, body: object) -> None:
    answer = asker.post("/v1/models/single:predict", body)

    assert (answer.status, set(answer.json)) == (400, {"error"})
    assert CANARY not in answer.body.decode()
