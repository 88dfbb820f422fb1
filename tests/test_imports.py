"""`import fastbert` is quick and light, and its public names are the ones it announces.

Measured in fresh processes, for this one has imported everything already.
"""

from __future__ import annotations
import __future__

import importlib.util
import json
import os
import subprocess
import sys
from types import ModuleType

import pytest

import fastbert

HEAVY = {"torch", "transformers", "pandas", "sklearn"}
MAX_IMPORT_S = 0.2
PROGRAM = """
import importlib, json, sys, time
start = time.process_time()
importlib.import_module(sys.argv[1])
print(json.dumps([time.process_time() - start, sorted(sys.modules)]))
"""


def fresh_import(module: str) -> tuple[float, set[str]]:
    """Import a module in a new process. Returns the processor seconds it took and the names of all loaded modules."""
    # Without bytecode the first import would compile and the second would not profit.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", PROGRAM, module]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    seconds, loaded = json.loads(result.stdout)
    return seconds, set(loaded)


@pytest.mark.parametrize("module", ["fastbert", "fastbert.inference.predictor", "fastbert.insight.explain"])
def test_import_loads_nothing_heavy(module: str) -> None:
    _, loaded = fresh_import(module)

    assert not HEAVY & loaded


def test_import_is_quick() -> None:
    assert min(fresh_import("fastbert")[0] for _ in range(3)) < MAX_IMPORT_S


def test_every_announced_name_is_there() -> None:
    assert [name for name in fastbert.__all__ if not hasattr(fastbert, name)] == []


def test_no_public_name_is_left_unannounced() -> None:
    internal = ModuleType | type(__future__.annotations)
    public = {name for name in dir(fastbert) if name[0] != "_" and not isinstance(getattr(fastbert, name), internal)}

    assert public == {name for name in fastbert.__all__ if name[0] != "_"}


def test_an_unknown_name_is_an_attribute_error() -> None:
    name = "lerner"

    with pytest.raises(AttributeError, match=name):
        getattr(fastbert, name)


def test_torchvision_is_not_installed() -> None:
    # Next to a CPU build of torch it breaks the import of BERT in transformers.
    assert importlib.util.find_spec("torchvision") is None
