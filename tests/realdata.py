"""Where the real data sets are that some tests measure themselves on. They are not in the repository.

Knows nothing of fastbert.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent


def real_data(name: str) -> Path:
    """Return the path of a file such as "cola/in_domain_dev.tsv", or skip the test without it.

    Looks in the folder of the environment variable FASTBERT_DATA, else in ../shared/data.
    """
    folder = Path(os.environ.get("FASTBERT_DATA") or CHECKOUT.parent / "shared" / "data")
    path = folder / name
    if not path.exists():
        pytest.skip(f"real data {name} is not in {folder}")
    return path
