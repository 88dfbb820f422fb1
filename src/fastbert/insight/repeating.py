"""The command that trains a model again, from what its bundle says of the run.

Files go by their names alone: a bundle travels, and the folders of the machine it was made on are nobody's business.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from fastbert.config import DataConfig, DecisionConfig, TrainConfig
from fastbert.insight.run_facts import RunFacts

_FOLDER = re.compile(r"^(/|~|[A-Za-z]:[\\/]|\\\\|\.{1,2}[\\/])")
_FILED = {"goal": "cost:", "loss": "weights:"}  # options that may name a file, and what stands before it


def repeat_command(facts: RunFacts, out: str) -> str:
    """Return the command line, nothing where the run was not one `fastbert train` that can be written down.

    That is with tables in memory, several fits, an adaptation or a distillation. Where the rule was fitted to other
    rows after the training, `fastbert decide` follows.
    Options that are as they would be chosen by default are left out; what the recipe chose is written out.
    """
    tables = {split: name for split, name in facts.tables.items() if isinstance(name, str) and name}
    last = facts.steps[-1][0] if facts.steps else 0
    if (
        "train" not in tables
        or not facts.options
        or facts.adaptation
        or facts.distillation
        or facts.decided_on == ""
        or (facts.planned_steps is not None and last > facts.planned_steps)
    ):
        return ""
    words = ["fastbert", "train", tables["train"]]
    words += [word for split in ("valid", "test") if split in tables for word in (f"--{split}", tables[split])]
    defaults = {**DataConfig().to_json(), **TrainConfig().to_json()}
    options = dict(facts.options)
    if options.get("start") == "contrastive" and options.get("valid_folds") is None and "valid" not in tables:
        # a learner held a share out; `train` would fold few rows up
        options["valid_folds"] = 0
    changed, rule = _changed(options, defaults), _changed(facts.deciding, DecisionConfig().to_json())
    if facts.decided_on is None:
        changed |= rule
    words += [word for name, value in changed.items() for word in ("--set", f"{name}={option_text(name, value)}")]
    command = shlex.join([*words, "--out", out])
    return command if facts.decided_on is None else f"{command} && {_decide_command(facts.decided_on, rule, out)}"


def _decide_command(table: str, rule: Mapping[str, object], out: str) -> str:
    options = ((f"--{name.replace('_', '-')}", option_text(name, value)) for name, value in rule.items())
    return shlex.join(["fastbert", "decide", out, table, *(word for option in options for word in option)])


def option_text(name: str, value: object) -> str:
    """Return the value of an option as text; of those that are a file or a folder only its name.

    >>> option_text("goal", "cost:data/costs.csv"), option_text("delimiter", "/"), option_text("text", ["a", "b"])
    ('cost:costs.csv', '/', 'a,b')
    >>> option_text("loss", "weights:/home/anna/w.csv"), option_text("loss", "focal:1")
    ('weights:w.csv', 'focal:1')
    """
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    text = str(value)
    if name == "encoder":
        return without_folders(text)
    if name == "labels_file":
        return _name_of(text)
    start, file = _FILED.get(name, ""), text.strip()
    return f"{start}{_name_of(file.removeprefix(start).strip())}" if start and file.startswith(start) else text


def without_folders(text: str) -> str:
    """Return the name alone of a path that begins at a root, at home or with a dot; else the text, as a hub's name.

    >>> without_folders("/home/anna/encoder"), without_folders("google/bert")
    ('encoder', 'google/bert')
    """
    return _name_of(text) if _FOLDER.match(text) else text


def _name_of(path: str) -> str:
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1]


def _changed(options: Mapping[str, object], defaults: Mapping[str, object]) -> dict[str, object]:
    return {
        name: "none" if value is None else value
        for name, value in options.items()
        if name in defaults and value != defaults[name]
    }
