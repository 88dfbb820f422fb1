"""FastBert with no options at all: a CSV with the training rows in, answers for the test rows out.

The validation share, the rate, the epochs and the threshold are its own defaults, taken from the training
rows alone; the test rows are read only to be scored.

    python benchmarks/own.py --data cola --seed 0 --out results.jsonl [--set epochs=3]
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks import datasets, machine, scoring
from benchmarks.datasets import Benchmark, Row
from fastbert import Predictor, api
from fastbert.config import parse_assignment, split_options
from fastbert.training.callbacks import Callback
from fastbert.training.state import RunState

SYSTEM = "fastbert"


class CpuClock(Callback):
    """Processor seconds between the start and the end of training, evaluation included."""

    def on_start(self, state: RunState) -> None:
        """Start both clocks."""
        self.started, self.cpu_started = time.perf_counter(), time.process_time()

    def on_evaluate(self, state: RunState) -> None:
        """Tell how far it is."""
        print(f"  epoch {state.epoch:.2f} {state.monitor} {state.scores.get(state.monitor, 0):.4f}", file=sys.stderr)

    def on_finish(self, state: RunState) -> None:
        """Stop both clocks."""
        self.seconds, self.cpu_seconds = time.perf_counter() - self.started, time.process_time() - self.cpu_started


def run(benchmark: Benchmark, *, seed: int, options: dict[str, object]) -> dict[str, Any]:
    """Train on the benchmark's training rows; return the scores of each test set and what the training cost."""
    clock = CpuClock()
    with tempfile.TemporaryDirectory() as folder:
        paths = datasets.write_csvs(benchmark, Path(folder) / "data")
        data, config = split_options({**options, "seed": seed})
        result = api.train(
            api.Tables(paths["train"]), Path(folder) / "model", data=data, config=config, callbacks=[clock]
        )
        model = Predictor.load(result.bundle.folder)
        scores = {name: _evaluate(model, benchmark, rows) for name, rows in benchmark.tests.items()}
    state = result.learner.last_run
    return {
        "scores": scores,
        "cpu_seconds": round(clock.cpu_seconds, 1),
        "seconds": round(clock.seconds, 1),
        "train_rows": len(benchmark.train),
        "steps": state.step,
        "best_step": state.best_step,
        "kept_steps": list(state.kept_steps),
        "epochs": state.epoch,
        "lr": result.plan.config.lr,
        "batch": result.plan.config.batch_size,
        "config": result.plan.config.to_json(),  # lines of two recipes must not be averaged
        "threshold": result.bundle.decisions.threshold,
        "machine": machine.describe(result.learner.runtime.precision),
    }


def _evaluate(model: Predictor, benchmark: Benchmark, rows: list[Row]) -> dict[str, float]:
    answers = model([text if pair is None else (text, pair) for text, pair, _ in rows])
    if not benchmark.labels:
        return scoring.score_values(rows, np.array([float(answer.cells[0]) for answer in answers]))
    probabilities_NC = np.array([[answer.scores[label] for label in benchmark.labels] for answer in answers])
    return scoring.score(benchmark, rows, [answer.labels for answer in answers], probabilities_NC)


def main() -> None:
    """Measure one combination and append one JSON line to the results."""
    parser = argparse.ArgumentParser(description="FastBert with its defaults on one data set")
    parser.add_argument("--data", required=True, choices=datasets.NAMES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], help="option as key=value, for experiments")
    parser.add_argument("--held-out", action="store_true", help="score training rows held out, to choose by")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines file to append to")
    chosen = parser.parse_args()
    options: dict[str, object] = dict(parse_assignment(text) for text in chosen.set)
    benchmark = datasets.held_out(chosen.data) if chosen.held_out else datasets.load(chosen.data)
    measured = run(benchmark, seed=chosen.seed, options=options)
    line = {
        "dataset": chosen.data,
        "system": SYSTEM,
        "seed": chosen.seed,
        "options": options,
        "metric": benchmark.metric,
        **measured,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "transformers")},
        },
    }
    with chosen.out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
