"""What each technique of training gains over the defaults on few rows, and what it costs in time.

1,000 training rows of CoLA, TREC-6, app reviews and SST-2, of which 100 are held out; scored on the test rows. Seeds
draw the rows, the split, the head and the order; arms with one seed share all of these. Gains are of pairs. What is
in the results file is not run again.

    python benchmarks/techniques.py run [--data cola] [--arms default mean] [--seeds 0 1 2]
    python benchmarks/techniques.py table
"""

import argparse
import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from benchmarks import datasets, machine
from benchmarks.quality import read_results
from fastbert.data.databunch import DataBunch
from fastbert.training.learner import Learner
from fastbert.training.step import Part, Stepper, StepResult

RESULTS = Path(__file__).resolve().parent / "results" / "techniques.jsonl"
DATA = ("trec6", "cola", "app_reviews", "sst2")
ROWS = 1_000
MOST_TEST_ROWS = 1_500
ARMS: dict[str, dict[str, object]] = {
    "default": {},
    "start=probe": {"start": "probe"},
    "pooling=cls": {"pooling": "cls"},
    "pooling=mean": {"pooling": "mean"},
    "pooling=attention": {"pooling": "attention"},
    "layer_decay=0.9": {"layer_decay": 0.9},
    "reinit_layers=1": {"reinit_layers": 1},
    "r_drop=1": {"r_drop": 1.0},
    "ema=0.99": {"ema": 0.99},
    "average=1": {"average": 1},
    "dropout=0.2": {"dropout": 0.2},
    "adversarial": {},
}
PERTURBATION = 0.001  # of each weight at most; a hundredth along the gradient, unbounded, left nothing learned


@dataclass(frozen=True)
class AdversarialStepper(Stepper):
    """Adversarial weight perturbation (Wu et al. 2020, arXiv 2004.05884): the gradient where the loss is higher.

    It lives here, for it has not earned its place in the library.
    """

    def step(self, parts: Sequence[Part]) -> StepResult:
        """Take the step by the gradient at weights that were moved against it."""
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        for part in parts:
            self.accumulate(part)
        moved = []
        with torch.no_grad():
            for weight in self.model.parameters():
                norm = None if weight.grad is None else weight.grad.norm()
                if norm is not None and weight.dim() > 1 and norm > 0:
                    most = PERTURBATION * weight.abs()
                    move = (weight.grad * (weight.norm() / norm)).clamp(-most, most)
                    weight.add_(move)
                    moved.append((weight, move))
        self.optimizer.zero_grad(set_to_none=True)
        sums = [self.accumulate(part) for part in parts]
        with torch.no_grad():
            for weight, move in moved:
                weight.sub_(move)
        count = sum(number for _, number in sums)
        tokens = sum(sum(part.lengths) for part in parts)
        loss = sum(float(total) for total, _ in sums) / count
        return StepResult(loss, self.update(count), sum(part.examples for part in parts), tokens, tokens)


def measure(name: str, arm: str, seed: int) -> dict[str, Any]:
    """Train with one technique; return the test scores and what it took."""
    benchmark = datasets.load(name)
    rng = np.random.default_rng(seed)
    drawn = [benchmark.train[index] for index in rng.permutation(len(benchmark.train))[:ROWS]]
    tests = [row for rows in benchmark.tests.values() for row in rows][:MOST_TEST_ROWS]
    train, test = ([{"text": text, "label": names[0]} for text, _, names in rows] for rows in (drawn, tests))
    data = DataBunch.from_files(train, test=test, text=("text",), labels=("label",), seed=seed)
    kind = AdversarialStepper if arm == "adversarial" else Stepper
    with mock.patch("fastbert.training.start.Stepper", kind):
        learner = Learner(data, encoder="minilm", seed=seed, **ARMS[arm])
        started = time.perf_counter()
        learner.fit()
        seconds = time.perf_counter() - started
    scores = learner.evaluate("test")
    return {
        "dataset": name,
        "arm": arm,
        "seed": seed,
        "scores": scores,
        "valid": learner.evaluate("valid"),
        "steps": learner.last_run.step,
        "seconds": round(seconds, 1),
        "machine": machine.describe(learner.runtime.precision),
    }


def table(lines: list[dict[str, Any]]) -> str:
    """Return the mean gain over the defaults with the same seeds, its standard error, and the time, as Markdown."""
    found = {(line["dataset"], line["arm"], line["seed"]): line for line in lines}
    rows = [f"| {' | '.join(('arm', *DATA, 'mean', 'time'))} |", "|---" * (len(DATA) + 3) + "|"]
    for arm in ARMS:
        cells, times, means = [], [], []
        for name in DATA:
            pairs = [
                (line, found[name, "default", seed])
                for (data, this, seed), line in found.items()
                if (data, this) == (name, arm) and (name, "default", seed) in found
            ]
            gains = [_score(one) - (0 if arm == "default" else _score(default)) for one, default in pairs]
            times += [one["seconds"] / default["seconds"] for one, default in pairs]
            means += [statistics.mean(gains)] if gains else []
            cells.append(_cell(gains, signed=arm != "default"))
        if times:
            mean = f"{statistics.mean(means):{'' if arm == 'default' else '+'}.3f}"
            rows.append(f"| {' | '.join((arm, *cells, mean, f'{statistics.median(times):.2f}'))} |")
    return "\n".join(rows)


def _score(line: dict[str, Any]) -> float:
    return float(line["scores"]["mcc" if line["dataset"] == "cola" else "f1_macro"])


def _cell(values: list[float], *, signed: bool) -> str:
    if not values:
        return "-"
    error = f" ± {statistics.stdev(values) / len(values) ** 0.5:.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):{'+' if signed else ''}.3f}{error} ({len(values)})"


def main() -> None:
    """Run what is asked for, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--data", nargs="+", default=DATA, choices=DATA)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.what == "run":
        for seed, name, arm in itertools.product(options.seeds, options.data, options.arms):
            done = {(line["dataset"], line["arm"], line["seed"]) for line in read_results(options.results)}
            if (name, arm, seed) not in done:
                line = measure(name, arm, seed)
                with options.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                print(name, arm, seed, line["scores"], line["seconds"], "s", flush=True)
    print(table(read_results(options.results)))


if __name__ == "__main__":
    main()
