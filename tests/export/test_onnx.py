"""A model as one ONNX file: every family, every length, the same logits."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest

from fastbert.errors import ExportError
from fastbert.export.exporting import export_bundle
from fastbert.export.onnx import write_onnx
from fastbert.inference.onnx_backend import OnnxBackend
from fastbert.inference.predictor import Predictor, as_examples
from fastbert.inference.torch_backend import TorchBackend
from fastbert.tasks.base import Task, pad_batch
from tests.bundles import MULTI, NAMES, SINGLE, open_tiny, save_bundle, tiny_bundle
from tests.exported import PAIRS, TEXTS
from tests.helpers import FAMILIES
from tests.models.test_heads import MeanHead

INPUTS = [*[[text] for text in TEXTS], TEXTS, PAIRS]


def export(folder: Path, head: object | None = None) -> tuple[Predictor, TorchBackend, OnnxBackend]:
    predictor = Predictor.load(folder, "torch", head=head)
    assert isinstance(predictor.backend, TorchBackend)
    file = write_onnx(predictor.backend.model, predictor.bundle, predictor.tokenizer, folder / "model.onnx")
    return predictor, predictor.backend, OnnxBackend(file)


def largest_difference(folder: Path, head: object | None = None) -> float:
    predictor, exact, exported = export(folder, head)
    found = []
    for texts in INPUTS:
        features = predictor.task.encode(as_examples(texts), predictor.tokenizer, predictor.bundle.max_tokens)  # type: ignore[arg-type]
        batch = pad_batch(features, predictor.tokenizer.pad_id)
        logits = [backend.forward(batch)["logits"].astype(np.float64) for backend in (exact, exported)]
        assert logits[0].shape == logits[1].shape
        found.append(np.abs(logits[0] - logits[1]).max())
    return float(max(found))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_gives_the_same_logits_at_every_shape(family: str, tmp_path: Path) -> None:
    assert largest_difference(tiny_bundle(tmp_path / "model", family)) < 1e-4


def test_a_multi_label_model_gives_the_same_logits(tmp_path: Path) -> None:
    assert largest_difference(tiny_bundle(tmp_path / "model", task=MULTI)) < 1e-4


def test_a_head_of_ones_own_is_exported(tmp_path: Path) -> None:
    folder = save_bundle(tmp_path / "model", open_tiny(tmp_path / "encoder"), head=MeanHead)

    assert largest_difference(folder, MeanHead) < 1e-4


@pytest.mark.parametrize("task", [SINGLE, MULTI], ids=["single", "multi"])
def test_the_file_says_what_it_is(task: Task, tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model", task=task)

    export(folder)

    model = onnx.load(str(folder / "model.onnx"))
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert (facts["task"], json.loads(facts["labels"]), facts["max_tokens"]) == (task.name, list(NAMES), "24")
    assert json.loads(facts["task_options"]) == json.loads(json.dumps(task.to_json()))  # of a number: mean and scale
    assert [axis.dim_param for axis in model.graph.input[0].type.tensor_type.shape.dim] == ["batch", "length"]
    assert sorted(path.name for path in folder.iterdir() if "onnx" in path.name) == ["model.onnx"]


@pytest.mark.parametrize("family", FAMILIES)
def test_attention_is_written_without_a_guard_that_engines_do_not_know(family: str, tmp_path: Path) -> None:
    """With IsNaN and Where around its softmax OpenVINO does not recognise attention."""
    bundle = save_bundle(tmp_path / "bundle", open_tiny(tmp_path / "encoder", family))
    predictor, reference, _ = export(bundle)
    graph = onnx.load(str(bundle / "model.onnx")).graph

    assert "IsNaN" not in {node.op_type for node in graph.node}
    assert {node.op_type for node in graph.node} >= {"MatMul", "Softmax"}


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_the_model_is_restored_and_dropout_is_off(training: bool, tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")
    predictor = Predictor.load(folder, "torch")
    assert isinstance(predictor.backend, TorchBackend)
    model = predictor.backend.model.train(training)

    file = write_onnx(model, predictor.bundle, predictor.tokenizer, tmp_path / "model.onnx")

    assert model.training is training
    assert all(module.training is training for module in model.modules())
    assert "Dropout" not in {node.op_type for node in onnx.load(str(file)).graph.node}


def test_a_model_that_no_onnx_file_holds_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastbert.export.onnx.MAX_BYTES", 100)

    with pytest.raises(ExportError, match="an ONNX file holds 2 GiB"):
        export_bundle(tiny_bundle(tmp_path / "model"))


def test_what_the_exporter_cannot_write_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise RuntimeError("Unsupported: aten::fold\nmore")

    monkeypatch.setattr("torch.onnx.export", fail)

    with pytest.raises(ExportError, match=r"cannot be written as ONNX \(RuntimeError: Unsupported: aten::fold\)"):
        export_bundle(tiny_bundle(tmp_path / "model"))


def test_the_exporter_says_nothing_to_the_user(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tiny_bundle(tmp_path / "model", "deberta-v2")
    predictor = Predictor.load(folder, "torch")
    assert isinstance(predictor.backend, TorchBackend)
    capfd.readouterr()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        write_onnx(predictor.backend.model, predictor.bundle, predictor.tokenizer, tmp_path / "model.onnx")

    assert (capfd.readouterr(), caught) == (("", ""), [])
