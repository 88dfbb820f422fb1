"""The environment of every test: one thread, no network, no display, the same examples each run.

Set here, before any test file can import torch, which reads these variables once. There are no
fixtures: tests build what they need with `tests.helpers`.
"""

import os

from hypothesis import settings

os.environ.update(
    OMP_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
    OMP_WAIT_POLICY="passive",
    GOMP_SPINCOUNT="0",
    HF_HUB_OFFLINE="1",
    MPLBACKEND="Agg",
)

# No deadline: a shared machine can be slow at any moment.
settings.register_profile("fastbert", deadline=None, derandomize=True)
settings.load_profile("fastbert")
