"""The contract of Hugging Face's toolkit, as a server and in its own container."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.serving.asking import QUIET, Asker, serving
from tests.serving.contracts import CANARY, LABELS, QUESTION, TASKS, TEXT, item


@pytest.fixture(scope="module")
def toolkit(single: Path) -> Iterator[Asker]:
    with serving([single], replace(QUIET, contract="huggingface")) as served:
        yield served


@pytest.mark.parametrize("path", ["/", "/predict"])
def test_a_text_is_answered_with_its_best_label(toolkit: Asker, path: str) -> None:
    (answer,) = toolkit.post(path, {"inputs": TEXT}).json

    assert set(answer) == {"label", "score"}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_answers_as_its_pipeline(askers: dict[str, Asker], task: str) -> None:
    one = askers[task].post("/", {"inputs": item(task)}).json
    two = askers[task].post("/", {"inputs": [item(task), item(task)]}).json

    assert two == ([one[0]] * 2 if task in LABELS else [one] * 2)


@pytest.mark.parametrize("task", LABELS)
def test_a_record_by_itself_is_answered_without_a_list(askers: dict[str, Asker], task: str) -> None:
    best = askers[task].post("/", {"inputs": {"text": TEXT}}).json
    ranked = askers[task].post("/", {"inputs": {"text": TEXT}, "parameters": {"top_k": None}}).json

    assert best == ranked[0] == askers[task].post("/", {"inputs": TEXT}).json[0]


def test_entities_are_left_out_by_label(askers: dict[str, Asker]) -> None:
    everything = askers["tagging"].post("/", {"inputs": TEXT}).json
    label = everything[0]["entity_group"]

    answer = askers["tagging"].post("/", {"inputs": TEXT, "parameters": {"ignore_labels": [label]}}).json

    assert answer == [one for one in everything if one["entity_group"] != label]
    assert all(TEXT[one["start"] : one["end"]] == one["word"] for one in everything)


def test_further_answers_come_with_top_k(askers: dict[str, Asker]) -> None:
    best = askers["answering"].post("/", {"inputs": QUESTION}).json
    several = askers["answering"].post("/", {"inputs": QUESTION, "parameters": {"top_k": 3}}).json

    assert several[0] == best
    assert len(several) == 3
    assert QUESTION["context"][best["start"] : best["end"]] == best["answer"]


@pytest.mark.parametrize("agent", ["unknown/None; hf_hub/2.4.0; python/3.11", "@huggingface/inference/4.0.0 node"])
def test_their_own_clients_are_answered_as_the_hosted_service(toolkit: Asker, agent: str) -> None:
    headers = {"user-agent": agent}

    (labels,) = toolkit.post("/", {"inputs": TEXT, "parameters": {}}, headers).json
    (best,) = toolkit.post("/", {"inputs": TEXT, "parameters": {"top_k": 1}}, headers).json

    assert len(labels) == 3
    assert best == labels[:1]
    assert toolkit.post("/", {"inputs": [TEXT]}, headers).json == labels[:1]


def test_health(toolkit: Asker) -> None:
    assert (toolkit.get("/health").status, toolkit.get("/health").body) == (200, b"Ok")
    toolkit.service.set_ready(False)
    answer = toolkit.get("/health")
    toolkit.service.set_ready(True)
    assert (answer.status, set(answer.json)) == (503, {"error"})


def test_the_root_is_for_health_where_there_is_no_page(single: Path) -> None:
    with serving([single], replace(QUIET, page=False)) as served:
        assert served.get("/").body == b"Ok"


MALFORMED: dict[str, object] = {
    "no JSON": b"{bad",
    "empty": b"",
    "nothing": {},
    "parameters alone": {"parameters": {}},
    "a number": {"inputs": 5},
    "null": {"inputs": None},
    "a number among texts": {"inputs": [CANARY, 5]},
    "no texts": {"inputs": []},
    "half a question": {"inputs": {"question": CANARY}},
    "a question and a text": {"inputs": {"question": CANARY, "context": CANARY, "text": CANARY}},
    "a pair without a text": {"inputs": {"text_pair": CANARY}},
    "parameters as text": {"inputs": CANARY, "parameters": "all"},
    "another function": {"inputs": CANARY, "parameters": {"function_to_apply": "none"}},
    "a function that there is not": {"inputs": CANARY, "parameters": {"function_to_apply": CANARY}},
    "token by token": {"inputs": CANARY, "parameters": {"aggregation_strategy": "none"}},
    "too many labels": {"inputs": CANARY, "parameters": {"top_k": 10_001}},
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_answered_is_400(toolkit: Asker, body: object) -> None:
    answer = toolkit.post("/", body)

    assert (answer.status, set(answer.json)) == (400, {"error"})
    assert CANARY not in answer.body.decode()


@pytest.mark.parametrize(("task", "inputs"), [("answering", TEXT), ("tagging", QUESTION)])
def test_an_input_of_another_task_is_400(askers: dict[str, Asker], task: str, inputs: object) -> None:
    assert askers[task].post("/", {"inputs": inputs}).status == 400


def test_a_cut_text_is_told(toolkit: Asker) -> None:
    assert toolkit.post("/", {"inputs": "good " * 50}).headers["x-fastbert-cut"] == "1"
