"""The command line, run in this process: what it printed and how it ended."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from fastbert.cli import main


@dataclass(frozen=True)
class Outcome:
    """code: exit code.    out, err: what was written to standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        """Return the one JSON object on standard output."""
        assert self.code == 0, self.err
        assert self.out.count("\n") == 1
        values = json.loads(self.out)
        assert isinstance(values, dict)
        return values


Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs `fastbert` with arguments, and with bytes as standard input."""

    def call(*arguments: object, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "argv", ["fastbert", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), captured.out, captured.err)

    return call
