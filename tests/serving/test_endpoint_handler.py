"""The handler that Hugging Face's container calls, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fastbert.errors import DataError
from fastbert.serving.endpoint_handler import EndpointHandler
from tests.serving.asking import Asker
from tests.serving.contracts import CANARY, TASKS, item

HANDLER = """from fastbert.serving.endpoint_handler import EndpointHandler

__all__ = ["EndpointHandler"]
"""


@pytest.mark.parametrize("task", TASKS)
def test_it_answers_as_the_server_does(bundles: dict[str, Path], askers: dict[str, Asker], task: str) -> None:
    handler = EndpointHandler(str(bundles[task]))

    found = handler({"inputs": [item(task)], "parameters": {"top_k": 2}})

    expected = askers[task].post("/", {"inputs": [item(task)], "parameters": {"top_k": 2}}).json
    assert found == expected


def test_the_documented_file_is_all_that_is_needed(single: Path) -> None:
    names: dict[str, Any] = {}
    exec(HANDLER, names)  # as the container imports it

    (answer,) = names["EndpointHandler"](path=str(single))({"inputs": "bug"})

    assert set(answer) == {"label", "score"}
    page = Path(__file__).parents[2] / "docs" / "guides" / "serving_contracts.md"
    assert HANDLER in page.read_text(encoding="utf-8")


BAD: list[dict[str, object]] = [
    {},
    {"inputs": 5},
    {"inputs": [CANARY, None]},
    {"inputs": [[CANARY, "b", "c"]]},
    {"inputs": CANARY, "parameters": {"top_k": 0}},
    {"inputs": CANARY, "parameters": {"function_to_apply": "sigmoid"}},
]


@pytest.mark.parametrize("data", BAD)
def test_what_cannot_be_answered_is_said_without_the_text(single: Path, data: dict[str, object]) -> None:
    with pytest.raises(DataError) as caught:
        EndpointHandler(str(single))(data)

    assert CANARY not in str(caught.value)
