"""Limits and keys hold in every contract, and what asks for health never waits for the model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fastbert.data.examples import TextExample
from fastbert.serving.settings import Limits, Settings
from tests.serving.asking import QUIET, Answer, Asker, serving
from tests.serving.contracts import CSV, JSONLINES, bytes_tensor
from tests.serving.gates import Gate

Make = Callable[[Sequence[str]], object]
KEY = "k" * 16
LIMITS = Limits(body_bytes=2000, texts=4, characters=400, depth=8)
JSON = {"content-type": "application/json"}
# What asks for these texts, and the statuses of too many texts and of too many characters.
ASKING: dict[str, tuple[str, dict[str, str], Make, tuple[int, int]]] = {
    "FastBert": ("/v1/predict", JSON, lambda texts: {"texts": texts}, (422, 413)),
    "SageMaker": ("/invocations", JSON, lambda texts: {"inputs": texts}, (400, 413)),
    "SageMaker, CSV": ("/invocations", CSV, "\n".join, (400, 413)),
    "SageMaker, lines": ("/invocations", JSONLINES, lambda texts: "\n".join(map(json.dumps, texts)), (400, 413)),
    "SageMaker, one line": ("/invocations", JSONLINES, lambda texts: json.dumps({"inputs": texts}), (400, 413)),
    "SageMaker, lists": (
        "/invocations",
        JSONLINES,
        lambda texts: "\n".join(json.dumps({"inputs": part}) for part in (texts[:2], texts[2:]) if part),
        (400, 413),
    ),
    "MLflow": ("/invocations", JSON, lambda texts: {"instances": texts}, (400, 413)),
    "MLflow, records": (
        "/invocations",
        JSON,
        lambda texts: {"dataframe_records": [{"text": one} for one in texts]},
        (400, 413),
    ),
    "MLflow, columns": ("/invocations", JSON, lambda texts: {"instances": {"text": texts}}, (400, 413)),
    "MLflow, split": (
        "/invocations",
        JSON,
        lambda texts: {"dataframe_split": {"columns": ["text"], "data": [[one] for one in texts]}},
        (400, 413),
    ),
    "Hugging Face": ("/", JSON, lambda texts: {"inputs": texts}, (400, 413)),
    "TEI": ("/predict", JSON, lambda texts: {"inputs": [[one] for one in texts]}, (422, 413)),
    "vLLM": ("/classify", JSON, lambda texts: {"input": texts}, (400, 413)),
    "KServe": ("/v1/models/single:predict", JSON, lambda texts: {"instances": texts}, (400, 413)),
    "Vertex AI": (
        "/v1/endpoints/1/deployedModels/2:predict",
        JSON,
        lambda texts: {"instances": [{"text": one} for one in texts]},
        (400, 413),
    ),
    "Open Inference Protocol": (
        "/v2/models/single/infer",
        JSON,
        lambda texts: {"inputs": [bytes_tensor(list(texts))]},
        (400, 413),
    ),
}
contracts = pytest.mark.parametrize(("path", "headers", "make", "statuses"), ASKING.values(), ids=ASKING)


@pytest.fixture(scope="module")
def small(single: Path) -> Iterator[Asker]:
    with serving([single], replace(QUIET, limits=LIMITS)) as served:
        yield served


def sent(asker: Asker, path: str, headers: dict[str, str], body: object) -> Answer:
    raw = body if isinstance(body, str) else json.dumps(body)
    return asker.post(path, raw.encode(), headers)


@contracts
def test_as_many_as_are_read_are_answered(
    small: Asker, path: str, headers: dict[str, str], make: Make, statuses: tuple[int, int]
) -> None:
    assert sent(small, path, headers, make(["a"] * 4)).status == 200


@contracts
def test_more_texts_or_characters_are_refused(
    small: Asker, path: str, headers: dict[str, str], make: Make, statuses: tuple[int, int]
) -> None:
    answers = [sent(small, path, headers, make(texts)) for texts in (["a"] * 5, ["a" * 101] * 4)]

    assert tuple(answer.status for answer in answers) == statuses
    assert "There are more than 4 texts" in answers[0].body.decode()


@contracts
def test_a_larger_body_is_refused(
    small: Asker, path: str, headers: dict[str, str], make: Make, statuses: tuple[int, int]
) -> None:
    answer = sent(small, path, headers, make(["a" * 2001]))

    assert (answer.status, answer.headers["connection"]) == (413, "close")


@contracts
def test_without_a_key_nothing_is_answered(
    single: Path, path: str, headers: dict[str, str], make: Make, statuses: tuple[int, int]
) -> None:
    with serving([single], replace(QUIET, api_keys=(KEY,))) as locked:
        refused = sent(locked, path, headers, make(["a"]))
        answered = sent(locked, path, {**headers, "authorization": f"Bearer {KEY}"}, make(["a"]))

    assert (refused.status, answered.status) == (401, 200)
    assert "www-authenticate" in refused.headers


@contextmanager
def full(folder: Path, settings: Settings) -> Iterator[Asker]:
    """Serve a bundle whose threads are all in a pass that does not end, with one text in the queue."""
    with serving([folder], settings) as served:
        model = served.service.models.get()
        lane = model.batcher._engine._lane
        lane._backend = gate = Gate(lane._backend)

        async def fill() -> None:
            model.submit([TextExample("a")])

        try:
            for _ in model.batcher._threads:
                served.run(fill())
                assert gate.entered.acquire(timeout=10)
            served.run(fill())
            yield served
        finally:
            gate.open.set()


@pytest.fixture(scope="module")
def busy(single: Path) -> Iterator[Asker]:
    with full(single, replace(QUIET, limits=Limits(waiting_texts=1))) as served:
        yield served


@contracts
def test_a_queue_that_is_full_is_429(
    busy: Asker, path: str, headers: dict[str, str], make: Make, statuses: tuple[int, int]
) -> None:
    answer = sent(busy, path, headers, make(["a"]))

    assert answer.status == 429
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2/models/single/infer", {"inputs": [bytes_tensor(["a"], data=[["a"], [], [], []])]}),
        ("/v2/models/single/infer", {"inputs": [bytes_tensor(["a"], data=["a", "b", "c"])]}),
        ("/", {"inputs": [["a"]] * 30}),
        ("/predict", {"inputs": [[]] * 30}),
    ],
)
def test_lists_without_texts_are_not_taken_apart(small: Asker, path: str, body: object) -> None:
    assert small.post(path, body).status == 400


def test_more_cells_than_characters_are_refused(small: Asker) -> None:
    assert sent(small, "/invocations", CSV, "a," * 401).status == 413


HEALTH = {
    "sagemaker": ("/ping", "/health", "/execution-parameters"),
    "huggingface": ("/ping", "/health"),
    "tei": ("/ping", "/health"),
    "mlflow": ("/ping", "/health"),
}
ALWAYS = ("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready", "/v1/endpoints/1/deployedModels/2")


@pytest.mark.parametrize("contract", HEALTH)
def test_health_needs_no_key_and_does_not_wait_for_the_model(single: Path, contract: str) -> None:
    settings = Settings(api_keys=(KEY,), contract=contract, access_log=False)
    with full(single, settings) as served:
        statuses = {path: served.get(path).status for path in (*HEALTH[contract], *ALWAYS)}

    assert set(statuses.values()) == {200}, statuses
