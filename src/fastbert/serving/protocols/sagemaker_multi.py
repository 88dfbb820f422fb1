"""SageMaker's multi-model endpoints: models are loaded and taken away by the platform, under one folder.

The routes are there only where the server was told of that folder. A model is never loaded from elsewhere, and never
from an address.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
from dataclasses import replace
from pathlib import Path

import msgspec

from fastbert.errors import FastBertError
from fastbert.serving.decoding import JsonBody
from fastbert.serving.http import Request, Response
from fastbert.serving.memory import free_bytes
from fastbert.serving.models import Model, Source
from fastbert.serving.problems import Problem, from_error, invalid
from fastbert.serving.protocols.sagemaker import INVOCATION, InvocationError, invoke, shape
from fastbert.serving.routes import Operation, Route
from fastbert.serving.service import Service

TAG = "SageMaker, several models"
PAGE = 100  # models of one answer
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}")


class LoadBody(msgspec.Struct):
    """What is loaded. url: a folder on this machine, under the one for models."""

    model_name: str
    url: str


class LoadedModel(msgspec.Struct):
    """A model that is loaded."""

    modelName: str
    modelUrl: str


class LoadedModels(msgspec.Struct, omit_defaults=True):
    """Models that are loaded. nextPageToken: to ask for more with."""

    models: list[LoadedModel]
    nextPageToken: str | None = None


_BODY: JsonBody[LoadBody] = JsonBody(LoadBody, loosely=True)


def routes(service: Service) -> list[Route]:
    """Return the routes of this contract, none where models are not loaded by callers."""
    root = service.settings.models_root
    if root is None:
        return []
    loading: set[str] = set()

    async def load(request: Request) -> Response:
        return await _load(service, request, root, loading)

    async def listed(request: Request) -> Response:
        return Response.json(_page(service, request.query.get("next_page_token", "")))

    async def one(request: Request) -> Response:
        return Response.json(_shown(_found(service, request)))

    async def unload(request: Request) -> Response:
        await service.models.unload(_found(service, request).name)
        # What holds memory in a circle is let go of too, before SageMaker counts on it.
        await asyncio.get_running_loop().run_in_executor(None, gc.collect)
        return Response.json({})

    async def ask(request: Request) -> Response:
        return await invoke(service, request, _found(service, request).name)

    def told(summary: str, answer: object, *statuses: int) -> Operation:
        return Operation(summary, TAG, None, answer, statuses=statuses, error=InvocationError)

    query = {"next_page_token": "Where the last answer ended."}
    opened = Operation("Load a model.", TAG, LoadBody, statuses=(400, 409, 413, 507), error=InvocationError)
    asked = replace(INVOCATION, tag=TAG)
    every = Operation("List the models.", TAG, None, LoadedModels, query=query, error=InvocationError)
    return [
        Route("POST", "/models", load, shape, opened),
        Route("GET", "/models", listed, shape, every),
        Route("GET", "/models/{model}", one, shape, told("What a model is.", LoadedModel, 404)),
        Route("DELETE", "/models/{model}", unload, shape, told("Let go of a model.", None, 404)),
        Route("POST", "/models/{model}/invoke", ask, shape, asked),
    ]


async def _load(service: Service, request: Request, root: Path, loading: set[str]) -> Response:
    body = await _BODY.read(request, service.settings.limits)
    name = body.model_name
    if not _NAME.fullmatch(name):
        raise invalid("A name has letters, digits, '.', '-' and '_'.", "model_name")
    if name in service.models.all or name in loading:
        raise Problem(409, "already_loaded", "A model of this name is loaded.", "model_name", "Delete it first.")
    loading.add(name)
    try:
        folder = await asyncio.get_running_loop().run_in_executor(None, _checked, body.url, root)
        await service.models.load(Source(name, folder))
    except FastBertError as error:
        raise from_error(error) from error
    except MemoryError:
        raise _no_memory() from None
    finally:
        loading.discard(name)
    return Response.json({})


def _checked(url: str, root: Path) -> Path:
    """Return the folder of a model. Raises Problem: 422 for one that is not under root, 507 where it will not fit."""
    problem = invalid("Expected a folder under the one for models.", "url", "Nothing is loaded from elsewhere.")
    try:
        base = root.resolve(strict=True)
        folder = Path(url).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        raise problem from None
    if not Path(url).is_absolute() or base not in folder.parents or not folder.is_dir():
        raise problem
    size = 0
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            if path.is_symlink() and folder not in path.resolve().parents:
                raise invalid("A file of the model is a link to elsewhere.", "url")
            size += path.stat().st_size if name in files and path.is_file() else 0
    free = free_bytes()
    if free is not None and size > free:
        raise _no_memory()
    return folder


def _no_memory() -> Problem:
    return Problem(507, "no_memory", "There is no memory for this model.", "", "Take another model out of service.")


def _found(service: Service, request: Request) -> Model:
    """Return the model of a path. Raises Problem (404), also where there is none at all."""
    model = service.models.all.get(request.variables["model"])
    if model is None:
        raise Problem(404, "unknown_model", "There is no model of this name.", "model", "Load it with POST /models.")
    return model


def _shown(model: Model) -> LoadedModel:
    return LoadedModel(model.name, str(model.source.folder))


def _page(service: Service, token: str) -> LoadedModels:
    """Return the models whose names come after a token, the name that the page before ended with."""
    names = sorted(name for name in service.models.all if name > token)
    shown = [_shown(service.models.all[name]) for name in names[:PAGE]]
    return LoadedModels(shown, names[PAGE - 1] if len(names) > PAGE else None)
