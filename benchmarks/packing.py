"""Training steps on packed and on padded batches, in turn: from which share of padding on does packing pay?

Batches as FastBert makes them, sorted by length, hold little padding; the same rows in random order hold much.
One model takes each step both ways, and the ratio is taken step by step.

    python benchmarks/packing.py [--data cola imdb] [--steps 12]
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as the command line sets it
# A script sees its own folder only, where `datasets` would hide the library of that name.
sys.path.sort(key=lambda entry: entry == str(Path(__file__).resolve().parent))  # that folder last
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks import machine
from benchmarks.training import BATCH, WORK, FastBert, read
from fastbert.data.batches import split_by_cost, training_steps
from fastbert.models.packing import packing
from fastbert.training.shortcuts import shortcuts
from fastbert.training.step import Part, Stepper

RESULTS = Path(__file__).resolve().parent / "results" / "packing.jsonl"
POOLS = {"sorted": 0, "random": 1, "sorted in fours": 4}  # batches whose rows are sorted together; 0: as FastBert does


def steps_of(ours: FastBert, pool: int, count: int) -> list[list[Any]]:
    """Return so many steps, as rows; pool 0 as FastBert makes them."""
    encoded, config = ours.learner.data.encoded("train"), ours.learner.config
    if pool == 0:
        options = {"batch_size": BATCH, "batch_tokens": config.batch_tokens, "seed": 0, "epoch": 0}
        return list(training_steps(encoded.costs, **options)[:count])
    order, size = np.random.default_rng(0).permutation(len(encoded)), pool * BATCH
    pools = [order[start : start + size] for start in range(0, len(order), size)]
    by_length = [rows[np.argsort(-encoded.costs.longest_N[rows], kind="stable")] for rows in pools]
    batches = [rows[start : start + BATCH] for rows in by_length for start in range(0, len(rows), BATCH)]
    return [split_by_cost(rows, encoded.costs, config.batch_tokens) for rows in batches[:count]]


def measure(name: str, pool_name: str, count: int) -> dict[str, Any]:
    """Return seconds of each step, padded and packed, and the share of padding."""
    ours = FastBert(read(WORK[name].data), WORK[name])
    learner = ours.learner
    encoded, config = learner.data.encoded("train"), learner.plan(estimate=False).config
    stepper = learner.stepper(config)
    padded_s, packed_s, tokens, padded = [], [], 0, 0
    with shortcuts(learner.model, learner.data, config, learner.runtime):
        for number, rows in enumerate(steps_of(ours, POOLS[pool_name], count + 1)):
            parts = stepper.prepare([encoded.windows_of(part) for part in rows], np.random.default_rng(number))
            first, second = _timed(stepper, parts), _timed_packed(stepper, parts)
            if number == 0:  # makes its plans
                continue
            padded_s.append(first)
            packed_s.append(second)
            tokens += sum(sum(part.lengths) for part in parts)
            padded += sum(part.padded_tokens for part in parts)
    return {
        "work": name,
        "batches": pool_name,
        "padding_share": round(1 - tokens / padded, 4),
        "padded_seconds": [round(one, 4) for one in padded_s],
        "packed_seconds": [round(one, 4) for one in packed_s],
        "machine": machine.describe(learner.runtime.precision),
    }


def _timed(stepper: Stepper, parts: list[Part]) -> float:
    start = time.perf_counter()
    stepper.step(parts)
    return time.perf_counter() - start


def _timed_packed(stepper: Stepper, parts: list[Part]) -> float:
    with packing(stepper.model) as packs:
        if not packs:
            raise SystemExit("this encoder cannot be packed")
        return _timed(stepper, parts)


def table(lines: list[dict[str, Any]]) -> str:
    """Return how many times faster packed steps are, as Markdown."""
    rows = ["| rows | batches | padding | packed is faster by (quartiles) |", "|---|---|---|---|"]
    for line in lines:
        ratios = [one / other for one, other in zip(line["padded_seconds"], line["packed_seconds"], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        share = f"{line['padding_share']:.1%}"
        rows.append(f"| {line['work']} | {line['batches']} | {share} | {middle:.2f} ({low:.2f} to {high:.2f}) |")
    return "\n".join(rows)


def main() -> None:
    """Measure, append to the results and print."""
    parser = argparse.ArgumentParser(description="Packed against padded training steps")
    parser.add_argument("--data", nargs="+", default=["cola", "goemotions", "imdb"])
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    chosen = parser.parse_args()
    lines = []
    for name in chosen.data:
        for pool_name in POOLS:
            lines.append(measure(name, pool_name, chosen.steps if name != "imdb" else min(chosen.steps, 6)))
            with chosen.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(lines[-1]) + "\n")
    print(table(lines))


if __name__ == "__main__":
    main()
