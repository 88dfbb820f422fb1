"""SageMaker's multi-model endpoints: load, list, get, invoke, unload, and what is refused."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fastbert.serving.protocols import sagemaker_multi
from tests.serving.asking import QUIET, Asker, serving


@pytest.fixture
def root(single: Path, tmp_path: Path) -> Path:
    """Return a folder for models with two of them, as SageMaker lays them down."""
    for name in ("one", "two"):
        shutil.copytree(single, tmp_path / "models" / name / "model")
    return tmp_path / "models"


@pytest.fixture
def served(root: Path) -> Iterator[Asker]:
    with serving([], replace(QUIET, models_root=root)) as asker:
        yield asker


def load(served: Asker, root: Path, name: str) -> int:
    return served.post("/models", {"model_name": name, "url": str(root / name / "model")}).status


def test_a_model_is_loaded_asked_and_let_go(served: Asker, root: Path) -> None:
    assert load(served, root, "one") == 200
    assert served.get("/models/one").json == {"modelName": "one", "modelUrl": str(root / "one" / "model")}
    headers = {"X-Amzn-SageMaker-Target-Model": "one.tar.gz"}
    assert len(served.post("/models/one/invoke", {"text": "bug"}, headers).json) == 3
    predictor = weakref.ref(served.service.models.get("one").predictor)

    answer = served.ask("DELETE", "/models/one", b"")

    assert answer.status == 200
    assert predictor() is None
    assert served.get("/models/one").status == 404
    assert load(served, root, "one") == 200


def test_all_bodies_of_invocations_are_read(served: Asker, root: Path) -> None:
    load(served, root, "one")

    assert served.post("/models/one/invoke", b"bug\nbad\n", {"content-type": "text/csv"}).body.count(b"\n") == 2
    assert served.post("/models/one/invoke", {"inputs": ["bug", "bad"]}).status == 200
    assert served.post("/models/one/invoke", {"text": 5}).status == 400


def test_a_model_is_not_loaded_twice(served: Asker, root: Path) -> None:
    load(served, root, "one")

    assert load(served, root, "one") == 409
    assert list(served.service.models.all) == ["one"]


def test_a_model_that_does_not_fit_is_507(served: Asker, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sagemaker_multi, "free_bytes", lambda: 1000)

    assert load(served, root, "one") == 507
    assert load(served, root, "one") == 507  # it is not taken for loading still
    assert not served.service.models.all


def test_where_memory_is_not_known_it_is_tried(served: Asker, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sagemaker_multi, "free_bytes", lambda: None)

    assert load(served, root, "one") == 200


def test_no_memory_while_it_loads_is_507(served: Asker, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(source: object) -> None:
        raise MemoryError

    monkeypatch.setattr(served.service.models, "load", fail)

    assert load(served, root, "one") == 507


def test_models_are_listed_page_by_page(served: Asker, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sagemaker_multi, "PAGE", 1)
    assert served.get("/models").json == {"models": []}
    load(served, root, "two")
    load(served, root, "one")

    first = served.get("/models").json
    second = served.get(f"/models?next_page_token={first['nextPageToken']}").json

    assert [one["modelName"] for one in first["models"]] == ["one"]
    assert [one["modelName"] for one in second["models"]] == ["two"]
    assert "nextPageToken" not in second


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/models/no"), ("DELETE", "/models/no"), ("POST", "/models/no/invoke")]
)
def test_an_unknown_model_is_404(served: Asker, method: str, path: str) -> None:
    assert served.ask(method, path, b'{"text": "a"}', {"content-type": "application/json"}).status == 404


def test_ping_means_that_the_server_lives(served: Asker) -> None:
    served.service.set_ready(False)

    assert served.get("/ping").status == 200


BODIES = {
    "no JSON": b"{",
    "nothing": {},
    "no url": {"model_name": "one"},
    "no name": {"url": "{root}/one/model"},
    "an empty name": {"model_name": "", "url": "{root}/one/model"},
    "a name with a slash": {"model_name": "a/b", "url": "{root}/one/model"},
    "a hidden name": {"model_name": ".a", "url": "{root}/one/model"},
    "an address": {"model_name": "one", "url": "http://127.0.0.1/one"},
    "a bucket": {"model_name": "one", "url": "s3://bucket/one"},
    "a file address": {"model_name": "one", "url": "file://{root}/one/model"},
    "a relative path": {"model_name": "one", "url": "one/model"},
    "an empty path": {"model_name": "one", "url": ""},
    "a null character": {"model_name": "one", "url": "{root}/one\0"},
    "the folder itself": {"model_name": "one", "url": "{root}"},
    "above": {"model_name": "one", "url": "{root}/../models"},
    "out of it": {"model_name": "one", "url": "{root}/../../etc"},
    "out and in again": {"model_name": "one", "url": "{root}/../outside"},
    "another folder": {"model_name": "one", "url": "/etc"},
    "not there": {"model_name": "one", "url": "{root}/three/model"},
    "a file": {"model_name": "one", "url": "{root}/one/model/bundle.json"},
    "no bundle": {"model_name": "one", "url": "{root}/one"},
    "a link out": {"model_name": "one", "url": "{root}/linked"},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_is_not_loaded(served: Asker, root: Path, single: Path, body: dict[str, str] | bytes) -> None:
    shutil.copytree(single, root.parent / "outside")
    (root / "linked").symlink_to(root.parent / "outside")
    if isinstance(body, dict):
        body = {name: value.replace("{root}", str(root)) for name, value in body.items()}

    answer = served.post("/models", body)

    assert (answer.status, served.service.models.all) == (400, {})


def test_a_model_with_a_file_from_elsewhere_is_not_loaded(served: Asker, root: Path, tmp_path: Path) -> None:
    file = root / "one" / "model" / "bundle.json"
    file.rename(tmp_path / "bundle.json")
    file.symlink_to(tmp_path / "bundle.json")

    assert load(served, root, "one") == 400


@pytest.mark.parametrize(("method", "path"), [("POST", "/models"), ("GET", "/models"), ("DELETE", "/models/single")])
def test_without_a_folder_for_models_there_are_no_such_routes(asker: Asker, method: str, path: str) -> None:
    assert asker.ask(method, path, b"{}").status == 404
