"""What an option says is written once, and the commands that have it say it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import get_args, get_origin

import pytest

from fastbert.cli import shared_options
from fastbert.cli.check import check
from fastbert.cli.lr_find import lr_find
from fastbert.cli.train import train
from fastbert.cli.tune import tune

FOLDER = Path(shared_options.__file__).parent
SHARED = {name: option for name, option in vars(shared_options).items() if get_origin(option)}
READING = ("text", "label", "labels", "labels_file", "no_header", "delimiter", "group", "task", "max_tokens", "as_json")


@pytest.mark.parametrize("name", SHARED)
def test_an_option_is_written_in_no_other_module(name: str) -> None:
    kind, option = get_args(SHARED[name])
    written = re.compile(rf"(?m): {re.escape(_name(kind))} = typer.Option\(.*help=\"{re.escape(option.help)}\"")
    others = [path for path in FOLDER.glob("*.py") if path.name != "shared_options.py"]

    assert [path.name for path in others if written.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("command", [check, lr_find, tune])
def test_a_table_is_read_by_the_options_of_train(command: object) -> None:
    own, of_train = (inspect.signature(one, eval_str=True).parameters for one in (command, train))  # type: ignore[arg-type]

    assert [own[name].annotation for name in READING] == [of_train[name].annotation for name in READING]


def _name(kind: object) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("pathlib._local.", "").replace("pathlib.", "")
