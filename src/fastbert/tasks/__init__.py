"""The table of tasks. Packages add rows through the entry-point group `fastbert.tasks`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points

from fastbert.errors import BundleError
from fastbert.tasks.answering import Answering
from fastbert.tasks.base import Task
from fastbert.tasks.classification import MultiLabel, SingleLabel
from fastbert.tasks.regression import Regression
from fastbert.tasks.tagging import Tagging

KINDS: tuple[type[Task], ...] = (SingleLabel, MultiLabel, Regression, Tagging, Answering)
TASKS: dict[str, type[Task]] = {kind.name: kind for kind in KINDS}


def task_from_json(values: Mapping[str, object]) -> Task:
    """Make the task that `Task.to_json` described. Raises BundleError if it is not known here."""
    name = str(values.get("name"))
    kinds = dict(TASKS)
    if name not in kinds:
        kinds.update({point.name: point.load() for point in entry_points(group="fastbert.tasks", name=name)})
    if name not in kinds:
        raise BundleError(
            f"The bundle holds the task '{name}'; this installation knows {', '.join(sorted(kinds))}.",
            "Install the package that brings it, or upgrade with `pip install -U fastbert-nlp`.",
        )
    return kinds[name].from_json(values)
