"""A real server on a port of this machine, with a tiny model behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exported import exported_bundle
from tests.serving.asking import Asker, serving


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle that gives one label of bug, praise, question."""
    return exported_bundle(tmp_path_factory.mktemp("asked") / "single")


@pytest.fixture(scope="session")
def server(single: Path) -> Iterator[Asker]:
    """Serve it on a port."""
    with serving([single], port=True) as served:
        yield served
