"""The documents name what there is: every command, every option and its default, and answers of every task."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, cast

import pytest
import typer

from fastbert.cli import app
from fastbert.config import AdaptConfig, DataConfig, DecisionConfig, Techniques, TrainConfig

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OPTIONS = (ROOT / "docs" / "guides" / "options.md").read_text(encoding="utf-8")
CONFIGS = [DataConfig, Techniques, TrainConfig, DecisionConfig, AdaptConfig]
COMMANDS: dict[str, Any] = cast("Any", typer.main.get_command(app)).commands
GROUPED = {
    f"{name} {one}": known for name, group in COMMANDS.items() for one, known in getattr(group, "commands", {}).items()
}


def section(name: str) -> list[str]:
    """Return the rows of the table under the heading that names a configuration."""
    found = re.search(rf"^### [^\n]*`{name}`.*?(?=^##|\Z)", OPTIONS, re.DOTALL | re.MULTILINE)
    assert found is not None
    return [line for line in found.group().splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("config", CONFIGS)
def test_every_option_and_its_default_is_in_the_guide(config: type) -> None:
    rows = {name: row for row in section(config.__name__) for name in re.findall(r"`(\w+)`", row.split("|")[1])}

    base = config.__base__
    inherited = dataclasses.fields(base) if base is not None and dataclasses.is_dataclass(base) else ()
    own = [field for field in dataclasses.fields(config) if field not in inherited]
    assert rows.keys() == {field.name for field in own}
    for field in own:
        default = field.default
        if default is None or isinstance(default, tuple):
            continue
        shown = str(default).lower() if isinstance(default, bool | str) else f"{default:g}"
        assert shown in rows[field.name].split("|")[2].replace(",", " ").split(), field.name


def test_every_command_and_its_options_are_in_a_document() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"--[a-z0-9][a-z0-9-]*", text))
    names = {field.name for config in CONFIGS for field in dataclasses.fields(config)}
    missing = []
    for command, known in {**COMMANDS, **GROUPED}.items():
        assert re.search(rf"\b{command}\b", text), command
        for parameter in known.params:
            options = [option for option in parameter.opts if option.startswith("--") and option != "--help"]
            if options and parameter.name not in names and named.isdisjoint(options):
                missing.append(f"{command} {options[0]}")
    assert not missing


def test_every_link_to_a_file_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"
