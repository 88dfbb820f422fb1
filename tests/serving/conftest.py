"""Models that several tests of the server ask: tiny, random, with an export, so that nothing waits for torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fastbert.export.exporting import export_bundle
from fastbert.labels import Labels
from fastbert.tasks.answering import Answering
from fastbert.tasks.base import Task
from fastbert.tasks.classification import MultiLabel
from fastbert.tasks.regression import Regression
from fastbert.tasks.tagging import Tagging
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


@pytest.fixture(scope="session")
def bundles(single: Path, multi: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a bundle for each task, by the task's name."""
    others: list[Task] = [
        Regression("stars", mean=3.0, scale=1.5, low=1.0, high=5.0),
        Tagging(Labels(("city", "date"))),
        Answering(unanswerable=False),
    ]
    folders = {"single_label": single, "multi_label": multi}
    for task in others:
        folders[task.name] = tiny_bundle(tmp_path_factory.mktemp("served") / task.name, task=task)
        export_bundle(folders[task.name], "onnx")
    return folders


@pytest.fixture(scope="session")
def askers(bundles: dict[str, Path]) -> Iterator[dict[str, Asker]]:
    """Serve each of them alone, by the task's name, for contracts that name no model."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(serving({name: folder})) for name, folder in bundles.items()}


@pytest.fixture(scope="session")
def every(bundles: dict[str, Path]) -> Iterator[Asker]:
    """Serve all of them together, by the tasks' names."""
    with serving(bundles) as served:
        yield served
