"""The contract of Text Embeddings Inference: pairs and batches, its headers, its errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.serving.asking import QUIET, Asker, serving
from tests.serving.contracts import CANARY, TEXT


@pytest.fixture(scope="module")
def tei(single: Path) -> Iterator[Asker]:
    with serving([single], replace(QUIET, contract="tei")) as served:
        yield served


@pytest.mark.parametrize("path", ["/predict", "/", "/invocations"])
def test_one_input_is_answered_with_all_labels(tei: Asker, path: str) -> None:
    answer = tei.post(path, {"inputs": TEXT})

    assert [set(one) for one in answer.json] == [{"label", "score"}] * 3
    scores = [one["score"] for one in answer.json]
    assert scores == sorted(scores, reverse=True)


def test_two_texts_are_one_pair(tei: Asker) -> None:
    pair = tei.post("/predict", {"inputs": ["the app", "is slow"]}).json
    batch = tei.post("/predict", {"inputs": [["the app"], ["the app", "is slow"]]}).json

    assert len(batch) == 2
    assert pair == batch[1] != batch[0]
    assert (
        batch[0]
        == tei.post("/predict", {"inputs": "the app"}).json
        == tei.post("/predict", {"inputs": ["the app"]}).json
    )


def test_headers_say_what_it_took(tei: Asker) -> None:
    headers = tei.post("/predict", {"inputs": [["abc"], ["a", "bc"]]}).headers

    assert headers["x-compute-characters"] == "6"
    for name in ("compute-time", "compute-tokens", "total-time", "tokenization-time", "queue-time", "inference-time"):
        assert headers[f"x-{name}"].isdecimal()
    assert headers["x-compute-type"] == "onnx"


BAD = {
    "no JSON": (b"{bad", 400, "validation"),
    "an empty body": (b"", 400, "validation"),
    "nothing": ({}, 422, "validation"),
    "null": ({"inputs": None}, 422, "validation"),
    "a number": ({"inputs": 5}, 422, "validation"),
    "no inputs": ({"inputs": []}, 400, "empty"),
    "three texts": ({"inputs": [CANARY, "b", "c"]}, 422, "validation"),
    "three texts in a batch": ({"inputs": [[CANARY, "b", "c"]]}, 422, "validation"),
    "none in a batch": ({"inputs": [[]]}, 422, "validation"),
    "a text, then a list": ({"inputs": [CANARY, ["b"]]}, 422, "validation"),
    "a list, then a text": ({"inputs": [[CANARY], "b"]}, 422, "validation"),
    "raw scores": ({"inputs": CANARY, "raw_scores": True}, 422, "validation"),
    "truncate as text": ({"inputs": CANARY, "truncate": "yes"}, 422, "validation"),
    "from the left": ({"inputs": CANARY, "truncation_direction": "Left"}, 422, "validation"),
    "too long": ({"inputs": "good " * 50, "truncate": False}, 422, "tokenizer"),
}


@pytest.mark.parametrize(("body", "status", "kind"), BAD.values(), ids=BAD)
def test_errors_are_those_of_tei(tei: Asker, body: object, status: int, kind: str) -> None:
    answer = tei.post("/predict", body)

    assert (answer.status, set(answer.json)) == (status, {"error", "error_type"})
    assert answer.json["error_type"] == kind
    assert CANARY not in answer.body.decode()


def test_a_batch_beyond_the_limit_is_refused(tei: Asker) -> None:
    answer = tei.post("/predict", {"inputs": [["a"]] * 1025})

    assert answer.status in (413, 422)  # TEI documents the one and answers the other
    assert answer.json["error_type"] == "validation"


@pytest.mark.parametrize("truncate", [None, True])
def test_a_long_text_is_cut_and_told(tei: Asker, truncate: bool | None) -> None:
    answer = tei.post("/predict", {"inputs": "good " * 50, "truncate": truncate, "truncation_direction": "Right"})

    assert (answer.status, answer.headers["x-fastbert-cut"]) == (200, "1")


def test_raw_scores_of_a_number_are_the_number(askers: dict[str, Asker]) -> None:
    answer = askers["regression"].post("/predict", {"inputs": TEXT, "raw_scores": True}).json

    assert [one["label"] for one in answer] == ["stars"]


@pytest.mark.parametrize("task", ["tagging", "answering"])
def test_a_model_that_is_no_classifier_is_424(askers: dict[str, Asker], task: str) -> None:
    answer = askers[task].post("/predict", {"inputs": TEXT})

    assert (answer.status, answer.json["error_type"]) == (424, "backend")


def test_a_server_that_is_not_ready_is_unhealthy(single: Path) -> None:
    with serving([single], replace(QUIET, contract="tei")) as served:
        assert (served.get("/health").status, served.get("/ping").status) == (200, 200)
        served.service.set_ready(False)

        answer = served.get("/health")

    assert (answer.status, answer.json["error_type"]) == (503, "unhealthy")


def test_a_full_queue_is_overloaded(tei: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastbert.serving.batcher import Batcher
    from fastbert.serving.problems import busy

    def full(*_: object) -> None:
        raise busy(2.0)

    monkeypatch.setattr(Batcher, "_check_room", full)

    answer = tei.post("/predict", {"inputs": TEXT})

    assert (answer.status, answer.json["error_type"], answer.headers["retry-after"]) == (429, "overloaded", "2")


def test_a_model_that_fails_is_a_backend_error(tei: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastbert.serving.engine import Engine

    def fail(*_: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr(Engine, "predict", fail)

    answer = tei.post("/predict", {"inputs": TEXT})

    assert (answer.status, answer.json["error_type"]) == (424, "backend")
    assert CANARY not in answer.body.decode()


def test_info_says_what_is_served(tei: Asker) -> None:
    answer = tei.get("/info").json

    assert answer["model_type"]["classifier"]["id2label"] == {"0": "bug", "1": "praise", "2": "question"}
    assert (answer["model_id"], answer["max_input_length"], answer["auto_truncate"]) == ("single", 24, True)


def test_only_health_needs_no_key(single: Path) -> None:
    with serving([single], replace(QUIET, contract="tei", api_keys=("k" * 16,))) as served:
        assert (served.get("/health").status, served.get("/ping").status) == (200, 200)
        assert (served.get("/info").status, served.post("/predict", {"inputs": TEXT}).status) == (401, 401)
        headers = {"authorization": f"Bearer {'k' * 16}"}
        assert served.post("/predict", {"inputs": TEXT}, headers).status == 200
