"""How much memory is left for a further model: of the machine, or of the container's own limit."""

from __future__ import annotations

from pathlib import Path

_MACHINE = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")


def free_bytes(machine: Path = _MACHINE, group: Path = _GROUP) -> int | None:
    """Return how many bytes are left, None where that is not known.

    machine: Linux' account of its memory.    group: folder of the control group of this process, version 2.
    """
    known = [one for one in (_of_machine(machine), _of_group(group)) if one is not None]
    return min(known, default=None)


def _of_machine(file: Path) -> int | None:
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    for line in lines:
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _of_group(folder: Path) -> int | None:
    try:
        most = (folder / "memory.max").read_text(encoding="ascii").strip()
        used = (folder / "memory.current").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return None if most == "max" else max(0, int(most) - int(used))
