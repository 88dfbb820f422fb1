"""ONNX Runtime, imported without its telemetry. All of FastBert gets it from here; knows nothing of models."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

VARIABLE = "ORT_DISABLE_TELEMETRY"


def import_onnxruntime(part: str = "") -> ModuleType:
    """Return ONNX Runtime, or a part of it such as "quantization".

    From 1.29 on its Linux builds keep a number of this machine in the user's cache folder, and send it with what is
    run to their maker. The variable is read once, at the first import (1.32); who has set it is not overruled.
    """
    os.environ.setdefault(VARIABLE, "1")
    return importlib.import_module(f"onnxruntime.{part}" if part else "onnxruntime")
