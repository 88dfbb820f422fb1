"""Costs of contestants that only count."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastbert.data.examples import TextExample
from fastbert.insight.contestants import Contestant
from fastbert.insight.cost import count_parameters, folder_size, measure_costs
from fastbert.tasks.base import Example, Prediction


def test_models_take_turns_and_each_answers_as_many_texts() -> None:
    calls: list[tuple[str, int]] = []

    def named(name: str) -> Contestant:
        def answer(examples: Sequence[Example]) -> list[Prediction]:
            calls.append((name, len(examples)))
            return []

        return Contestant(name, answer, "", num_parameters=7)

    costs = measure_costs([named("a"), named("b")], [TextExample(str(row)) for row in range(1000)])

    assert [name for name, _ in calls] == ["a", "b"] * (len(calls) // 2)
    assert sorted({count for _, count in calls}) == [1, 256]
    assert [(cost.name, cost.size_bytes, cost.num_parameters) for cost in costs] == [("a", None, 7), ("b", None, 7)]
    assert all(cost.ms_per_text >= 0 and cost.texts_per_second > 0 for cost in costs)


def test_parameters_are_counted_from_the_headers_of_the_files(bundle: Path) -> None:
    from safetensors import safe_open

    with safe_open(bundle / "model.safetensors", "np") as file:
        expected = sum(file.get_tensor(name).size for name in file.keys())

    assert count_parameters(bundle) == expected
    assert folder_size(bundle) > 4 * expected


def test_a_folder_without_weights_has_no_number_of_parameters(tmp_path: Path) -> None:
    assert count_parameters(tmp_path) is None
