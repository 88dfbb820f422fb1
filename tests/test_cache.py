"""Where the cache lies, and that tests leave that of the user alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.cache import cache_folder


@pytest.mark.parametrize("value", ["", "off", "OFF "])
def test_the_cache_can_be_switched_off(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTBERT_CACHE", value)

    assert cache_folder("tokens") is None


def test_tests_write_nothing_for_the_user() -> None:
    assert cache_folder("tokens") is None


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"FASTBERT_CACHE": "/data/cache"}, "/data/cache/tokens"),
        ("linux", {"FASTBERT_CACHE": "~/mine"}, "/home/ann/mine/tokens"),
        ("linux", {}, "/home/ann/.cache/fastbert/tokens"),
        ("linux", {"XDG_CACHE_HOME": "/var/ann"}, "/var/ann/fastbert/tokens"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "/home/ann/.cache/fastbert/tokens"),
        ("darwin", {}, "/home/ann/Library/Caches/fastbert/tokens"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/fastbert/cache/tokens"),
        ("win32", {}, "/home/ann/AppData/Local/fastbert/cache/tokens"),
    ],
)
def test_the_folder_is_the_users_own(
    platform: str, variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FASTBERT_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"HOME": "/home/ann"} | variables).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", platform)

    assert cache_folder("tokens") == Path(expected)


def test_without_a_home_there_is_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("FASTBERT_CACHE")
    monkeypatch.setattr(Path, "home", nowhere)

    assert cache_folder("tokens") is None
