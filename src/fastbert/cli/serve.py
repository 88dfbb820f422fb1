"""`fastbert serve`: bundles answered over HTTP."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fastbert.cli import shared_options as shared
from fastbert.cli.output import print_json, say

if TYPE_CHECKING:
    from fastbert.serving.environments import Told
    from fastbert.serving.models import Source
    from fastbert.serving.settings import Settings

# The options of the limits that a platform tells.
LIMITS = {
    "body_bytes": "max_body", "texts": "max_texts", "characters": "max_characters",
    "waiting_texts": "max_queue", "wait_s": "max_wait", "timeout_s": "timeout",
}  # fmt: skip
BUNDLES = typer.Argument(None, metavar="BUNDLE...", help="Folders of models; NAME=FOLDER gives one another name.")


def serve(
    context: typer.Context,
    bundles: list[str] | None = BUNDLES,
    host: str = typer.Option("127.0.0.1", help="Address to listen on; 0.0.0.0 for all."),
    port: int = typer.Option(8080, min=0, max=65535, help="Port; 0 for a free one."),
    backend: shared.BackendName = "auto",
    workers: int = typer.Option(1, min=1, max=256, help="Processes; each holds the models."),
    api_keys: Path | None = typer.Option(
        None, metavar="FILE", help="File of API keys, one a line; else the variable FASTBERT_API_KEYS."
    ),
    contract: str = typer.Option(
        "sagemaker", help="Whose meaning shared paths have: sagemaker, huggingface, tei or mlflow."
    ),
    cors: list[str] = typer.Option([], metavar="ORIGIN", help="Site whose pages may ask, such as https://example.com."),
    max_body: int = typer.Option(6_000_000, help="Bytes of a request."),
    max_texts: int = typer.Option(1024, help="Texts of a request."),
    max_characters: int = typer.Option(1_000_000, help="Characters of a request's texts."),
    max_depth: int = typer.Option(32, help="Levels of nested JSON."),
    max_queue: int = typer.Option(4096, help="Texts that may wait for a model."),
    max_wait: float = typer.Option(2.0, help="Seconds of work that may wait for a model; more is refused."),
    timeout: float = typer.Option(30.0, help="Seconds until an answer must be there."),
    max_delay: float = typer.Option(2.0, help="Milliseconds that a text may wait for others to share a pass with."),
    linger: float = typer.Option(3.0, help="Seconds it still takes requests after SIGTERM, not ready."),
    drain: float = typer.Option(20.0, help="Seconds it then waits for what it has taken."),
    access_log: bool = typer.Option(True, help="A line of JSON for each request, on standard error."),
    page: bool = typer.Option(True, help="The page to try a model, at /."),
    platform: str | None = typer.Option(
        None, help="sagemaker or vertex: what their variables say goes for what is not given here."
    ),
    as_json: shared.AsJson = False,
) -> None:
    """Answer requests for the models in BUNDLE... over HTTP.

    With --json address and models are printed once it is ready.
    """
    from fastbert.serving.auth import read_keys
    from fastbert.serving.environments import Told, of_platform
    from fastbert.serving.models import Source
    from fastbert.serving.running import Process, listen, set_up_logging
    from fastbert.serving.settings import Limits, Settings

    limits = Limits(
        body_bytes=max_body, texts=max_texts, characters=max_characters, depth=max_depth,
        waiting_texts=max_queue, wait_s=max_wait, timeout_s=timeout,
    )  # fmt: skip
    settings = Settings(
        limits,
        read_keys(api_keys),
        tuple(cors),
        contract,
        linger,
        drain,
        max_delay / 1000,
        access_log,
        page,
    )
    told = Told(host, port) if platform is None else _told(context, of_platform(platform, os.environ))
    settings = told.applied(settings)
    sources = [Source.parse(text, backend) for text in bundles or told.bundles]
    _check(sources, settings, workers)
    listening = listen(told.host, told.port)
    set_up_logging(settings)
    _say_plan(sources, settings, told.host, workers)
    address = f"http://{told.host}:{listening.getsockname()[1]}"

    def on_ready() -> None:
        _say_ready(address, sources, page=page, as_json=as_json)

    if workers > 1:
        from fastbert.serving.supervising import Supervisor

        Supervisor(sources, settings, listening, workers, on_ready).run()
    else:
        Process(sources, settings, listening, lambda service: on_ready()).run()
    say("stopped")


def _say_ready(address: str, sources: Sequence[Source], *, page: bool, as_json: bool) -> None:
    if as_json:
        print_json({"address": address, "models": [source.name for source in sources]})
    say(f"ready    {address}  the page to try it; {address}/docs  its API" if page else f"ready    {address}")


def _check(sources: Sequence[Source], settings: Settings, workers: int) -> None:
    from fastbert.errors import ConfigError

    if not sources and settings.models_root is None:
        raise ConfigError("No model is named.", "Name the folder of one: fastbert serve BUNDLE.")
    if workers > 1 and not hasattr(signal, "SIGHUP"):
        raise ConfigError("Several processes share a socket on Unix only.", "Leave --workers out.")
    if settings.models_root is not None and workers > 1:
        raise ConfigError(
            "Models that callers load are held by one process: --workers cannot be more than 1.",
            "Leave --workers out; one process uses all cores.",
        )


def _told(context: typer.Context, told: Told) -> Told:
    """Return what a platform told, with the options that were given in its place."""
    given = {name: context.params[name] for name in ("host", "port") if _is_given(context, name)}
    limits = {name: value for name, value in told.limits.items() if not _is_given(context, LIMITS[name])}
    return replace(told, **given, limits=limits)


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _say_plan(sources: Sequence[Source], settings: Settings, host: str, workers: int) -> None:
    for source in sources:
        say(f"model    {source.name}  {source.folder}, backend {source.backend}")
    if settings.models_root is not None:
        say(f"models   loaded by callers, from {settings.models_root}")
    limits = settings.limits
    say(
        f"limits   {limits.texts:,} texts and {limits.body_bytes / 1e6:g} MB a request, {limits.timeout_s:g} s to "
        f"answer, {limits.wait_s:g} s of work in the queue; {workers} process{'es' if workers > 1 else ''}"
    )
    if not settings.api_keys and host not in ("127.0.0.1", "::1", "localhost"):
        say(f"warning: anybody who reaches {host} may ask; give --api-keys, or put a gateway before it")
