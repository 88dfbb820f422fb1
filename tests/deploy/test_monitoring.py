"""Dashboard and alerts ask for counters that the server has, by labels that these have."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from fastbert.serving.metrics import Metrics
from tests.deploy.truth import DEPLOY, read_yaml, series, series_in, text

DASHBOARD: dict[str, Any] = json.loads(text("monitoring/grafana/fastbert.json"))
RULES: list[dict[str, Any]] = read_yaml("monitoring/alerts.yml")["groups"][0]["rules"]
SHOWN = {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
}
EXPRESSIONS = {**SHOWN, **{rule["alert"]: rule["expr"] for rule in RULES}}
LABELS = {"job", "instance", "le", "route", "status", "model", "task", "backend", "version", "fastbert"}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_it_asks_for_counters_that_there_are(name: str) -> None:
    assert series_in(EXPRESSIONS[name]) <= series()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_it_asks_by_labels_that_there_are(name: str) -> None:
    selected = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", EXPRESSIONS[name])
    grouped = [label for words in re.findall(r"by \(([^)]*)\)", EXPRESSIONS[name]) for label in words.split(", ")]

    assert {*selected, *grouped} <= LABELS


def test_these_labels_are_those_of_the_counters() -> None:
    metrics = Metrics()
    metrics.done("route", 200, 0.1)
    metrics.of_model("model").describe("task", "backend", "version")

    found = set(re.findall(r'[{,](\w+)="', metrics.render().decode()))
    assert found == LABELS - {"job", "instance"}


def test_every_counter_is_on_the_dashboard() -> None:
    shown = {name for expression in SHOWN.values() for name in series_in(expression)}
    whole = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}

    assert whole == {re.sub(r"_(bucket|sum|count)$", "", name) for name in series()}


def test_panels_do_not_overlap() -> None:
    cells = [
        (x, y)
        for grid in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]

    assert len(cells) == len(set(cells))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_happens_and_what_it_means(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".") and rule["annotations"]["description"].endswith(".")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_reads_its_files() -> None:
    checked = subprocess.run(
        ["promtool", "check", "config", DEPLOY / "monitoring" / "prometheus.yml"], capture_output=True, text=True
    )

    assert checked.returncode == 0, checked.stderr
