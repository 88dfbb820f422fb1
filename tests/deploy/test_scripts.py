"""The shell scripts of deploy/: they parse, and start what they are asked for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.truth import DEPLOY

SCRIPTS = sorted(DEPLOY.glob("*.sh"))


def run_entry(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Start the entry point with a fastbert that prints what it is asked for."""
    stand_in = folder / "fastbert"
    stand_in.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    stand_in.chmod(0o755)
    return subprocess.run(
        [DEPLOY / "sagemaker_entry.sh", *words],
        env={"PATH": f"{folder}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_it_may_be_run_and_parses(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["sh", "-n", script]).returncode == 0


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    found = subprocess.run(["shellcheck", script], capture_output=True, text=True)

    assert found.stdout == ""


@pytest.mark.parametrize(
    ("words", "started"),
    [
        (["train"], "sagemaker train"),
        (["serve"], "serve --platform sagemaker"),
        (["serve", "--workers", "2"], "serve --platform sagemaker --workers 2"),
    ],
)
def test_words_of_sagemaker_become_commands(tmp_path: Path, words: list[str], started: str) -> None:
    ended = run_entry(tmp_path, *words)

    assert (ended.returncode, ended.stdout) == (0, started + "\n")


@pytest.mark.parametrize("words", [[], ["bash"]])
def test_another_word_is_refused(tmp_path: Path, words: list[str]) -> None:
    ended = run_entry(tmp_path, *words)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "expected train or serve.\nhint: docker run IMAGE train" in ended.stderr
