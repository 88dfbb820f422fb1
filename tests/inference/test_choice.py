"""The fastest backend: measured once, remembered outside the bundle, forgotten when anything changes."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fastbert.bundle import Bundle, read_bundle
from fastbert.cache import cache_folder
from fastbert.data.tokens import Tokenizer
from fastbert.inference.choice import fastest
from fastbert.inference.pipeline import Backend
from fastbert.tasks.base import Array, Batch
from tests.bundles import tiny_bundle


class Paced:
    """A backend that takes a while."""

    batch_tokens = 2048
    workers = 1

    def __init__(self, name: str, seconds: float) -> None:
        self.name = name
        self.seconds = seconds

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Wait, and answer nothing of use."""
        time.sleep(self.seconds)
        return {"logits": np.zeros((len(batch["input_ids"]), 3))}


BACKENDS: dict[str, Backend] = {"slow": Paced("slow", 0.002), "quick": Paced("quick", 0.0)}


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    monkeypatch.setenv("FASTBERT_CACHE", str(tmp_path / "cache"))
    return read_bundle(tiny_bundle(tmp_path / "model"))


def choose(bundle: Bundle, names: list[str] | None = None) -> tuple[str, str]:
    tokenizer = Tokenizer.from_folder(bundle.folder, dict(bundle.tokenizer))
    return fastest(names or list(BACKENDS), lambda name: BACKENDS[name], bundle, tokenizer)


def files_of_cache() -> list[Path]:
    folder = cache_folder("backends")
    assert folder is not None
    return list(folder.iterdir())


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_fastest_is_taken_and_the_times_are_told(bundle: Bundle) -> None:
    name, reason = choose(bundle)

    assert name == "quick"
    assert reason.startswith("the fastest of 2 here, measured now: slow ")


def test_all_are_timed_on_the_same_tokens_in_passes_as_they_like_them(bundle: Bundle) -> None:
    seen: dict[str, list[tuple[int, ...]]] = {"small": [], "large": []}

    class Seen(Paced):
        def forward(self, batch: Batch) -> dict[str, Array]:
            seen[self.name].append(batch["input_ids"].shape)
            return {}

    found = {name: Seen(name, 0.0) for name in seen}
    found["small"].batch_tokens, found["large"].batch_tokens = 512, 4096
    tokenizer = Tokenizer.from_folder(bundle.folder, dict(bundle.tokenizer))

    fastest(list(found), lambda name: found[name], bundle, tokenizer)

    assert max(rows * length for rows, length in seen["small"]) == 512
    assert max(rows * length for rows, length in seen["large"]) == 4096
    small, large = (sum(rows * length for rows, length in shapes) for shapes in seen.values())
    assert small == pytest.approx(large, rel=0.05)  # a length may not divide a pass


def test_it_is_remembered_without_opening_anything(bundle: Bundle) -> None:
    choose(bundle)
    tokenizer = Tokenizer.from_folder(bundle.folder, dict(bundle.tokenizer))

    def refuse(name: str) -> Backend:
        raise AssertionError(name)

    assert fastest(list(BACKENDS), refuse, bundle, tokenizer) == (
        "quick",
        "the fastest of 2 here, as measured before",
    )


@pytest.mark.parametrize("change", ["seal", "candidates", "threads", "GPUs"])
def test_anything_that_changes_speed_is_measured_again(
    change: str, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(bundle)
    if change == "threads":
        monkeypatch.setenv("OMP_NUM_THREADS", "7")
    if change == "GPUs":
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    other = replace(bundle, seal="another") if change == "seal" else bundle

    _, reason = choose(other, ["quick", "slow"] if change == "candidates" else None)

    assert "measured now" in reason


def test_nothing_is_written_into_the_bundle_and_no_text_into_the_cache(bundle: Bundle) -> None:
    before = files(bundle.folder)

    choose(bundle)

    (file,) = files_of_cache()
    assert files(bundle.folder) == before
    assert set(json.loads(file.read_text())) == {"backend", "seconds"}


@pytest.mark.parametrize("content", ["{", "[]", '{"backend": "gone"}', '{"backend": ["quick"]}'])
def test_a_damaged_memory_is_made_again(content: str, bundle: Bundle) -> None:
    choose(bundle)
    (file,) = files_of_cache()
    file.write_text(content)

    assert "measured now" in choose(bundle)[1]
    assert json.loads(file.read_text())["backend"] == "quick"


def test_a_cache_that_cannot_be_written_breaks_nothing(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FASTBERT_CACHE", str(tmp_path / "file" / "cache"))

    assert choose(bundle)[0] == "quick"


def test_without_a_cache_it_is_measured_each_time(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTBERT_CACHE", "off")

    assert ["measured now" in choose(bundle)[1] for _ in range(2)] == [True, True]
