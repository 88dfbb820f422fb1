"""What is recorded of a run beside plan and history: versions, machine, memory, time, and what is needed to repeat it.

Names and numbers only: of a file its name without folders, of the machine nothing that tells it from others like it.
"""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from fastbert.config import DecisionConfig
from fastbert.data.examples import Example
from fastbert.data.records import MEMORY_NAME
from fastbert.insight.repeating import option_text

_PACKAGES = ("torch", "transformers", "tokenizers", "numpy")


def run_record(
    model: nn.Module, splits: Mapping[str, Sequence[Example]], deciding: DecisionConfig, *, valid_held_out: bool
) -> dict[str, object]:
    """Return plain values for the facts of a bundle."""
    rule = deciding.chosen()
    if deciding.goal is not None:
        rule["goal"] = option_text("goal", deciding.goal)
    return {
        "versions": versions(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "peak_memory_bytes": peak_memory(model),
        "tables": tables_of(splits, valid_held_out=valid_held_out),
        "deciding": rule,
    }


def tables_of(splits: Mapping[str, Sequence[Example]], *, valid_held_out: bool) -> dict[str, str]:
    """Return the names of the tables by split, {} where not all have one."""
    names = {split: table_name(examples) for split, examples in splits.items()}
    if valid_held_out:
        names.pop("valid", None)
    return names if all(names.values()) else {}


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide what is computed."""
    found = {"Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """Return the name of the processor, "" where the system does not say."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def peak_memory(model: nn.Module) -> int | None:
    """Return the most bytes that the process has held: of the GPU if the model is there, else of memory."""
    if next(model.parameters()).is_cuda:
        return int(torch.cuda.max_memory_allocated())
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit


def table_name(examples: Sequence[Example]) -> str:
    """Return the name of the file that rows came from, "" where they were in memory or of several files.

    >>> from fastbert.data.examples import TextExample
    >>> table_name([TextExample("a", where="data/train.csv, row 2"), TextExample("b", where="data/train.csv, row 3")])
    'train.csv'
    """
    names = {example.where.partition(", ")[0] for example in (*examples[:1], *examples[-1:])}
    name = names.pop() if len(names) == 1 else ""
    return "" if name == MEMORY_NAME or not Path(name).suffix else Path(name).name
