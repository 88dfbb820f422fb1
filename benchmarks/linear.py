"""The baselines that every training is held against, on the data sets of `quality`: scores and seconds of one core.

    python benchmarks/linear.py run      # appends what is missing to results/linear.jsonl; about two minutes
    python benchmarks/linear.py table    # beside the scores of FastBert in results/quality.jsonl

The training rows are those of `quality`, of which a tenth is held out to choose regularisation and threshold; the test
rows are scored once.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import machine, quality
from benchmarks.datasets import NAMES, load, write_csvs
from fastbert.data.databunch import DataBunch
from fastbert.insight.baselines import Rows, fit_baseline

RESULTS = Path(__file__).parent / "results" / "linear.jsonl"
KINDS = ("majority", "tfidf")


def measure(name: str, kind: str) -> dict[str, Any]:
    """Fit one baseline and return the line of its result."""
    benchmark = load(name)
    metric = "f1_binary" if benchmark.metric == "f1" else benchmark.metric
    with tempfile.TemporaryDirectory() as folder:
        paths = write_csvs(benchmark, Path(folder))
        data = DataBunch.from_files(paths["train"])
        began = time.process_time()
        fitted = fit_baseline(kind, data.task, Rows(data.examples("train"), data.examples("valid")), seed=42)
        seconds = time.process_time() - began
        tests = {test: data.read_rows(paths[test]) for test in benchmark.tests}
    scores = {test: data.task.score(fitted.answer(rows), rows).get(metric) for test, rows in tests.items()}
    return {
        "dataset": name, "kind": kind, "metric": benchmark.metric, "scores": scores, "cpu_seconds": round(seconds, 2),
        "strength": fitted.strength, "rows": fitted.trained_rows, "parameters": fitted.num_parameters,
        "machine": {"processor": machine.processor(), "threads": 1},
    }  # fmt: skip


def table(lines: list[dict[str, Any]], trained: list[dict[str, Any]]) -> str:
    """Return the scores of the baselines beside the mean of FastBert's. trained: lines of quality.jsonl."""
    rows = ["| data | metric | majority | TF-IDF, linear | FastBert | seconds, linear |", "|---|---|---|---|---|---|"]
    found = {(line["dataset"], line["kind"]): line for line in lines}
    for name in NAMES:
        if (name, "tfidf") not in found:
            continue
        linear, majority = found[name, "tfidf"], found.get((name, "majority"))
        for test, score in linear["scores"].items():
            own = [quality.score_of(line, test) for line in quality.select(trained, name, "fastbert")]
            cells = (
                None if majority is None else majority["scores"][test],
                score,
                statistics.mean(own) if own else None,
            )
            shown = " | ".join("-" if cell is None else f"{cell:.3f}" for cell in cells)
            title = quality.title(name, test)
            rows.append(f"| {title} | {linear['metric']} | {shown} | {linear['cpu_seconds']:.1f} |")
    return "\n".join(rows)


def main() -> int:
    """Run what is missing, or print the table."""
    parser = argparse.ArgumentParser(description="Majority and linear baselines on the data sets of quality")
    parser.add_argument("action", choices=("run", "table"))
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    parser.add_argument("--data", nargs="+", choices=NAMES, default=NAMES)
    chosen = parser.parse_args()
    lines = quality.read_results(chosen.out)
    if chosen.action == "table":
        print(table(lines, quality.read_results(quality.RESULTS)))
        return 0
    done = {(line["dataset"], line["kind"]) for line in lines}
    for name in chosen.data:
        for kind in KINDS:
            if (name, kind) not in done:
                line = measure(name, kind)
                with chosen.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
