"""How much memory is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.serving.memory import free_bytes


def test_this_machine_knows_or_says_so() -> None:
    assert free_bytes() is None or free_bytes()


@pytest.mark.parametrize(
    ("limit", "expected"), [("max", 2_048_000), ("600000", 500_000), ("50000", 0), (None, 2_048_000)]
)
def test_the_container_counts_where_it_has_less(tmp_path: Path, limit: str | None, expected: int) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 4000 kB\nMemAvailable: 2000 kB\n")
    if limit is not None:
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        (tmp_path / "memory.current").write_text("100000\n")

    assert free_bytes(tmp_path / "meminfo", tmp_path) == expected


def test_where_nothing_is_known_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 4000 kB\n")

    assert free_bytes(tmp_path / "meminfo", tmp_path) is None
    assert free_bytes(tmp_path / "no", tmp_path) is None
