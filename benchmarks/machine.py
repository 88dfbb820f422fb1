"""What a measurement ran on: processor, threads, and whether bfloat16 pays there.

Knows no benchmark.
"""

import platform
from pathlib import Path
from typing import Any

import torch


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
    """Return whether the processor has bf16 instructions; where it has not, bf16 is emulated and slow."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # no public question in torch 2.13
    return any(getattr(torch.cpu, name, bool)() for name in checks)
