"""The commands of the guide to contracts do what it says: each is asked, as curl would send it."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fastbert.serving.shared_paths import OWNERS
from tests.serving.asking import QUIET, Answer, Asker, serving

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "serving_contracts.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ +(curl .*)$", GUIDE, re.MULTILINE)
SEVERAL = [command for command in COMMANDS if re.search(r"8080/models\b", command)]
NAMES = {"SageMaker": "sagemaker", "Hugging Face": "huggingface", "TEI": "tei", "MLflow": "mlflow"}


@pytest.fixture(scope="module")
def reviews(single: Path) -> Iterator[Asker]:
    with serving({"reviews": single}) as served:
        yield served


@pytest.fixture(scope="module")
def loaded(single: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """Serve what callers load, where the guide has it, but under another folder."""
    root = tmp_path_factory.mktemp("models")
    shutil.copytree(single, root / "en" / "model")
    with serving({}, replace(QUIET, models_root=root)) as served:
        yield served


def test_the_commands_for_several_models_do_what_they_say(loaded: Asker) -> None:
    root = str(loaded.service.settings.models_root)

    assert len(SEVERAL) == 4
    for command in SEVERAL:
        assert send(loaded, command.replace("/opt/ml/models", root)).status == 200
    assert len(loaded.service.models) == 0


@pytest.mark.parametrize("command", [one for one in COMMANDS if one not in SEVERAL])
def test_every_command_is_answered(reviews: Asker, command: str) -> None:
    answer = send(reviews, command)

    assert answer.status == 200, answer.body


def send(asker: Asker, command: str) -> Answer:
    """Send what curl would."""
    words = [word for word in shlex.split(command) if word not in ("curl", "-s")]
    method = words.pop(1) if words[0] == "-X" else ""
    address, *options = words[1:] if method else words
    given = list(zip(options[::2], options[1::2], strict=True))
    headers = dict(value.split(": ", 1) for name, value in given if name == "-H")
    body = next((value for name, value in given if name != "-H"), None)
    if body is not None:  # what curl says where nothing is said
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | headers

    method = method or ("GET" if body is None else "POST")
    return asker.ask(method, address.removeprefix("localhost:8080"), (body or "").encode(), headers)


@pytest.mark.parametrize(("method", "path"), OWNERS)
def test_the_table_of_owners_is_that_of_the_code(method: str, path: str) -> None:
    found = re.search(rf"^\| `{method} {re.escape(path)}` \|(.*)\|$", GUIDE, re.MULTILINE)

    assert found is not None
    assert [NAMES[cell.strip()] for cell in found.group(1).split("|")] == list(OWNERS[method, path].values())
