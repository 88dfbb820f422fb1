"""The same text through every contract: the same label and the same score, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastbert.serving.engine import Lane
from tests.serving.asking import Answer, Asker
from tests.serving.contracts import CSV, JSONLINES, TEXT, bytes_tensor

Read = Callable[[Any], tuple[str, float]]


def outputs(answer: Any) -> tuple[str, float]:  # noqa: ANN401  # JSON
    found = {one["name"]: one["data"] for one in answer["outputs"]}
    return found["label"][0].split("|")[0], found["score"][0]


def classified(answer: Any) -> tuple[str, float]:  # noqa: ANN401  # JSON
    return answer["data"][0]["label"], max(answer["data"][0]["probs"])


def native(answer: Any) -> tuple[str, float]:  # noqa: ANN401  # JSON
    first = answer["predictions"][0]
    return first["labels"][0], first["scores"][first["labels"][0]]


def scored(answer: Any) -> tuple[str, float]:  # noqa: ANN401  # JSON
    row = answer["predictions"][0]
    label = row["predicted"].split("|")[0]
    return label, row[f"score:{label}"]


ROUTES: dict[str, tuple[str, object, Read]] = {
    "native": ("/v1/predict", {"text": TEXT}, native),
    "SageMaker, text": ("/invocations", {"text": TEXT}, lambda answer: tuple(answer[0])),
    "SageMaker, inputs": ("/invocations", {"inputs": TEXT}, lambda answer: tuple(answer[0].values())),
    "Hugging Face": ("/", {"inputs": [TEXT]}, lambda answer: tuple(answer[0].values())),
    "TEI": ("/predict", {"inputs": [[TEXT]]}, lambda answer: (answer[0][0]["label"], answer[0][0]["score"])),
    "vLLM": ("/classify", {"input": TEXT}, classified),
    "KServe": ("/v1/models/{task}:predict", {"instances": [TEXT]}, native),
    "Vertex AI": ("/v1/endpoints/1/deployedModels/2:predict", {"instances": [TEXT]}, native),
    "Open Inference Protocol": ("/v2/models/{task}/infer", {"inputs": [bytes_tensor([TEXT])]}, outputs),
    "MLflow": ("/invocations", {"instances": [TEXT]}, scored),
}


@pytest.mark.parametrize("task", ["single_label", "multi_label"])
@pytest.mark.parametrize(("path", "body", "read"), ROUTES.values(), ids=ROUTES)
def test_all_contracts_agree(askers: dict[str, Asker], task: str, path: str, body: object, read: Read) -> None:
    asker = askers[task]
    expected = native(asker.post("/v1/predict", {"text": TEXT}).json)

    assert read(asker.post(path.replace("{task}", task), body).json) == expected


def lines(answer: Answer) -> tuple[str, float]:
    (one,) = json.loads(answer.body)
    return one["label"], one["score"]


def cells(answer: Answer) -> tuple[str, float]:
    label, score = answer.body.decode().strip().split(",")
    return label, float(score)


@pytest.mark.parametrize(("headers", "body", "read"), [(JSONLINES, json.dumps(TEXT), lines), (CSV, TEXT, cells)])
def test_lines_agree_too(
    asker: Asker, headers: dict[str, str], body: str, read: Callable[[Answer], tuple[str, float]]
) -> None:
    expected = native(asker.post("/v1/predict", {"text": TEXT}).json)

    assert read(asker.post("/invocations", body.encode(), headers)) == expected


REGRESSION: dict[str, tuple[str, object, Callable[[Any], float]]] = {
    "SageMaker": ("/invocations", {"text": TEXT}, lambda answer: float(answer[0][1])),
    "Hugging Face": ("/", {"inputs": TEXT}, lambda answer: float(answer[0]["score"])),
    "TEI": ("/predict", {"inputs": TEXT}, lambda answer: float(answer[0]["score"])),
    "vLLM": ("/classify", {"input": TEXT}, lambda answer: float(answer["data"][0]["probs"][0])),
    "KServe": (
        "/v1/models/regression:predict",
        {"instances": [TEXT]},
        lambda one: float(one["predictions"][0]["value"]),
    ),
    "Open Inference Protocol": (
        "/v2/models/regression/infer",
        {"inputs": [bytes_tensor([TEXT])]},
        lambda answer: float(answer["outputs"][1]["data"][0]),
    ),
    "MLflow": ("/invocations", {"instances": [TEXT]}, lambda answer: float(answer["predictions"][0]["predicted"])),
}


@pytest.mark.parametrize(("path", "body", "read"), REGRESSION.values(), ids=REGRESSION)
def test_all_contracts_give_the_same_number(
    askers: dict[str, Asker], path: str, body: object, read: Callable[[Any], float]
) -> None:
    asker = askers["regression"]

    assert (
        read(asker.post(path, body).json) == asker.post("/v1/predict", {"text": TEXT}).json["predictions"][0]["value"]
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("path", "body", "read"), REGRESSION.values(), ids=REGRESSION)
def test_what_is_no_number_never_goes_out(
    askers: dict[str, Asker],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    body: object,
    read: Callable[[Any], float],
    bad: float,
) -> None:
    forward = Lane.forward
    monkeypatch.setattr(
        Lane, "forward", lambda *given: {name: np.full_like(one, bad) for name, one in forward(*given).items()}
    )

    answer = askers["regression"].post(path, body)

    assert answer.status == (424 if path == "/predict" else 500)
    assert "null" not in answer.body.decode().replace('"param":null', "")
