"""Pages opened in a headless browser: what they wrote to its console and what they asked of the network.

All pages of one call are frames of one page: starting a browser is what takes time. No name is resolved, so a request
is seen and goes nowhere.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

BROWSER = next(filter(None, map(shutil.which, ("google-chrome", "chromium", "chromium-browser", "chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="neither Chrome nor Chromium is installed")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # it cannot be had as root; the pages are our own
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--enable-logging=stderr",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--dump-dom",
)
_ITSELF = "not an origin"  # who asks where it is no page: the browser looks for updates and the time


@dataclass(frozen=True)
class Visit:
    """console: messages, each with the name of its page.    requests: addresses.    dom: what scripts made of it."""

    console: tuple[str, ...]
    requests: tuple[str, ...]
    dom: str


def visit(folder: Path, pages: Sequence[Path]) -> Visit:
    """Open pages beside each other; folder: an empty place for the files of the browser."""
    frames = "".join(f'<iframe src="{page.resolve().as_uri()}"></iframe>' for page in pages)
    around = folder / "frames.html"
    around.write_text(f'<!doctype html><meta charset="utf-8"><title>pages</title>{frames}', encoding="utf-8")
    return open_page(folder, around)


def open_page(folder: Path, page: Path) -> Visit:
    """Open one page; its DOM is returned too."""
    log = folder / "network.json"
    places = (f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}", page.resolve().as_uri())
    ended = subprocess.run(
        [str(BROWSER), *_FLAGS, *places], capture_output=True, encoding="utf-8", check=True, timeout=120
    )
    # Errors, warnings and plain messages have one severity here. A page of ours has none of them to write.
    said = re.findall(r':CONSOLE[:(]\d+\)?\] "(.*)", source: (\S*)', ended.stderr)
    messages = tuple(f"{source.rpartition('/')[2]}: {text}" for text, source in said)
    return Visit(messages, _requests(log), ended.stdout)


def _requests(log: Path) -> tuple[str, ...]:
    events = [event.get("params", {}) for event in json.loads(log.read_text(encoding="utf-8"))["events"]]
    asked = [str(event["url"]) for event in events if event.get("initiator", _ITSELF) != _ITSELF and "url" in event]
    return tuple(dict.fromkeys(asked))
