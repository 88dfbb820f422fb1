"""How many processors this process may use. Imports no torch: serving asks, too."""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def num_processors() -> int:
    """Return how many threads may be used: OMP_NUM_THREADS where it is set, else as many as there are cores."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdigit() and int(asked) > 0 else num_cores()


def num_cores() -> int:
    """Return how many cores this process may use: by affinity, and by the CPU quota of its container."""
    allowed, quota = num_allowed(), _cpu_quota()
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def num_allowed() -> int:
    """Return how many cores this process may run on, whatever share of their time its container grants."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu_quota() -> float | None:
    """Return how many cores the control group of this process grants, or None if it sets no limit."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):  # version 2, version 1
        try:
            limit, period = " ".join((CGROUP / name).read_text(encoding="ascii") for name in names).split()
        except (OSError, ValueError):
            continue
        return int(limit) / int(period) if limit.isdecimal() else None  # "max" and -1 are none
    return None
