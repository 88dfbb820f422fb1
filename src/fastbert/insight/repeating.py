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
_COSTS = "cost:"  # before the file in a goal


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
    words += [word for name, value in changed.items() for word in ("--set", f"{name}={without_folders(value)}")]
    command = shlex.join([*words, "--out", out])
    return command if facts.decided_on is None else f"{command} && {_decide_command(facts.decided_on, rule, out)}"


def _decide_command(table: str, rule: Mapping[str, object], out: str) -> str:
    options = ((f"--{name.replace('_', '-')}", without_folders(value)) for name, value in rule.items())
    return shlex.join(["fastbert", "decide", out, table, *(word for option in options for word in option)])


def without_folders(value: object) -> str:
    """Return a value as text; of a path that begins at a root, at home or with a dot only the name.

    >>> without_folders("/home/anna/encoder"), without_folders("google/bert"), without_folders(["a", "b"])
    ('encoder', 'google/bert', 'a,b')
    >>> without_folders("cost:/home/anna/costs.csv")
    'cost:costs.csv'
    """
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    text = str(value)
    if text.startswith(_COSTS):
        return _COSTS + without_folders(text.removeprefix(_COSTS))
    return re.split(r"[\\/]", text.rstrip("\\/"))[-1] if _FOLDER.match(text) else text


def _changed(options: Mapping[str, object], defaults: Mapping[str, object]) -> dict[str, object]:
    return {
        name: "none" if value is None else value
        for name, value in options.items()
        if name in defaults and value != defaults[name]
    }
