"""The contract of vLLM's /classify."""

from __future__ import annotations

import pytest

from tests.serving.asking import Asker
from tests.serving.contracts import CANARY, TEXT


@pytest.mark.parametrize("body", [{"input": TEXT}, {"input": [TEXT]}, {"input": TEXT, "model": "single"}])
def test_one_text_is_answered_with_probabilities(asker: Asker, body: object) -> None:
    answer = asker.post("/classify", body).json

    assert answer["id"].startswith("classify-")
    assert (answer["object"], answer["model"], isinstance(answer["created"], int)) == ("list", "single", True)
    (data,) = answer["data"]
    assert (data["index"], data["num_classes"], len(data["probs"])) == (0, 3, 3)
    assert data["label"] == ["bug", "praise", "question"][data["probs"].index(max(data["probs"]))]
    assert answer["usage"]["prompt_tokens"] == answer["usage"]["total_tokens"] == 6


def test_texts_are_answered_in_order(asker: Asker) -> None:
    answer = asker.post("/classify", {"input": ["bug", TEXT, "bug"], "model": "multi"}).json

    assert [one["index"] for one in answer["data"]] == [0, 1, 2]
    assert answer["data"][0]["probs"] == answer["data"][2]["probs"]
    assert answer["model"] == "multi"


def test_parameters_of_vllm_are_passed_over(asker: Asker) -> None:
    assert asker.post("/classify", {"input": TEXT, "truncate_prompt_tokens": -1, "priority": 0}).status == 200


def test_a_number_is_one_class(askers: dict[str, Asker]) -> None:
    (data,) = askers["regression"].post("/classify", {"input": TEXT}).json["data"]

    assert (data["label"], data["num_classes"], len(data["probs"])) == ("stars", 1, 1)


BAD = {
    "no JSON": (b"{bad", 400, "BadRequestError"),
    "nothing": ({}, 400, "BadRequestError"),
    "null": ({"input": None}, 400, "BadRequestError"),
    "a number": ({"input": 5}, 400, "BadRequestError"),
    "tokens": ({"input": [[1, 2]]}, 400, "BadRequestError"),
    "no texts": ({"input": []}, 400, "BadRequestError"),
    "an unknown model": ({"input": CANARY, "model": "no"}, 404, "NotFoundError"),
    "three texts": ({"input": [[CANARY, "b", "c"]]}, 400, "BadRequestError"),
}


@pytest.mark.parametrize(("body", "status", "kind"), BAD.values(), ids=BAD)
def test_errors_have_the_shape_of_vllm(asker: Asker, body: object, status: int, kind: str) -> None:
    answer = asker.post("/classify", body)

    assert answer.status == status
    assert (answer.json["error"]["type"], answer.json["error"]["code"]) == (kind, status)
    assert CANARY not in answer.body.decode()


@pytest.mark.parametrize("task", ["tagging", "answering"])
def test_a_model_without_labels_is_refused(askers: dict[str, Asker], task: str) -> None:
    assert askers[task].post("/classify", {"input": TEXT}).status == 400


def test_a_cut_text_is_told(asker: Asker) -> None:
    assert asker.post("/classify", {"input": "good " * 50}).headers["x-fastbert-cut"] == "1"
