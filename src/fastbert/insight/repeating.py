"""The command that trains a model again, from what its bundle says of the run.

Files go by their names alone: a bundle travels, and the folders of the machine it was made on are nobody's business.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastbert.config import FEW_IN_ALL, FEW_ROWS, DataConfig, DecisionConfig, TrainConfig
from fastbert.insight.run_facts import RunFacts

_FOLDER = re.compile(r"^(/|~|[A-Za-z]:[\\/]|\\\\|\.{1,2}[\\/])")
_FILED = {"goal": "cost:", "loss": "weights:"}  # options that may name a file, and what stands before it
_OF_TEACHER: tuple[str, ...] = ("truncation",)  # which `distill` refuses: a student has that of its teacher


@dataclass(frozen=True)
class Repeat:
    """The command line of a run, or in a phrase why there is none."""

    command: str = ""
    why_not: str = ""


def repeat(facts: RunFacts, out: str) -> Repeat:
    """Return the command line, where the run was one that can be written down.

    Options that are as they would be chosen by default are left out; what the recipe chose is written out. Where the
    rule was fitted to other rows after the training, `fastbert decide` follows.
    """
    if not facts.options:
        return Repeat(why_not="the bundle does not say with which options")
    if facts.num_fits > 1:
        return Repeat(why_not=f"it was {facts.num_fits} fits, of which the options of the last are known")
    if facts.decided_on == "":
        return Repeat(why_not="its decision rule was fitted to rows in memory or of several files")
    words = _distilled(facts.distillation) if facts.distillation else _trained(facts)
    if not words:
        what = "one of its tables was in memory or of several files"
        return Repeat(why_not=f"{what}, or an older version did not record them all")
    options = dict(facts.options)
    if facts.adaptation:  # whichever encoder was kept, the run began with this one
        options["encoder"] = facts.adapted_from.get("encoder")
    left_out = _OF_TEACHER if facts.distillation else ()
    if options.get("valid_folds") is None and "valid" not in facts.tables and _may_be_folded(facts):
        options["valid_folds"] = 0  # a learner held a share out; `train` would fold few rows up
    defaults = {**DataConfig().to_json(), **TrainConfig().to_json()}
    changed, rule = _changed(options, defaults), _changed(facts.deciding, DecisionConfig().to_json())
    if facts.decided_on is None:
        changed |= rule
    words += [
        word
        for name, value in changed.items()
        if name not in left_out
        for word in ("--set", f"{name}={option_text(name, value)}")
    ]
    command = shlex.join([*words, "--out", out])
    return Repeat(
        command if facts.decided_on is None else f"{command} && {_decide_command(facts.decided_on, rule, out)}"
    )


def _may_be_folded(facts: RunFacts) -> bool:
    rows = facts.num_rows("train") + facts.num_rows("valid")
    are_few = rows <= min(FEW_IN_ALL, FEW_ROWS * max(map(len, facts.label_counts.values()), default=0))
    several = facts.task == "multi_label" and are_few and not facts.distillation
    return several or facts.options.get("start") == "contrastive"


def _decide_command(table: str, rule: Mapping[str, object], out: str) -> str:
    options = ((f"--{name.replace('_', '-')}", option_text(name, value)) for name, value in rule.items())
    return shlex.join(["fastbert", "decide", out, table, *(word for option in options for word in option)])


def repeat_command(facts: RunFacts, out: str) -> str:
    """Return the command line alone, nothing where there is none."""
    return repeat(facts, out).command


def _trained(facts: RunFacts) -> list[str]:
    """Return tables and texts of `fastbert train`, nothing where they are not known."""
    tables = {split: name for split, name in facts.tables.items() if isinstance(name, str) and name}
    adapted_to = _names(facts.adapted_from.get("files"))
    if "train" not in tables or (facts.adaptation and not adapted_to):
        return []
    words = ["fastbert", "train", tables["train"], *_given(tables, ("valid", "test"))]
    return words + [word for file in adapted_to for word in ("--adapt", file)]


def _distilled(facts: Mapping[str, object]) -> list[str]:
    """Return teacher, texts and tables of `fastbert distill`, nothing where they are not known."""
    tables = facts.get("tables")
    if not isinstance(tables, dict) or not (unlabelled := _names(tables.get("unlabelled"))):
        return []
    words = ["fastbert", "distill", str(facts.get("teacher"))]
    words += [word for file in unlabelled for word in ("--unlabelled", file)]
    words += _given(tables, ("train", "valid", "test"))
    return words + _given(facts, ("temperature", "label_weight"))


def _given(values: Mapping[str, object], names: Sequence[str]) -> list[str]:
    named = [(f"--{name.replace('_', '-')}", values.get(name)) for name in names]
    return [word for option, value in named if value is not None for word in (option, f"{value}")]


def _names(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


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
