"""What a measurement ran on: processor, threads, and whether bfloat16 pays there.

Knows no benchmark.
"""

import platform
from pathlib import Path
from typing import Any

import torch

from fastbert.runtime import choose_runtime


def describe(precision: str) -> dict[str, Any]:
    """Return processor, threads and precision for the line of a result."""
    return {"processor": processor(), "threads": torch.get_num_threads(), "precision": precision}


def processor() -> str:
    """Return the model name of the processor, as the kernel tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def bf16_pays() -> bool:
    """Return whether bfloat16 is faster here, so that a peer is given the precision that FastBert takes."""
    return choose_runtime("auto", "cpu").precision == "bf16"
