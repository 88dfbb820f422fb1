"""What works, and what is said, where only the light core is installed: no torch, no transformers.

The packages are hidden from a fresh process; a wheel in an empty environment behaves the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
hidden = {"torch", "transformers", "safetensors", "sklearn", "pandas", "pyarrow", "openpyxl", "matplotlib"}
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
from fastbert.cli import main
main()
"""


def run_core(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_a_bundle_can_be_inspected(bundle: Path) -> None:
    done = run_core("inspect", str(bundle))

    assert (done.returncode, "bug" in done.stdout) == (0, True), done.stderr


def test_schedules_are_listed() -> None:
    assert "warmup_linear" in run_core("schedules").stdout


@pytest.mark.parametrize(
    "command",
    [
        ["train", "table.csv", "--out", "model"],
        ["predict", "{bundle}", "table.csv"],
        ["adapt", "corpus.txt", "--out", "encoder"],
    ],
)
def test_what_needs_torch_names_the_extra(command: list[str], bundle: Path, tmp_path: Path) -> None:
    done = run_core(*(part.format(bundle=bundle) for part in command))

    assert done.returncode == 2
    assert 'hint: Install it with `pip install "fastbert-nlp[train]"`.' in done.stderr
