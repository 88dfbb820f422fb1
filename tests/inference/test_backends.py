"""Backends by name: what auto takes, and what is said where something is missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from fastbert.bundle import read_bundle
from fastbert.errors import BundleError, ConfigError, MissingExtraError
from fastbert.export.exporting import export_bundle
from fastbert.inference import backends
from fastbert.inference.predictor import Predictor
from tests.bundles import open_tiny, save_bundle, tiny_bundle
from tests.exported import TEXTS, exported_bundle, rows
from tests.models.test_heads import MeanHead


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle with both engines in float32 and an int8 export for ONNX Runtime."""
    place = exported_bundle(tmp_path_factory.mktemp("both") / "model")
    export_bundle(place, "openvino")
    export_bundle(place, "onnx-int8", data=rows(place), max_loss=1.0)
    return place


@pytest.fixture
def hide(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function after which some packages seem not to be installed."""
    real = importlib.util.find_spec

    def call(*names: str) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in names else real(name))

    return call


@pytest.mark.parametrize(
    ("name", "opened"),
    [
        ("torch", "torch"),
        ("openvino", "openvino"),
        ("onnx-int8", "onnx int8"),
    ],
)
def test_a_backend_is_opened_by_name(name: str, opened: str, folder: Path) -> None:
    predictor = Predictor.load(folder, name)

    assert (predictor.backend.name, predictor.reason) == (opened, "asked for")
    assert len(predictor(TEXTS)) == len(TEXTS)


def test_the_name_of_an_engine_means_its_export_without_int8(folder: Path) -> None:
    predictor = Predictor.load(folder, "onnx")

    assert (predictor.backend.name, predictor.reason) == ("onnx", "asked for")


def test_the_name_of_an_engine_takes_int8_where_there_is_nothing_else(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")
    export_bundle(folder, "onnx-int8", data=rows(folder), max_loss=1.0)

    assert Predictor.load(folder, "onnx").backend.name == "onnx int8"


def test_auto_takes_an_export_and_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "_gpu_likely", lambda: False)

    predictor = Predictor.load(folder)

    assert predictor.backend.name in {"onnx", "onnx int8", "openvino"}
    assert predictor.reason.startswith("the fastest of 3 here")


def test_auto_measures_torch_too_where_there_may_be_a_gpu(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "_gpu_likely", lambda: True)

    assert Predictor.load(folder).reason.startswith("the fastest of 4 here")


def test_auto_takes_torch_where_nothing_is_exported(tmp_path: Path) -> None:
    predictor = Predictor.load(tiny_bundle(tmp_path / "model"))

    assert (predictor.backend.name, predictor.reason) == ("torch", "the only one")


def test_auto_takes_what_is_installed(folder: Path, hide: Callable[..., None]) -> None:
    hide("torch", "transformers", "onnxruntime")

    predictor = Predictor.load(folder)

    assert (predictor.backend.name, predictor.reason) == ("openvino", "the only one")


def test_where_no_engine_of_an_export_is_installed_torch_answers(folder: Path, hide: Callable[..., None]) -> None:
    hide("onnxruntime", "openvino")

    assert Predictor.load(folder).backend.name == "torch"


def test_where_nothing_is_installed_the_extra_of_an_export_is_named(folder: Path, hide: Callable[..., None]) -> None:
    hide("torch", "onnxruntime", "openvino")

    with pytest.raises(MissingExtraError, match=r"needs the package onnxruntime(.|\n)*\[onnx\]"):
        Predictor.load(folder)


@pytest.mark.parametrize(("name", "package"), [("openvino", "openvino"), ("onnx-int8", "onnxruntime")])
def test_a_missing_package_names_its_extra(name: str, package: str, folder: Path, hide: Callable[..., None]) -> None:
    hide(package)

    with pytest.raises(MissingExtraError, match=f"needs the package {package}"):
        Predictor.load(folder, name)


def test_an_engine_without_an_export_says_how_to_make_one(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")

    with pytest.raises(BundleError) as caught:
        Predictor.load(folder, "openvino")

    assert str(caught.value) == (
        f"{folder} has no export for openvino.\n  Make one with `fastbert export {folder} --backend openvino`."
    )


def test_an_unknown_name_lists_the_exports(folder: Path) -> None:
    with pytest.raises(ConfigError, match="Known: auto, torch, onnx, openvino, torch-bf16, onnx-int8"):
        Predictor.load(folder, "zebra")


def test_an_export_of_a_model_with_a_head_of_its_own_needs_the_head_no_more(tmp_path: Path) -> None:
    folder = save_bundle(tmp_path / "model", open_tiny(tmp_path / "encoder"), head=MeanHead)
    export_bundle(folder, head=MeanHead)

    answers = Predictor.load(folder)(TEXTS)

    exact = Predictor.load(folder, "torch", head=MeanHead)(TEXTS)
    assert [answer.labels for answer in answers] == [answer.labels for answer in exact]


def test_an_export_that_its_engine_cannot_read_is_named_with_its_command(tmp_path: Path) -> None:
    folder = exported_bundle(tmp_path / "model", "openvino")
    export = read_bundle(folder).exports["openvino"]
    (folder / export.file).write_text("nothing")

    with pytest.raises(BundleError) as caught:
        backends.open_export(export, folder)

    assert caught.value.hint == (
        f"Make it again with `fastbert export {folder} --backend openvino --data TABLE --overwrite`."
    )


def test_a_gpu_is_no_reason_to_try_a_model_whose_head_was_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_bundle(tmp_path / "model", open_tiny(tmp_path / "encoder"), head=MeanHead)
    export_bundle(folder, head=MeanHead)
    monkeypatch.setattr(backends, "_gpu_likely", lambda: True)

    assert Predictor.load(folder).backend.name == "onnx"
    assert Predictor.load(folder, head=MeanHead).reason.startswith("the fastest of 2 here")
