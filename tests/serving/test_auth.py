"""API keys: which are taken, where they are read from, and what one without a key learns."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from fastbert.errors import ConfigError
from fastbert.serving.auth import VARIABLE, read_keys
from fastbert.serving.settings import Settings
from tests.serving.asking import Asker, serving

KEY, OTHER = "k" * 32, "o" * 32
GOOD = {
    "bearer": {"Authorization": f"Bearer {KEY}"},
    "the other key": {"Authorization": f"bearer {OTHER}"},
    "header": {"X-API-Key": KEY},
}
BAD: dict[str, dict[str, str]] = {
    "none": {},
    "no scheme": {"Authorization": KEY},
    "longer": {"Authorization": f"Bearer {KEY}x"},
    "empty": {"Authorization": "Bearer "},
    "not ascii": {"X-API-Key": "\xff"},
    "basic": {"Authorization": f"Basic {b64encode(f'anyone:{KEY}'.encode()).decode()}"},
}


@pytest.fixture(scope="module")
def locked(single: Path) -> object:
    with serving([single], Settings(api_keys=(KEY, OTHER), access_log=False)) as asker:
        yield asker


@pytest.mark.parametrize("headers", list(GOOD.values()), ids=list(GOOD))
def test_a_known_key_is_taken(locked: Asker, headers: dict[str, str]) -> None:
    assert locked.get("/v1/models", headers).status == 200


@pytest.mark.parametrize("headers", list(BAD.values()), ids=list(BAD))
def test_another_key_is_refused(locked: Asker, headers: dict[str, str]) -> None:
    answer = locked.get("/v1/models", headers)

    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("route", ["/v1/predict", "/metrics", "/openapi.json", "/nowhere", "/v1/models"])
def test_without_a_key_nothing_is_told_but_health(locked: Asker, route: str) -> None:
    assert locked.get(route).status == 401
    assert locked.get("/health/live").status == 200
    assert locked.get("/health/ready").status == 200


def test_keys_are_read_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys").write_text(f"# ours\n{KEY}\n\n  {OTHER}\n")
    monkeypatch.setenv(VARIABLE, f"{KEY}, {OTHER}")

    assert read_keys(tmp_path / "keys") == read_keys(None) == (KEY, OTHER)


def test_a_file_without_keys_does_not_open_the_server(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# none yet\n")

    with pytest.raises(ConfigError, match="holds no API key"):
        read_keys(tmp_path / "keys")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_keys(tmp_path / "missing")


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="fewer than 16 characters"):
        Settings(api_keys=("secret",))
