"""The Open Inference Protocol: health, metadata, tensors in JSON and as bytes, and what is refused."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving.asking import Answer, Asker, serving
from tests.serving.contracts import CANARY, LABELS, QUESTION, TASKS, bytes_tensor, without

INFER = "/v2/models/single/infer"


def packed(*texts: str) -> bytes:
    return b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in texts)


def post_binary(asker: Asker, body: dict[str, Any], raw: bytes, length: str | None = None) -> Answer:
    head = json.dumps(body).encode()
    headers = {"content-type": "application/octet-stream"}
    headers["Inference-Header-Content-Length"] = str(len(head)) if length is None else length
    return asker.post(INFER, head + raw, headers)


def binary_input(size: object, shape: list[int] | None = None) -> dict[str, Any]:
    return {"name": "text", "shape": shape or [2], "datatype": "BYTES", "parameters": {"binary_data_size": size}}


def test_the_server_lives_and_is_ready(asker: Asker) -> None:
    assert (asker.get("/v2/health/live").status, asker.get("/v2/health/ready").status) == (200, 200)
    assert set(asker.get("/v2").json) == {"name", "version", "extensions"}
    assert asker.get("/v2").json["extensions"] == ["binary_tensor_data"]


def test_a_server_that_is_not_ready_still_lives(single: Path) -> None:
    with serving([single]) as served:
        served.service.set_ready(False)

        assert served.get("/v2/health/live").status == 200
        assert served.get("/v2/health/ready").status == 503
        assert served.get("/v2/models/single/ready").status == 503
        assert served.get("/v1/models/single").status == 503


@pytest.mark.parametrize("path", ["", "/versions/1", "/versions/{version}"])
def test_a_model_says_what_it_reads_and_answers(asker: Asker, path: str) -> None:
    version = asker.service.models.get("single").version

    answer = asker.get("/v2/models/single" + path.replace("{version}", version)).json

    assert (answer["name"], answer["versions"]) == ("single", [version])
    assert answer["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert {"name": "scores", "datatype": "FP32", "shape": [-1, 3]} in answer["outputs"]
    assert asker.get("/v2/models/single/ready").json == {"name": "single", "ready": True}


@pytest.mark.parametrize(
    "path",
    ["/v2/models/no", "/v2/models/no/ready", "/v2/models/single/versions/7", "/v2/models/single/versions/7/ready"],
)
def test_an_unknown_model_or_version_is_404(asker: Asker, path: str) -> None:
    answer = asker.get(path)

    assert (answer.status, set(answer.json)) == (404, {"error"})


def test_texts_are_answered_with_columns(asker: Asker) -> None:
    answer = asker.post(INFER, {"id": "42", "inputs": [bytes_tensor(["the app", "bug"])]}).json

    outputs = {one["name"]: one for one in answer["outputs"]}
    assert (answer["id"], answer["model_name"]) == ("42", "single")
    assert outputs["label"]["shape"] == outputs["score"]["shape"] == [2]
    assert outputs["scores"]["shape"] == [2, 3]
    assert outputs["score"]["data"] == [max(outputs["scores"]["data"][:3]), max(outputs["scores"]["data"][3:])]
    assert json.loads(outputs["prediction"]["data"][1])["labels"] == [outputs["label"]["data"][1]]


def test_an_id_that_was_not_sent_is_not_answered(asker: Asker) -> None:
    assert "id" not in asker.post(INFER, {"inputs": [bytes_tensor(["bug"])]}).json


SHAPES = {
    "flat": ([2], ["a", "b"]),
    "a column": ([2, 1], [["a"], ["b"]]),
    "a column, flat": ([2, 1], ["a", "b"]),
    "nested in vain": ([2], [["a", "b"]]),
    "empty texts": ([2], ["", ""]),
    "a null character": ([2], ["\0", "b"]),
}


@pytest.mark.parametrize(("shape", "data"), SHAPES.values(), ids=SHAPES)
def test_data_may_be_flat_or_nested(asker: Asker, shape: list[int], data: list[Any]) -> None:
    answer = asker.post(INFER, {"inputs": [bytes_tensor([], shape=shape, data=data)]})

    assert answer.json["outputs"][0]["shape"] == [2]


def test_outputs_are_those_wanted_in_that_order(asker: Asker) -> None:
    body = {"inputs": [bytes_tensor(["bug"])], "outputs": [{"name": "score"}, {"name": "label"}]}

    assert [one["name"] for one in asker.post(INFER, body).json["outputs"]] == ["score", "label"]


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_outputs_as_it_says(every: Asker, task: str) -> None:
    said = every.get(f"/v2/models/{task}").json
    inputs = [bytes_tensor(["what is it"]), bytes_tensor(["the app is slow"], name="pair")][: len(said["inputs"])]

    answer = every.post(f"/v2/models/{task}/infer", {"inputs": inputs})

    assert answer.status == 200
    assert [(one["name"], one["datatype"]) for one in answer.json["outputs"]] == [
        (one["name"], one["datatype"]) for one in said["outputs"]
    ]
    assert all(len(one["data"]) == np.prod(one["shape"]) for one in answer.json["outputs"])


@pytest.mark.parametrize("task", LABELS)
def test_a_score_of_every_task_with_labels(every: Asker, task: str) -> None:
    answer = every.post(f"/v2/models/{task}/infer", {"inputs": [bytes_tensor(["bug"])]}).json

    assert isinstance(answer["outputs"][1]["data"][0], float)


def test_pairs_are_two_inputs_or_two_columns(every: Asker) -> None:
    question, context = QUESTION["question"], QUESTION["context"]
    path = "/v2/models/answering/infer"

    two = every.post(path, {"inputs": [bytes_tensor([context], name="pair"), bytes_tensor([question])]}).json
    one = every.post(path, {"inputs": [bytes_tensor([question, context], shape=[1, 2])]}).json

    assert two["outputs"] == one["outputs"]
    assert two["outputs"][0]["data"][0] in context


GOOD = {"inputs": [bytes_tensor([CANARY, "b"])]}
TENSOR = GOOD["inputs"][0]
MALFORMED: dict[str, object] = {
    "no JSON": b"{bad",
    "empty": b"",
    "deep": b'{"inputs": ' + b"[" * 50 + b"]" * 50 + b"}",
    "no inputs": {},
    "inputs null": {"inputs": None},
    "inputs empty": {"inputs": []},
    "no name": {"inputs": [without(TENSOR, "name")]},
    "no shape": {"inputs": [without(TENSOR, "shape")]},
    "no datatype": {"inputs": [without(TENSOR, "datatype")]},
    "no data": {"inputs": [without(TENSOR, "data")]},
    "an unknown input": {"inputs": [TENSOR | {"name": CANARY}]},
    "a further input": {"inputs": [TENSOR, TENSOR | {"name": "other"}]},
    "an input twice": {"inputs": [TENSOR, TENSOR]},
    "another datatype": {"inputs": [TENSOR | {"datatype": "FP32"}]},
    "a lower datatype": {"inputs": [TENSOR | {"datatype": "bytes"}]},
    "a shape that is too large": {"inputs": [TENSOR | {"shape": [3]}]},
    "a shape that is too small": {"inputs": [TENSOR | {"shape": [1]}]},
    "a negative size": {"inputs": [TENSOR | {"shape": [-2]}]},
    "two negative sizes": {"inputs": [TENSOR | {"shape": [-1, -2]}]},
    "a huge size": {"inputs": [TENSOR | {"shape": [2**62, 2**62]}]},
    "a size beyond 64 bits": {"inputs": [TENSOR | {"shape": [2**80]}]},
    "a fraction": {"inputs": [TENSOR | {"shape": [2.5]}]},
    "a size that is a truth": {"inputs": [TENSOR | {"shape": [True]}]},
    "no sizes": {"inputs": [TENSOR | {"shape": []}]},
    "three sizes": {"inputs": [TENSOR | {"shape": [2, 1, 1]}]},
    "no texts": {"inputs": [TENSOR | {"shape": [0], "data": []}]},
    "three texts a row": {"inputs": [bytes_tensor(["a"] * 6, shape=[2, 3])]},
    "numbers": {"inputs": [TENSOR | {"data": [1, 2]}]},
    "nulls": {"inputs": [TENSOR | {"data": [None, None]}]},
    "data that is a text": {"inputs": [TENSOR | {"data": CANARY}]},
    "an unknown output": GOOD | {"outputs": [{"name": CANARY}]},
    "an output twice": GOOD | {"outputs": [{"name": "label"}, {"name": "label"}]},
    "an output without a name": GOOD | {"outputs": [{}]},
    "an id that is a number": GOOD | {"id": 42},
    "bytes that are not there": {"inputs": [without(TENSOR, "data") | {"parameters": {"binary_data_size": 9}}]},
    "more second texts": {"inputs": [bytes_tensor(["a"]), bytes_tensor(["a", "b"], name="pair")]},
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_answered_is_400(asker: Asker, body: object) -> None:
    answer = asker.post(INFER, body)

    assert (answer.status, set(answer.json)) == (400, {"error"})
    assert CANARY not in answer.body.decode()


@pytest.mark.parametrize(("media_type", "status"), [("", 200), ("text/plain", 400), ("multipart/form-data", 400)])
def test_other_content_types_are_refused(asker: Asker, media_type: str, status: int) -> None:
    assert asker.post(INFER, GOOD, {"content-type": media_type}).status == status


def test_texts_come_as_bytes(asker: Asker) -> None:
    raw = packed("größer", "bug")

    answer = post_binary(asker, {"inputs": [binary_input(len(raw))]}, raw)

    assert answer.json["outputs"] == asker.post(INFER, {"inputs": [bytes_tensor(["größer", "bug"])]}).json["outputs"]


def test_outputs_go_as_bytes_in_their_order(asker: Asker) -> None:
    wanted = [{"name": "scores", "parameters": {"binary_data": True}}, {"name": "label"}]
    wanted.append({"name": "score", "parameters": {"binary_data": True}})
    body = {"inputs": [bytes_tensor(["bug", "bad"])]}

    answer = asker.post(INFER, body | {"outputs": wanted})

    size = int(answer.headers["inference-header-content-length"])
    head = json.loads(answer.body[:size])
    expected = {one["name"]: one["data"] for one in asker.post(INFER, body).json["outputs"]}
    assert answer.headers["content-type"] == "application/octet-stream"
    assert [one.get("parameters") for one in head["outputs"]] == [
        {"binary_data_size": 24}, None, {"binary_data_size": 8}
    ]  # fmt: skip
    numbers = np.frombuffer(answer.body[size:], "<f4")
    np.testing.assert_array_equal(numbers, np.float32(expected["scores"] + expected["score"]))


def test_all_outputs_go_as_bytes_where_the_request_says_so(every: Asker) -> None:
    body = {"inputs": [bytes_tensor(["a"]), bytes_tensor(["a b"], name="pair")]}

    answer = every.post("/v2/models/answering/infer", body | {"parameters": {"binary_data_output": True}})

    size = int(answer.headers["inference-header-content-length"])
    sizes = [one["parameters"]["binary_data_size"] for one in json.loads(answer.body[:size])["outputs"]]
    assert sum(sizes) == len(answer.body) - size
    assert sizes[1:4] == [4, 8, 8]


LENGTHS = ["-1", "abc", "999999", "9" * 40, "1e2", "0x10", "+5", "²", "0", "3"]


@pytest.mark.parametrize("length", LENGTHS)
def test_a_length_of_the_header_that_is_none_is_400(asker: Asker, length: str) -> None:
    raw = packed("a", "b")

    assert post_binary(asker, {"inputs": [binary_input(len(raw))]}, raw, length).status == 400


RAW = packed("a", "b")
BYTES: dict[str, tuple[object, list[int], bytes]] = {
    "too few": (len(RAW), [2], RAW[:-1]),
    "too many": (len(RAW), [2], RAW + b"x"),
    "a negative size": (-1, [2], RAW),
    "a huge size": (2**70, [2], RAW),
    "a size that is a text": ("10", [2], RAW),
    "fewer elements": (len(RAW), [3], RAW),
    "more elements": (len(RAW), [1], RAW),
    "half a length": (2, [2], b"\x01\x00"),
    "an element that is too long": (8, [1], b"\xff\xff\xff\xff" + b"abcd"),
    "no UTF-8": (5, [1], struct.pack("<I", 1) + b"\xff"),
    "no bytes": (0, [2], b""),
    "no bytes behind": (None, [2], RAW),
}


@pytest.mark.parametrize(("size", "shape", "raw"), BYTES.values(), ids=BYTES)
def test_bytes_that_do_not_fit_are_400(asker: Asker, size: object, shape: list[int], raw: bytes) -> None:
    answer = post_binary(asker, {"inputs": [binary_input(size, shape)]}, raw)

    assert (answer.status, set(answer.json)) == (400, {"error"})


def test_data_and_bytes_together_are_400(asker: Asker) -> None:
    assert post_binary(asker, {"inputs": [binary_input(len(RAW)) | {"data": ["a", "b"]}]}, RAW).status == 400


def test_a_cut_text_is_told(asker: Asker) -> None:
    assert asker.post(INFER, {"inputs": [bytes_tensor(["good " * 50])]}).headers["x-fastbert-cut"] == "1"
