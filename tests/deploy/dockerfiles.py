"""deploy/check_image.py as a module: it reads Dockerfiles, and so do the tests."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Protocol, cast

from tests.deploy.truth import DEPLOY, text


class Recipe(Protocol):
    """What a Dockerfile says of its last stage."""

    variables: dict[str, str]
    user: str
    entry: list[str]
    command: list[str]
    health: list[str]


def recipe(image: str) -> Recipe:
    """Return what the Dockerfile of an image says."""
    return cast("Recipe", check_image().read(text(f"{image}.Dockerfile")))


def check_image() -> ModuleType:
    """Return the script as a module."""
    name = "check_image"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, DEPLOY / "check_image.py")
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]
