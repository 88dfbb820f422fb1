"""SageMaker's contract: its health check, bodies of two predecessors, batch transform, content types."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from fastbert.serving.settings import Limits
from tests.serving.asking import QUIET, Asker, serving
from tests.serving.contracts import CANARY, CSV, JSONLINES, LABELS, TASKS, TEXT, item


def test_ping_is_empty(asker: Asker) -> None:
    answer = asker.get("/ping")

    assert (answer.status, answer.body) == (200, b"")


def test_ping_needs_no_key_but_invocations_do(single: Path) -> None:
    with serving([single], replace(QUIET, api_keys=("k" * 16,))) as served:
        assert served.get("/ping").status == 200
        assert served.post("/invocations", {"text": "a"}).status == 401


def test_ping_says_that_models_load(single: Path) -> None:
    with serving([single]) as served:
        served.service.set_ready(False)

        answer = served.get("/ping")

    assert (answer.status, answer.body) == (503, b"")


def test_ping_does_not_wait_for_the_model(single: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving([single]) as served:
        begun, go_on = threading.Event(), threading.Event()
        engine = served.service.models.get().batcher._engine
        encode = engine.encode

        def slow(examples):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            begun.set()
            assert go_on.wait(30)
            return encode(examples)

        monkeypatch.setattr(engine, "encode", slow)
        body = json.dumps({"text": "a"}).encode()
        headers = {"content-type": "application/json"}
        work = asyncio.run_coroutine_threadsafe(served._ask("POST", "/invocations", body, headers), served.loop)
        assert begun.wait(30)

        answers = [served.get("/ping").status for _ in range(20)]

        assert not work.done()
        go_on.set()
        assert work.result(30).status == 200
    assert answers == [200] * 20


def test_a_text_is_answered_as_its_predecessor_did(askers: dict[str, Asker]) -> None:
    answer = askers["single_label"].post("/invocations", {"text": TEXT}).json

    assert sorted(label for label, _ in answer) == ["bug", "praise", "question"]
    assert [score for _, score in answer] == sorted((score for _, score in answer), reverse=True)
    assert sum(score for _, score in answer) == pytest.approx(1.0)


def test_at_most_ten_labels_are_answered(askers: dict[str, Asker], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastbert.serving.protocols.sagemaker.MOST_LABELS", 2)

    assert len(askers["single_label"].post("/invocations", {"text": TEXT}).json) == 2


@pytest.mark.parametrize("task", TASKS)
def test_every_task_answers_inputs_as_its_pipeline(askers: dict[str, Asker], task: str) -> None:
    answer = askers[task].post("/invocations", {"inputs": item(task)})

    assert answer.status == 200
    if task in LABELS:
        assert [set(one) for one in answer.json] == [{"label", "score"}]
    elif task == "tagging":
        assert all(set(one) == {"entity_group", "score", "word", "start", "end"} for one in answer.json)
    else:
        assert set(answer.json) == {"answer", "score", "start", "end"}


@pytest.mark.parametrize("task", ["tagging", "answering"])
def test_a_text_for_a_model_without_labels_is_refused(askers: dict[str, Asker], task: str) -> None:
    answer = askers[task].post("/invocations", {"text": TEXT})

    assert (answer.status, answer.json["type"]) == (400, "unsupported_task")


LISTS = {
    "one text": ({"inputs": [TEXT]}, [1]),
    "texts": ({"inputs": [TEXT, "bug"]}, [1, 1]),
    "top_k": ({"inputs": [TEXT, "bug"], "parameters": {"top_k": 2}}, [2, 2]),
    "all": ({"inputs": [TEXT], "parameters": {"top_k": None}}, [3]),
    "as older clients ask": ({"inputs": TEXT, "parameters": {"return_all_scores": True}}, [3]),
    "records": ({"inputs": [{"text": TEXT}, {"text": "bug"}]}, [1, 1]),
    "unknown parameters": ({"inputs": [TEXT], "parameters": {"truncation": True, "top_k": 1}}, [1]),
    "the model's own function": ({"inputs": [TEXT], "parameters": {"function_to_apply": "softmax"}}, [1]),
}


@pytest.mark.parametrize(("body", "lengths"), LISTS.values(), ids=LISTS)
def test_lists_are_answered_in_order(askers: dict[str, Asker], body: object, lengths: list[int]) -> None:
    answer = askers["single_label"].post("/invocations", body).json

    assert [len(one) if isinstance(one, list) else 1 for one in answer] == lengths


MALFORMED: dict[str, object] = {
    "no JSON": b"{bad",
    "empty": b"",
    "half a body": b'{"text": "zanzibar-canary',
    "not UTF-8": b'{"text": "\xff"}',
    "deep": b'{"inputs": ' + b"[" * 50 + b"]" * 50 + b"}",
    "nothing": {},
    "a list": [],
    "a string": CANARY,
    "null": None,
    "a number for text": {"text": 5},
    "null for text": {"text": None},
    "a list for text": {"text": [CANARY]},
    "text and inputs": {"text": CANARY, "inputs": CANARY},
    "a number for inputs": {"inputs": 5},
    "null for inputs": {"inputs": None},
    "no inputs": {"inputs": []},
    "a number among inputs": {"inputs": [CANARY, 5]},
    "three texts": {"inputs": [[CANARY, "b", "c"]]},
    "an empty pair": {"inputs": [[]]},
    "half a question": {"inputs": {"question": CANARY}},
    "a record of another kind": {"inputs": {"sentence": CANARY}},
    "top_k 0": {"inputs": CANARY, "parameters": {"top_k": 0}},
    "top_k text": {"inputs": CANARY, "parameters": {"top_k": "all"}},
    "parameters list": {"inputs": CANARY, "parameters": []},
    "another function": {"inputs": CANARY, "parameters": {"function_to_apply": "sigmoid"}},
    "token by token": {"inputs": CANARY, "parameters": {"aggregation_strategy": "none"}},
    "a key for Bing": {"text": CANARY, "bing_key": "abc"},
    "two of MLflow's": {"instances": [CANARY], "dataframe_records": [{"text": CANARY}]},
    "MLflow's without rows": {"dataframe_split": {"columns": ["text"]}},
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_answered_is_400_and_nothing_is_echoed(askers: dict[str, Asker], body: object) -> None:
    answer = askers["single_label"].post("/invocations", body)

    assert answer.status == 400
    assert set(answer.json) == {"code", "type", "message"}
    assert CANARY not in answer.body.decode()


def test_a_key_for_bing_is_refused_by_name(asker: Asker) -> None:
    answer = asker.post("/invocations", {"text": "a", "bing_key": "abc"})

    assert (
        answer.json["message"] == "bing_key: Texts are never sent elsewhere, so a key for it is refused. Leave it out."
    )


@pytest.mark.parametrize("key", [None, ""])
def test_an_empty_key_for_bing_is_no_matter(asker: Asker, key: str | None) -> None:
    assert asker.post("/invocations", {"text": "a", "bing_key": key}).status == 200


TYPES = {
    "application/json": 200,
    "application/json; charset=utf-8": 200,
    "application/json;charset=UTF-8": 200,
    "Application/JSON": 200,
    "": 200,
    "application/json; charset=latin-1": 415,
    "application/x-npy": 415,
    "text/plain": 415,
    "multipart/form-data": 415,
    "application/octet-stream": 415,
}


@pytest.mark.parametrize(("media_type", "status"), TYPES.items())
def test_content_types(asker: Asker, media_type: str, status: int) -> None:
    assert asker.post("/invocations", {"text": "a"}, {"content-type": media_type}).status == status


def test_numpy_arrays_are_refused_with_what_is_read(asker: Asker) -> None:
    answer = asker.post("/invocations", b"\x93NUMPY", {"content-type": "application/x-npy"})

    assert "application/json, text/csv, application/jsonlines" in answer.json["message"]


ACCEPTS = {
    "": "application/json",
    "*/*": "application/json",
    "application/*": "application/json",
    "application/json": "application/json",
    "text/csv": "text/csv; charset=utf-8",
    "application/jsonlines": "application/jsonlines",
    "application/x-jsonlines": "application/x-jsonlines",
    "image/png, application/json;q=0.5": "application/json",
    "text/html": None,
    "application/json;q=0": None,
    "application/json;q=x": None,
    "application/x-npy": None,
}


@pytest.mark.parametrize(("accept", "answered"), ACCEPTS.items())
def test_accept_chooses_the_content_type(asker: Asker, accept: str, answered: str | None) -> None:
    answer = asker.post("/invocations", {"inputs": "bug"}, {"accept": accept})

    assert (answer.status, answer.headers["content-type"]) == (
        (200, answered) if answered else (406, "application/json")
    )


def test_csv_with_a_header_is_answered_with_one(asker: Asker) -> None:
    body = b'id,inputs\n1,"the app, is slow"\n2,bug\n'

    answer = asker.post("/invocations", body, {"content-type": "text/csv", "accept": "text/csv"})

    header, *rows = answer.body.decode().splitlines()
    assert header == "label,score"
    assert len(rows) == 2
    assert len(asker.post("/invocations", body, CSV).json) == 2


def test_csv_without_a_header_is_answered_line_by_line(asker: Asker) -> None:
    answer = asker.post("/invocations", b'"the app, is slow"\r\nbug\r\nbad\r\n', CSV)

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(answer.body.decode().splitlines()) == 3
    assert all(len(line.split(",")) == 2 for line in answer.body.decode().splitlines())


def test_csv_of_pairs_has_two_columns(askers: dict[str, Asker]) -> None:
    answer = askers["answering"].post("/invocations", b"what is slow,the app is slow\n", CSV)
    headed = askers["answering"].post(
        "/invocations", b"context,question\nthe app is slow,what is slow\n", {**CSV, "accept": "text/csv"}
    )

    assert headed.body.decode().splitlines()[0] == "answer,score,start,end"
    assert headed.body.decode().splitlines()[1] == answer.body.decode().strip()


def test_csv_of_entities_has_a_list_in_each_row(askers: dict[str, Asker]) -> None:
    answer = askers["tagging"].post("/invocations", b"the app is slow\nbug\n", CSV)

    rows = answer.body.decode().splitlines()
    assert len(rows) == 2
    assert rows[0].startswith('"[{""entity_group"":')


BAD_CSV = {
    "empty": b"",
    "blank": b"\n\n",
    "a header alone": b"inputs\n",
    "an open quote": b'"zanzibar-canary\n',
    "text after a quote": b'"a"zanzibar-canary\n',
    "an empty row": b"bug\n\nbug\n",
    "too many cells": b"a,b,c\n",
    "rows of different lengths": b"inputs\na,zanzibar-canary\n",
    "not UTF-8": b"\xff\xfe\n",
}


@pytest.mark.parametrize("body", BAD_CSV.values(), ids=BAD_CSV)
def test_csv_that_cannot_be_read_is_400(asker: Asker, body: bytes) -> None:
    answer = asker.post("/invocations", body, CSV)

    assert answer.status == 400
    assert CANARY not in answer.body.decode()


def test_a_long_cell_is_read(asker: Asker) -> None:
    assert asker.post("/invocations", b'"' + b"bug " * 40_000 + b'"\n', CSV).status == 200


@pytest.mark.parametrize(
    "media_type", ["application/jsonlines", "application/jsonl", "application/x-jsonlines", "application/x-ndjson"]
)
def test_each_json_line_is_answered_with_a_line(asker: Asker, media_type: str) -> None:
    body = b'{"inputs": "bug"}\n{"text": "bug"}\n{"inputs": ["bug", "bad"]}\n"bug"\n'

    answer = asker.post("/invocations", body, {"content-type": media_type})

    lines = [json.loads(line) for line in answer.body.decode().splitlines()]
    assert len(lines) == 4
    assert lines[0] == lines[3] == [{"label": lines[1][0][0], "score": lines[1][0][1]}]
    assert [len(lines[1]), len(lines[2])] == [3, 2]
    assert answer.headers["content-type"] == "application/jsonlines"


def test_json_lines_may_be_answered_as_one_list(asker: Asker) -> None:
    answer = asker.post("/invocations", b'"bug"\n"bad"', {**JSONLINES, "accept": "application/json"})

    assert len(answer.json) == 2


BAD_LINES = {
    "empty": (b"", ""),
    "no JSON": (b'"bug"\n{bad\n', "line 2: "),
    "a blank line": (b'"bug"\n\n"bug"\n', "line 2: "),
    "a number": (b"5\n", "line 1: "),
    "no inputs": (b'"bug"\n"bug"\n{"inputs": []}\n', "line 3, inputs: "),
    "another function": (
        b'{"inputs": "zanzibar-canary", "parameters": {"function_to_apply": "none"}}',
        "line 1, parameters.function_to_apply: ",
    ),
}


@pytest.mark.parametrize(("body", "place"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_named(asker: Asker, body: bytes, place: str) -> None:
    answer = asker.post("/invocations", body, JSONLINES)

    assert (answer.status, answer.json["message"].startswith(place)) == (400, True)
    assert CANARY not in answer.body.decode()


def test_batch_transform_is_told_of_the_limits(single: Path) -> None:
    settings = replace(QUIET, limits=Limits(body_bytes=6 * 2**20), batch_strategy="SINGLE_RECORD", max_transforms=3)
    with serving([single], settings) as served:
        answer = served.get("/execution-parameters")

    assert answer.json == {"MaxConcurrentTransforms": 3, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 6}


def test_transforms_and_payload_stay_within_what_sagemaker_allows(single: Path) -> None:
    with serving([single], replace(QUIET, limits=Limits(body_bytes=50 * 2**20))) as served:
        assert served.get("/execution-parameters").json["MaxConcurrentTransforms"] == 2


@pytest.mark.parametrize(
    "name",
    [
        "X-Amzn-SageMaker-Custom-Attributes",
        "X-Amzn-SageMaker-Target-Model",
        "X-Amzn-SageMaker-Target-Variant",
        "X-Amzn-SageMaker-Inference-Id",
    ],
)
def test_headers_of_the_platform_are_passed_over(asker: Asker, name: str) -> None:
    assert asker.post("/invocations", {"text": "a"}, {name: "anything"}).status == 200


@pytest.mark.parametrize(
    ("body", "headers"),
    [({"text": "good " * 50}, {}), ({"inputs": ["bug", "good " * 50]}, {}), (b"good " * 50, CSV)],
)
def test_a_cut_text_is_told(asker: Asker, body: object, headers: dict[str, str]) -> None:
    assert asker.post("/invocations", body, headers).headers["x-fastbert-cut"] == "1"


def test_a_body_that_is_too_large_is_413(asker: Asker) -> None:
    assert asker.post("/invocations", b'{"text": "' + b"a" * 6_000_000 + b'"}').status == 413


@pytest.mark.parametrize("body", [{"instances": ["bug"]}, {"dataframe_records": [{"text": "bug"}]}])
def test_bodies_of_mlflow_are_answered_as_mlflow_does(asker: Asker, body: object) -> None:
    assert set(asker.post("/invocations", body).json) == {"predictions"}
