"""Every score that is shown first has a meaning in words, and a direction."""

from __future__ import annotations

import pytest

from fastbert.metrics.names import LOWER_IS_BETTER, MEANINGS
from fastbert.tasks import TASKS


@pytest.mark.parametrize("name", sorted({name for task in TASKS.values() for name in task.headlines}))
def test_a_headline_has_a_meaning(name: str) -> None:
    assert MEANINGS[name]


@pytest.mark.parametrize("task", TASKS)
def test_what_chooses_the_weights_is_better_when_higher(task: str) -> None:
    assert TASKS[task].monitor not in LOWER_IS_BETTER


@pytest.mark.parametrize("name", [name for name in MEANINGS if name in LOWER_IS_BETTER])
def test_the_meaning_says_where_lower_is_better(name: str) -> None:
    assert MEANINGS[name].endswith("lower is better")
