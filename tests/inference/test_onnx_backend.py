"""Batches through ONNX Runtime: the right inputs, float32 out, no torch loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastbert.errors import BundleError
from fastbert.inference.onnx_backend import OnnxBackend
from fastbert.inference.predictor import Predictor
from tests.exported import PAIRS, TEXTS, exported_bundle, scores_of

PROGRAM = """
import sys
from fastbert.inference.predictor import Predictor
model = Predictor.load(sys.argv[1], sys.argv[2])
model(["the app is slow", "bug"] * 50)
print(model.backend.name, sorted({"torch", "transformers", "nncf", "openvino_telemetry", "onnx"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported_bundle(tmp_path_factory.mktemp("onnx") / "model")


@pytest.mark.parametrize("texts", [TEXTS, PAIRS], ids=["texts", "pairs"])
def test_it_answers_like_torch(texts: list[str], folder: Path) -> None:
    exact, fast = (Predictor.load(folder, name)(texts) for name in ("torch", "onnx"))

    np.testing.assert_allclose(scores_of(exact), scores_of(fast), rtol=0, atol=1e-5)


def test_several_workers_answer_like_one(folder: Path) -> None:
    predictor = Predictor.load(folder, "onnx")
    alone = predictor(TEXTS * 60)

    predictor.backend = OnnxBackend(folder / "onnx/model.onnx", workers=3)
    together = predictor(TEXTS * 60)

    assert [answer.text for answer in together] == TEXTS * 60
    np.testing.assert_allclose(scores_of(alone), scores_of(together), rtol=0, atol=1e-5)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"nothing")

    with pytest.raises(BundleError, match="cannot be opened by ONNX Runtime"):
        OnnxBackend(tmp_path / "model.onnx")


@pytest.mark.parametrize("name", ["auto", "onnx"])
def test_neither_torch_nor_transformers_is_loaded(name: str, folder: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(folder), name]

    done = subprocess.run(command, capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("onnx []\n", "")
