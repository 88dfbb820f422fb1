"""Few rows with several labels each: a share held out against folds, and how many epochs.

Rows of the project's sample of feedback (11 labels) and of GoEmotions (28) are drawn, the seed draws them, and the
model is scored on rows that were not: macro average precision, which no threshold is in, and F1 by the fitted rule.
What is in the results file is not run again.

    python benchmarks/few_labels.py run --data feedback --rows 24 60 100 --seeds 0 1 --arms share folds "folds, 60"
    python benchmarks/few_labels.py table
"""

import argparse
import csv
import io
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks import datasets, machine
from fastbert.data.databunch import DataBunch
from fastbert.training.learner import Learner

RESULTS = Path(__file__).resolve().parent / "results" / "few_labels.jsonl"
SAMPLE = Path(__file__).resolve().parents[1] / "examples" / "data" / "feedback"
TESTED = {"feedback": 300, "goemotions": 1_500}
SCORES = ("average_precision_macro", "f1_macro", "f1_micro")
ARMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # options of the data, of the training
    "share": ({"valid_folds": 0}, {"epochs": 20.0}),
    "folds": ({"valid_folds": 3}, {"epochs": 20.0}),
    "folds, 60": ({"valid_folds": 3}, {"epochs": 60.0}),
}
Rows = list[dict[str, str]]


def rows_of(name: str) -> tuple[Rows, tuple[str, ...]]:
    """Return all rows of a data set, training and test, with a 0/1 column a label, and the labels."""
    if name == "feedback":
        texts = [(SAMPLE / f"{split}.csv").read_text(encoding="utf-8") for split in ("train", "val", "test")]
        rows = [row for text in texts for row in csv.DictReader(io.StringIO(text, newline=""))]
        labels = tuple(column for column in rows[0] if column not in ("id", "text"))
        return [{name: row[name] for name in ("text", *labels)} for row in rows], labels
    benchmark = datasets.load(name)
    every = [*benchmark.train, *(row for rows in benchmark.tests.values() for row in rows)]
    flagged = [{"text": text, **{one: str(int(one in names)) for one in benchmark.labels}} for text, _, names in every]
    return flagged, tuple(benchmark.labels)


def measure(name: str, num_rows: int, seed: int, arm: str) -> dict[str, Any]:
    """Train on some rows; return the scores of others."""
    rows, labels = rows_of(name)
    order = np.random.default_rng(seed).permutation(len(rows))
    train, test = ([rows[at] for at in part] for part in (order[:num_rows], order[-TESTED[name] :]))
    held, training = ARMS[arm]
    start = time.process_time()
    data = DataBunch.from_files(train, test=test, text="text", labels=labels, seed=seed, **held)
    learner = Learner(data, encoder="minilm", seed=seed, **training)
    learner.fit()
    scores = learner.evaluate("test")
    return {
        "dataset": name,
        "rows": num_rows,
        "seed": seed,
        "arm": arm,
        "scores": {key: round(scores[key], 4) for key in SCORES},
        "cpu_seconds": round(time.process_time() - start, 1),
        "machine": machine.describe(learner.runtime.precision),
    }


def table(lines: Sequence[dict[str, Any]]) -> str:
    """Return the means over seeds as Markdown."""
    rows = [f"| data | rows | arm | {' | '.join(SCORES)} | processor seconds |", "|---" * (len(SCORES) + 4) + "|"]
    for key in sorted({(line["dataset"], line["rows"], list(ARMS).index(line["arm"])) for line in lines}):
        arm = list(ARMS)[key[2]]
        some = [line for line in lines if (line["dataset"], line["rows"], line["arm"]) == (*key[:2], arm)]
        cells = [f"{statistics.mean(line['scores'][name] for line in some):.3f}" for name in SCORES]
        seconds = statistics.mean(line["cpu_seconds"] for line in some)
        rows.append(f"| {key[0]} | {key[1]} ({len(some)}) | {arm} | {' | '.join(cells)} | {seconds:.0f} |")
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is not in the results file yet, or print the table."""
    parser = argparse.ArgumentParser(description="Few rows with several labels")
    parser.add_argument("action", choices=("run", "table"))
    parser.add_argument("--data", nargs="+", default=list(TESTED), choices=list(TESTED))
    parser.add_argument("--rows", nargs="+", type=int, default=[24, 60, 100])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    chosen = parser.parse_args(arguments)
    lines = [json.loads(line) for line in chosen.out.read_text().splitlines()] if chosen.out.exists() else []
    done = {(line["dataset"], line["rows"], line["seed"], line["arm"]) for line in lines}
    cells = [(d, n, s, a) for d in chosen.data for n in chosen.rows for s in chosen.seeds for a in chosen.arms]
    for cell in cells if chosen.action == "run" else ():
        if cell not in done:
            lines.append(measure(*cell))
            with chosen.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(lines[-1]) + "\n")
    print(table(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
