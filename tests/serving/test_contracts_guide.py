"""The commands of the guide to contracts do what it says: each is asked, as curl would send it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastbert.serving.shared_paths import OWNERS
from tests.serving.asking import Asker, serving

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "serving_contracts.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ +(curl .*)$", GUIDE, re.MULTILINE)
NAMES = {"SageMaker": "sagemaker", "Hugging Face": "huggingface", "TEI": "tei", "MLflow": "mlflow"}


@pytest.fixture(scope="module")
def reviews(single: Path) -> Iterator[Asker]:
    with serving({"reviews": single}) as served:
        yield served


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_answered(reviews: Asker, command: str) -> None:
    _, _, address, *options = shlex.split(command)
    given = list(zip(options[::2], options[1::2], strict=True))
    headers = dict(value.split(": ", 1) for name, value in given if name == "-H")
    body = next((value for name, value in given if name != "-H"), None)
    if body is not None:  # what curl says where nothing is said
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | headers

    method = "GET" if body is None else "POST"
    answer = reviews.ask(method, address.removeprefix("localhost:8080"), (body or "").encode(), headers)

    assert answer.status == 200, answer.body


@pytest.mark.parametrize(("method", "path"), OWNERS)
def test_the_table_of_owners_is_that_of_the_code(method: str, path: str) -> None:
    found = re.search(rf"^\| `{method} {re.escape(path)}` \|(.*)\|$", GUIDE, re.MULTILINE)

    assert found is not None
    assert [NAMES[cell.strip()] for cell in found.group(1).split("|")] == list(OWNERS[method, path].values())
