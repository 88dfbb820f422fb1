"""Rare labels, and what is done about them: weights, focal and asymmetric loss, repeated rows, and what `auto` picks.

SST-2 with 5 % of positive sentences in training and test rows, app reviews as they come (unbalanced), and the Jigsaw
sample (six labels, the rarest on a few rows in a thousand). FastBert's defaults but for `loss`; seeds draw the
split, the head and the order. What is in the results file is not run again.

    python benchmarks/imbalance.py run [--data sst2_rare] [--losses default auto] [--seeds 0 1]
    python benchmarks/imbalance.py table
"""

import argparse
import itertools
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import openpyxl

from benchmarks import datasets, machine
from benchmarks.datasets import APP_REVIEWS_TEST_SHARE, Row, _hash_share, data_root
from benchmarks.quality import read_results
from fastbert.data.databunch import DataBunch
from fastbert.training.learner import Learner

RESULTS = Path(__file__).resolve().parent / "results" / "imbalance.jsonl"
LOSSES = {
    "sst2_rare": ("default", "balanced", "focal", "resampled", "auto"),
    "app_reviews_unbalanced": ("default", "balanced", "focal", "resampled", "auto"),
    "jigsaw": ("default", "balanced", "asymmetric", "resampled", "auto"),
}
RARE_SHARE = 0.05
SST2_ROWS = {"train": 1_500, "test": 3_000}
APP_REVIEWS_TRAIN_ROWS = 2_000

Table = list[dict[str, object]]


def sst2_rare() -> tuple[Table, Table]:
    """Return sentences of which one in twenty is positive; those of all three files, divided anew."""
    lines = [
        line.split("\t")
        for name in ("train.tsv", "dev.tsv", "test.tsv")
        for line in (data_root() / "sst2" / name).read_text(encoding="utf-8").splitlines()
    ]
    order = np.random.default_rng(0).permutation(len(lines))
    left = {label: [lines[index] for index in order if lines[index][1] == label] for label in ("0", "1")}
    found = []
    for rows in SST2_ROWS.values():
        counts = {"1": round(rows * RARE_SHARE), "0": round(rows * (1 - RARE_SHARE))}
        drawn = [left[label].pop() for label, count in counts.items() for _ in range(count)]
        found.append([{"text": text, "label": {"0": "negative", "1": "positive"}[label]} for text, label in drawn])
    return found[0], found[1]


def app_reviews_unbalanced() -> tuple[Table, Table]:
    """Return app reviews as they come; repeated texts are on one side."""
    path = data_root() / "app_reviews" / "dataset_unbalanced_4000.xlsx"
    header, *cells = openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True)
    text_at, label_at = header.index("review"), header.index("label")
    rows: Table = [{"text": str(row[text_at]), "label": str(row[label_at])} for row in cells]
    is_test = [_hash_share(" ".join(str(row["text"]).lower().split())) < APP_REVIEWS_TEST_SHARE for row in rows]
    train = [row for row, test in zip(rows, is_test, strict=True) if not test]
    order = np.random.default_rng(0).permutation(len(train))[:APP_REVIEWS_TRAIN_ROWS]
    return [train[index] for index in order], [row for row, test in zip(rows, is_test, strict=True) if test]


def jigsaw() -> tuple[Table, Table]:
    """Return comments with a 0/1 column for each label."""
    benchmark = datasets.load("jigsaw")

    def table_of(rows: list[Row]) -> Table:
        return [{"text": text, **{name: int(name in names) for name in benchmark.labels}} for text, _, names in rows]

    return table_of(benchmark.train), table_of(benchmark.tests["test"])


LOADERS = {"sst2_rare": sst2_rare, "app_reviews_unbalanced": app_reviews_unbalanced, "jigsaw": jigsaw}


def measure(name: str, loss: str, seed: int) -> dict[str, Any]:
    """Train with one loss; return the test scores, those of each label, and what it took."""
    train, test = LOADERS[name]()
    labels = tuple(column for column in train[0] if column != "text")
    data = DataBunch.from_files(train, test=test, text=("text",), labels=labels, seed=seed)
    started = time.perf_counter()
    learner = Learner(data, encoder="minilm", loss=loss, seed=seed).fit()
    seconds, calibration = time.perf_counter() - started, learner.decisions.to_json().get("calibration")
    scores, valid, per_label = learner.evaluate("test"), learner.evaluate("valid"), learner.evaluate_labels("test")
    with_goal = learner.decide(goal="f1").evaluate("test")  # what a rule can do for rare labels without training
    return {
        "dataset": name,
        "loss": loss,
        "seed": seed,
        "scores": scores,
        "with_goal_f1": with_goal,
        "valid": valid,
        "f1": {label: found["f1"] for label, found in per_label.items()},
        "train_counts": data.task.counts(data.examples("train")),
        "steps": learner.last_run.step,
        "seconds": round(seconds, 1),
        "calibration": calibration,
        "choice": learner.facts.get("loss_choice"),
        "machine": machine.describe(learner.runtime.precision),
    }


def table(lines: list[dict[str, Any]]) -> str:
    """Return mean and spread of the test scores by data set and loss, as Markdown."""
    titles = ("data", "loss", "seeds", "macro F1", "the same with --goal f1", "macro average precision", "log loss")
    rows = [f"| {' | '.join((*titles, 'steps'))} |", "|---" * 8 + "|"]
    for name, losses in LOSSES.items():
        for loss in losses:
            group = [line for line in lines if (line["dataset"], line["loss"]) == (name, loss)]
            if group:
                cells = [
                    _cell([line[kind][score] for line in group if kind in line])
                    for kind, score in (
                        ("scores", "f1_macro"),
                        ("with_goal_f1", "f1_macro"),
                        ("scores", "average_precision_macro"),
                        ("scores", "log_loss"),
                    )
                ]
                steps = round(statistics.mean(line["steps"] for line in group))
                rows.append(f"| {name} | {loss} | {len(group)} | {' | '.join(cells)} | {steps} |")
    return "\n".join(rows)


def _cell(values: list[float]) -> str:
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}" if values else "-"


def main() -> None:
    """Run what is missing, or print the table."""
    parser = argparse.ArgumentParser(description="Rare labels, and what is done about them")
    parser.add_argument("action", choices=("run", "table"))
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    parser.add_argument("--data", nargs="+", choices=LOSSES, default=list(LOSSES))
    parser.add_argument("--losses", nargs="+", help="of those of the data set; default: all")
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1))
    chosen = parser.parse_args()
    if chosen.action == "table":
        print(table(read_results(chosen.out)))
        return
    done = {(line["dataset"], line["loss"], line["seed"]) for line in read_results(chosen.out)}
    for seed, name in itertools.product(chosen.seeds, chosen.data):
        for loss in LOSSES[name]:
            if (name, loss, seed) in done or loss not in (chosen.losses or LOSSES[name]):
                continue
            line = measure(name, loss, seed)
            print(f"{time.strftime('%H:%M:%S')} {name} {loss} seed {seed}: {line['seconds']} s", flush=True)
            with chosen.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
