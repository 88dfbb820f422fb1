"""Other people's clients, as they are, against a server on a port."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving.asking import QUIET, Asker, serving
from tests.serving.contracts import QUESTION, TEXT


@pytest.fixture(scope="module")
def server(bundles: dict[str, Path]) -> Iterator[Asker]:
    with serving(bundles, port=True) as served:
        yield served


@pytest.fixture(scope="module")
def triton(server: Asker) -> Iterator[Any]:
    http = pytest.importorskip("tritonclient.http")
    with http.InferenceServerClient(server.address.removeprefix("http://")) as client:
        yield client


def test_triton_asks_for_health_and_models(triton: Any) -> None:  # noqa: ANN401  # not typed
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("single_label")
    assert triton.is_model_ready("single_label", "1")
    assert not triton.is_model_ready("no")
    assert triton.get_server_metadata()["name"] == "fastbert"
    assert triton.get_model_metadata("single_label")["inputs"][0]["datatype"] == "BYTES"


@pytest.mark.parametrize("binary_in", [False, True])
@pytest.mark.parametrize("binary_out", [False, True])
def test_triton_infers(triton: Any, server: Asker, binary_in: bool, binary_out: bool) -> None:  # noqa: ANN401
    http = pytest.importorskip("tritonclient.http")
    tensor = http.InferInput("text", [2], "BYTES")
    tensor.set_data_from_numpy(np.array([TEXT, "größer"], np.object_), binary_data=binary_in)
    wanted = [http.InferRequestedOutput(name, binary_data=binary_out) for name in ("label", "scores", "prediction")]

    found = triton.infer("single_label", [tensor], outputs=wanted, request_id="7")

    body = {"texts": [TEXT, "größer"], "model": "single_label"}
    expected = server.post("/v1/predict", body).json["predictions"]
    names = [one.decode() if isinstance(one, bytes) else one for one in found.as_numpy("label").tolist()]
    assert names == [one["labels"][0] for one in expected]
    scores = np.array([list(one["scores"].values()) for one in expected], np.float32)
    np.testing.assert_allclose(found.as_numpy("scores"), scores, rtol=1e-6)
    assert found.get_response()["id"] == "7"


def test_triton_gets_all_outputs_where_it_names_none(triton: Any) -> None:  # noqa: ANN401  # not typed
    http = pytest.importorskip("tritonclient.http")
    question = http.InferInput("text", [1, 1], "BYTES")
    question.set_data_from_numpy(np.array([[QUESTION["question"]]], np.object_))
    context = http.InferInput("pair", [1, 1], "BYTES")
    context.set_data_from_numpy(np.array([[QUESTION["context"]]], np.object_))

    found = triton.infer("answering", [question, context])

    start, end = int(found.as_numpy("start")[0]), int(found.as_numpy("end")[0])
    assert found.as_numpy("answer")[0].decode() == QUESTION["context"][start:end]


def test_triton_sees_errors_as_such(triton: Any) -> None:  # noqa: ANN401  # not typed
    http, utils = pytest.importorskip("tritonclient.http"), pytest.importorskip("tritonclient.utils")
    tensor = http.InferInput("other", [1], "BYTES")
    tensor.set_data_from_numpy(np.array(["a"], np.object_))

    with pytest.raises(utils.InferenceServerException, match="Expected the input 'text'"):
        triton.infer("single_label", [tensor])


@pytest.fixture
def hub(bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return what makes a client of the hub's for a task."""
    hub = pytest.importorskip("huggingface_hub")
    # Offline it refuses to ask anybody, this machine too.
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
    hub.close_session()
    running = []

    def client(task: str) -> Any:  # noqa: ANN401  # not there without the package
        entered = serving({task: bundles[task]}, port=True)
        running.append(entered)
        made = hub.InferenceClient(model=entered.__enter__().address, token="none")
        return made

    yield client
    hub.close_session()
    for one in reversed(running):
        one.__exit__(None, None, None)


def test_the_hub_classifies(hub: Any) -> None:  # noqa: ANN401  # not there without the package
    client = hub("single_label")

    found = client.text_classification(TEXT)

    assert sorted(one.label for one in found) == ["bug", "praise", "question"]
    assert client.text_classification(TEXT, top_k=1) == found[:1]


def test_the_hub_finds_entities(hub: Any) -> None:  # noqa: ANN401  # not there without the package
    found = hub("tagging").token_classification(TEXT, aggregation_strategy="simple")

    assert all(TEXT[one.start : one.end] == one.word for one in found)
    assert {one.entity_group for one in found} <= {"city", "date"}


def test_the_hub_answers_questions(hub: Any) -> None:  # noqa: ANN401  # not there without the package
    found = hub("answering").question_answering(**QUESTION)

    assert QUESTION["context"][found.start : found.end] == found.answer


def test_the_client_of_mlflow_scores(single: Path) -> None:
    scoring = pytest.importorskip("mlflow.pyfunc.scoring_server.client")
    import pandas as pd

    with serving([single], replace(QUIET, contract="mlflow"), port=True) as served:
        client = scoring.ScoringServerClient("127.0.0.1", int(served.address.rpartition(":")[2]))
        client.ping()

        assert client.get_version().count(".") == 2
        table = client.invoke(pd.DataFrame({"text": [TEXT, "bug"]})).get_predictions()
        texts = client.invoke([TEXT, "bug"]).get_predictions()

    assert table["predicted"].tolist() == texts["predicted"].tolist()
    assert list(table.columns) == ["predicted", "score:bug", "score:praise", "score:question"]


def test_sagemaker_passes_a_payload_on_as_it_is(single: Path) -> None:
    """The client talks to the platform, not to a container: what it would pass on is what is checked."""
    session = pytest.importorskip("botocore.session").get_session()
    stub = pytest.importorskip("botocore.stub")
    client = session.create_client(
        "sagemaker-runtime", "eu-west-1", aws_access_key_id="none", aws_secret_access_key="none"
    )
    asked = {"EndpointName": "e", "Body": b'{"text": "bug"}', "ContentType": "application/json", "Accept": "*/*"}
    with serving([single]) as served, stub.Stubber(client) as stubbed:
        answer = served.post("/invocations", asked["Body"], {"content-type": "application/json", "accept": "*/*"})
        passed = {"Body": answer.body, "ContentType": answer.headers["content-type"]}
        stubbed.add_response("invoke_endpoint", passed, asked)

        assert client.invoke_endpoint(**asked)["ContentType"] == "application/json"
