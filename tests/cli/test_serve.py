"""`fastbert serve`: what it says before it serves, and what it refuses."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from fastbert.cli import app
from fastbert.errors import BundleError, ConfigError
from tests.exported import exported_bundle
from tests.serving.processes import serve


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported_bundle(tmp_path_factory.mktemp("served") / "single")


def run(*arguments: str | Path) -> None:
    app(["serve", *map(str, arguments)], standalone_mode=False)


def test_models_limits_and_address_are_said_before_it_serves(bundle: Path) -> None:
    with serve(f"mine={bundle}", "--linger", "0") as served:
        assert served.ask("/v1/models")[1]["models"] == ["mine"]  # type: ignore[index]
        served.process.send_signal(signal.SIGINT)
        served.wait_for("stopped")
        said = "".join(served.lines)

    assert f"model    mine  {bundle}, backend auto" in said
    assert "limits   1,024 texts and 6 MB a request, 30 s to answer, 2 s of work in the queue; 1 process" in said
    assert "warning" not in said


@pytest.mark.parametrize("workers", [1, 2])
def test_its_address_is_told_as_json_once_it_is_ready(
    bundle: Path, capfd: pytest.CaptureFixture[str], workers: int
) -> None:
    with serve(f"mine={bundle}", "--json", "--workers", str(workers)) as served:
        told = json.loads(capfd.readouterr().out)

    assert told == {"address": f"http://127.0.0.1:{served.port}", "models": ["mine"]}


def test_all_addresses_without_a_key_are_warned_of(bundle: Path) -> None:
    with serve(bundle, "--host", "0.0.0.0") as served:
        assert "anybody who reaches 0.0.0.0 may ask" in "".join(served.lines)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a bundle"):
        run(tmp_path, "--port", "0")


def test_a_wrong_limit_is_refused(bundle: Path) -> None:
    with pytest.raises(ConfigError, match="texts is 0"):
        run(bundle, "--max-texts", "0")


def test_a_wrong_contract_is_refused(bundle: Path) -> None:
    with pytest.raises(ConfigError, match="contract is 'triton'"):
        run(bundle, "--contract", "triton")
