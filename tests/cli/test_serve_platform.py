"""`fastbert serve --platform`: what a platform's variables say, and what the command says in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fastbert.serving import running
from fastbert.serving.models import Source
from fastbert.serving.settings import Settings
from tests.cli.conftest import Run


@dataclass
class Started:
    """What a server would have been started with."""

    address: tuple[str, int] = ("", 0)
    sources: Sequence[Source] = ()
    settings: Settings = field(default_factory=Settings)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    seen = Started()

    class Process:
        def __init__(self, sources: Sequence[Source], settings: Settings, *_: object) -> None:
            seen.sources, seen.settings = sources, settings

        def run(self) -> None:
            """Serve nothing."""

    class Listening:
        def getsockname(self) -> tuple[str, int]:
            return seen.address

    def listen(host: str, port: int) -> Any:  # noqa: ANN401  # a socket's double
        seen.address = (host, port)
        return Listening()

    monkeypatch.setattr(running, "Process", Process)
    monkeypatch.setattr(running, "listen", listen)
    return seen


def test_the_word_that_sagemaker_starts_a_container_with_serves_for_it(
    run: Run, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_BIND_TO_PORT", "8085")

    assert run("sagemaker", "serve").code == 0
    assert started.address == ("0.0.0.0", 8085)
    assert [str(source.folder) for source in started.sources] == ["/opt/ml/model"]


def test_without_a_platform_its_variables_say_nothing(
    run: Run, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_BIND_TO_PORT", "8085")

    assert run("serve", "models/reviews").code == 0
    assert started.address == ("127.0.0.1", 8080)
    assert [source.name for source in started.sources] == ["reviews"]


def test_sagemaker_needs_no_bundle(run: Run, started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_BIND_TO_PORT", "8085")

    assert run("serve", "--platform", "sagemaker").code == 0
    assert started.address == ("0.0.0.0", 8085)
    assert [source.folder for source in started.sources] == [Path("/opt/ml/model")]


def test_sagemaker_may_load_models_itself(run: Run, started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_MULTI_MODEL", "true")

    assert run("serve", "--platform", "sagemaker").code == 0
    assert (started.sources, started.settings.models_root) == ([], Path("/opt/ml/models"))


def test_options_that_are_given_come_first(run: Run, started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIP_HTTP_PORT", "7080")
    monkeypatch.setenv("AIP_HEALTH_ROUTE", "/up")

    outcome = run("serve", "models/a", "--platform", "vertex", "--host", "127.0.0.1", "--max-body", 1000)

    assert outcome.code == 0
    assert started.address == ("127.0.0.1", 7080)
    assert (started.settings.health_route, started.settings.limits.body_bytes) == ("/up", 1000)


def test_a_limit_that_is_given_comes_before_those_of_batch_transform(
    run: Run, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_BATCH", "true")

    assert run("serve", "--platform", "sagemaker", "--max-texts", 100_000, "--timeout", 600).code == 0
    limits = started.settings.limits
    assert (limits.texts, limits.timeout_s, limits.characters) == (100_000, 600, 6 * 2**20)


@pytest.mark.parametrize("platform", [(), ("--platform", "vertex")])
def test_a_model_must_be_named(run: Run, started: Started, platform: tuple[str, ...]) -> None:
    outcome = run("serve", *platform)

    assert outcome.code == 2
    assert "No model is named." in outcome.err


def test_an_unknown_platform_is_refused(run: Run, started: Started) -> None:
    assert run("serve", "models/a", "--platform", "azure").code == 2
