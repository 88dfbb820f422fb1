"""Models that several tests of the server ask: tiny, random, with an export, so that nothing waits for torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastbert.export.exporting import export_bundle
from fastbert.labels import Labels
from fastbert.tasks.classification import MultiLabel
from tests.bundles import NAMES, tiny_bundle
from tests.exported import exported_bundle
from tests.serving.asking import Asker, serving


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle that gives one label of bug, praise, question."""
    return exported_bundle(tmp_path_factory.mktemp("served") / "single")


@pytest.fixture(scope="session")
def multi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle that gives any number of these labels."""
    folder = tiny_bundle(tmp_path_factory.mktemp("served") / "multi", task=MultiLabel(Labels(NAMES)))
    export_bundle(folder, "onnx")
    return folder


@pytest.fixture(scope="session")
def asker(single: Path, multi: Path) -> Iterator[Asker]:
    """Serve both; the first one is asked where a request names none."""
    with serving([single, multi]) as served:
        yield served
