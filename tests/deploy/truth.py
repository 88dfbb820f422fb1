"""What the files in deploy/ are held against: options, paths and counters, read from the code."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import typer
import yaml

from fastbert.cli import app
from fastbert.serving.assembling import assemble
from fastbert.serving.metrics import Metrics
from fastbert.serving.settings import Settings

Document = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
ENDING_S = 5.0  # what a process may need past linger and drain: fastbert.serving.supervising.KILL_AFTER_S


def text(name: str) -> str:
    """Return a file of deploy/."""
    return (DEPLOY / name).read_text(encoding="utf-8")


def read_yaml(name: str) -> Document:
    """Return what a YAML file of deploy/ holds."""
    return cast("Document", yaml.safe_load(text(name)))


def serve_options(words: Sequence[str]) -> dict[str, Any]:
    """Return the options of a `fastbert serve` command line by name. Raises click's UsageError for wrong ones."""
    command = cast("Any", typer.main.get_command(app)).commands["serve"]
    return dict(command.make_context("serve", list(words)).params)


@cache
def public_paths() -> frozenset[str]:
    """Return the paths that a GET request without a key is answered at."""

    async def routes() -> frozenset[str]:
        made, service = assemble(Settings(access_log=False))
        await service.models.close()
        return frozenset(route.pattern for route in made.router.routes if route.public and route.method == "GET")

    return asyncio.run(routes())


@cache
def series() -> frozenset[str]:
    """Return the names that /metrics has, those of the parts of histograms too."""
    found = re.findall(r"^# TYPE (\w+) (\w+)$", Metrics().render().decode(), re.MULTILINE)
    parts = [f"{name}_{part}" for name, kind in found if kind == "histogram" for part in ("bucket", "sum", "count")]
    plain = [name for name, kind in found if kind != "histogram" and not name.endswith("_created")]
    return frozenset(plain + parts)


def series_in(expression: str) -> set[str]:
    """Return the names of our counters in an expression of PromQL."""
    return set(re.findall(r"\bfastbert_\w+", expression))
