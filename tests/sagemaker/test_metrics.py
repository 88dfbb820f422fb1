"""Metric lines, and the expressions by which SageMaker reads them."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fastbert.errors import ConfigError
from fastbert.sagemaker.metrics import MOST_DEFINITIONS, MetricLines, metric_definitions, metric_line
from fastbert.tasks import TASKS
from fastbert.training.state import started
from tests.sagemaker.made import QUICK, opt_ml


def test_a_line_has_one_token_for_each_number() -> None:
    values = {"eval_f1_macro": 0.912345, "train_loss": 0.2101, "epoch": 2.0, "step": 500}

    assert metric_line(values) == "eval_f1_macro=0.912345; train_loss=0.2101; epoch=2; step=500;"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_left_out(value: float) -> None:
    assert metric_line({"eval_mcc": value, "step": 1}) == "step=1;"


@pytest.mark.parametrize("value", [1e-9, -0.25, 123456789.0, 0.0, 2.5e12])
def test_every_number_is_read_back(value: float) -> None:
    found = re.findall(metric_definitions()[0]["Regex"], metric_line({"train_loss": value}))

    assert [float(one) for one in found] == [pytest.approx(value, rel=1e-5)]


def test_names_of_metrics_of_ones_own_become_tokens() -> None:
    assert metric_line({"eval_cost per row": 2.0}) == "eval_cost_per_row=2;"


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_definitions_that_sagemaker_takes(task: str) -> None:
    definitions = metric_definitions(task)

    names = [one["Name"] for one in definitions]
    assert f"valid_{TASKS[task].monitor}" in names
    assert len(set(names)) == len(names) <= MOST_DEFINITIONS


@pytest.mark.parametrize("task", TASKS)
def test_each_expression_meets_its_own_token_and_no_other(task: str) -> None:
    definitions = metric_definitions(task)
    line = metric_line({one["Name"]: index for index, one in enumerate(definitions)})

    found = [re.findall(one["Regex"], line) for one in definitions]

    assert found == [[str(index)] for index in range(len(definitions))]


def test_an_unknown_task_is_refused_with_the_closest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'multi_label'"):
        metric_definitions("multilabel")


@pytest.mark.parametrize(("part", "count"), [("", 1), ("training", 1), ("fold 1 of 3", 0), ("the head alone", 0)])
def test_only_the_model_to_save_has_lines(part: str, count: int) -> None:
    lines: list[str] = []
    callback = MetricLines(lines.append)

    callback.on_part(part)
    callback.on_evaluate(replace(started(4, 1.0, "f1"), step=2, epoch=0.5, loss=0.25, scores={"f1": 0.5}))

    assert lines == ["eval_f1=0.5; train_loss=0.25; epoch=0.5; step=2;"] * count


def test_a_job_writes_each_metric_once_for_an_evaluation(encoder: str, tmp_path: Path) -> None:
    job = opt_ml(tmp_path, encoder, {**QUICK, "epochs": "3"})
    job.channel("test").joinpath("test.csv").write_bytes((job.channel("train") / "train.csv").read_bytes())
    job.config("inputdataconfig.json", {"train": {}, "test": {}})

    assert job.run().code == 0

    log = "\n".join(job.lines)
    counts = {
        one["Name"]: len(re.findall(one["Regex"], log)) for one in metric_definitions() if "coverage" not in one["Name"]
    }
    assert {name: count for name, count in counts.items() if name.startswith(("eval_", "train_"))} == dict.fromkeys(
        ["train_loss", "eval_accuracy", "eval_f1_macro", "eval_mcc", "eval_log_loss"], 3
    )
    assert set(counts.values()) == {1, 3}
