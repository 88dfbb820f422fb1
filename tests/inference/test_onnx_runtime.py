"""ONNX Runtime keeps and sends nothing about whom it runs for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastbert.inference.onnx_runtime import VARIABLE, import_onnxruntime
from tests.exported import exported_bundle

OPEN = "import sys; from pathlib import Path; from fastbert.inference.onnx_backend import OnnxBackend; "


def test_opening_a_model_leaves_no_number_of_this_machine(tmp_path: Path) -> None:
    file = exported_bundle(tmp_path / "model") / "onnx" / "model.onnx"
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in {VARIABLE, "CI", "XDG_CACHE_HOME"}}

    command = [sys.executable, "-c", OPEN + "OnnxBackend(Path(sys.argv[1]))", str(file)]
    subprocess.run(command, check=True, env={**kept, "HOME": str(home)}, timeout=60)

    assert list(home.rglob("*")) == []


def test_who_has_chosen_is_not_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "0")

    assert import_onnxruntime().__name__ == "onnxruntime"
    assert os.environ[VARIABLE] == "0"


def test_parts_are_named() -> None:
    assert hasattr(import_onnxruntime("quantization"), "quantize_dynamic")
