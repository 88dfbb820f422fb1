"""The Python code of the guide to the client runs, against a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving.asking import Asker, serving

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "client.md"
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def feedback(single: Path) -> Iterator[Asker]:
    with serving({"feedback": single}, port=True) as served:
        yield served


@pytest.mark.parametrize("code", BLOCKS, ids=range(len(BLOCKS)))
def test_code_of_the_guide_runs(code: str, feedback: Asker, capsys: pytest.CaptureFixture[str]) -> None:
    before = requests_of(feedback)

    exec(code.replace("http://localhost:8080", feedback.address), {})

    assert requests_of(feedback) > before
    assert not capsys.readouterr().err


def requests_of(asker: Asker) -> float:
    """Return how many requests were answered."""
    lines = asker.get("/metrics").body.decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if re.match(r'fastbert_requests_total\{route="/v1', line))
