"""OpenVINO files: each scheme writes a model that answers, silently and without asking the network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fastbert.config import Precision
from fastbert.export import openvino
from fastbert.export.exporting import export_bundle
from fastbert.export.openvino import Quantizer, convert
from fastbert.inference.openvino_backend import OpenVinoBackend
from fastbert.inference.predictor import Predictor, as_examples
from fastbert.runtime import Runtime
from fastbert.tasks.base import pad_batch
from tests.bundles import tiny_bundle
from tests.exported import TEXTS, exported_bundle
from tests.helpers import FAMILIES
from tests.inference.test_openvino_backend import SOCKETS

PROGRAM = """
import sys
from pathlib import Path
from fastbert.export.openvino import Quantizer
from fastbert.inference.predictor import Predictor, as_examples
model = Predictor.load(sys.argv[1], "onnx")
features = model.task.encode(as_examples(["the app is slow", "bug"]), model.tokenizer, 24)
made = Quantizer(Path(sys.argv[1], "onnx/model.onnx"), features, model.tokenizer.pad_id)
made.products(Path(sys.argv[2], "model.xml"))
import nncf.telemetry.wrapper as wrapper
print(type(wrapper.telemetry).__name__, "openvino_telemetry" in sys.modules)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported_bundle(tmp_path_factory.mktemp("ov") / "model")


def quantizer(folder: Path) -> Quantizer:
    predictor = Predictor.load(folder, "onnx")
    features = predictor.task.encode(as_examples(TEXTS), predictor.tokenizer, 24)
    return Quantizer(folder / "onnx/model.onnx", features, predictor.tokenizer.pad_id)


@pytest.mark.parametrize(
    ("capabilities", "precision", "pays"),
    [(["FP32", "BF16"], "bf16", True), (["FP32", "BF16"], "fp32", False), (["FP32", "INT8"], "bf16", False)],
    ids=["faster", "slower", "unknown to OpenVINO"],
)
def test_bf16_pays_where_openvino_has_it_and_it_is_faster(
    capabilities: list[str], precision: Precision, pays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = SimpleNamespace(get_property=lambda device, name: capabilities)
    monkeypatch.setattr(openvino, "load_openvino", lambda: SimpleNamespace(Core=lambda: core))
    monkeypatch.setattr(openvino, "choose_runtime", lambda *asked: Runtime(torch.device("cpu"), precision, ""))

    assert openvino.bf16_pays() is pays


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_gives_the_same_logits(family: str, tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model", family)
    export_bundle(folder)
    export_bundle(folder, "openvino")

    exact, fast = Predictor.load(folder, "torch"), Predictor.load(folder, "openvino")

    features = exact.task.encode(as_examples(TEXTS), exact.tokenizer, 24)
    batch = pad_batch(features, exact.tokenizer.pad_id)
    logits = [predictor.backend.forward(batch)["logits"].astype(np.float64) for predictor in (exact, fast)]
    np.testing.assert_allclose(logits[0], logits[1], rtol=0, atol=1e-4)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_scheme_writes_a_smaller_model_that_answers(
    number: int, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made, predictor = quantizer(folder), Predictor.load(folder, "onnx")
    convert(folder / "onnx/model.onnx", tmp_path / "exact.xml")
    list(made.schemes.values())[number](tmp_path / "model.xml")

    batch = pad_batch(made.features, predictor.tokenizer.pad_id)
    exact, fast = (
        backend.forward(batch)["logits"].astype(np.float64)
        for backend in (predictor.backend, OpenVinoBackend(tmp_path / "model.xml"))
    )

    assert (tmp_path / "model.bin").stat().st_size < (tmp_path / "exact.bin").stat().st_size
    assert 0 < np.abs(exact - fast).max() < 0.5
    assert capfd.readouterr().out == ""


def test_quantising_tells_nobody(folder: Path, tmp_path: Path) -> None:
    """OpenVINO and NNCF report imports and calls to their maker unless they cannot find the package for it."""
    command = [sys.executable, "-c", SOCKETS + PROGRAM, str(folder), str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("MagicMock False\n", "")
