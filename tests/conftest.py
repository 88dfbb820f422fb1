"""The environment of every test: one thread, no network, no display, no cache, the same examples each run.

Set here, before any test file can import torch, which reads these variables once. The two
fixtures are folders that take seconds to make and that tests only read; everything else is
built where it is needed, with `tests.helpers`.
"""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.update(
    OMP_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
    OMP_WAIT_POLICY="passive",
    GOMP_SPINCOUNT="0",
    HF_HUB_OFFLINE="1",
    MPLBACKEND="Agg",
    FASTBERT_CACHE="off",  # a test of the cache names a folder of its own
)

# No deadline: a shared machine can be slow at any moment.
settings.register_profile("fastbert", deadline=None, derandomize=True)
settings.load_profile("fastbert")


def pytest_collection_finish() -> None:
    """Measure a machine by a small product: each evaluation of a training does it, for tens of milliseconds."""
    runtime = sys.modules.get("fastbert.runtime")  # not imported for tests that need no torch
    if runtime is not None:
        runtime._PRODUCTS["cpu"] = (64, 64, 64)


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the folder of a tiny BERT, as users name one."""
    from tests.helpers import tiny_encoder

    return str(tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny"))


@pytest.fixture(scope="session")
def bundle(encoder: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model trained on `tests.feedback.write_feedback`, with labels bug and praise."""
    from tests.feedback import train_bundle

    return train_bundle(encoder, tmp_path_factory.mktemp("bundles"))
