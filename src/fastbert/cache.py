"""Where what may be forgotten lies: tokens, and which backend is the fastest here. Safe to delete at any time.

The folder is $FASTBERT_CACHE, or `fastbert` in the user's cache folder (`~/.cache`, or as the platform has it).
FASTBERT_CACHE=off, or empty, switches it off. Knows nothing of what is kept.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

VARIABLE = "FASTBERT_CACHE"


def cache_folder(kind: str) -> Path | None:
    """Return the folder of one kind of cached files, None where caching is switched off or there is no home.

    It may not exist yet.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen is not None:
        return None if chosen.strip().lower() in {"", "off"} else Path(chosen).expanduser() / kind
    try:
        home = Path.home()
    except RuntimeError:  # a container's user may have none
        return None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "fastbert" / "cache" / kind
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "fastbert" / kind
    asked = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (asked if asked.is_absolute() else home / ".cache") / "fastbert" / kind
