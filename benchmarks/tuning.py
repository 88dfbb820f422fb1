"""`fastbert tune` for 20 minutes on two cores against the defaults: validation and test scores, and the budget.

The search gets the training rows alone; the test rows are scored once for its winner, and once for the defaults,
whose model is that of the first trial. One measurement runs at a time, for a budget of time is one of the whole
machine. What is in the results file is not run again.

    python benchmarks/tuning.py run                # 20 minutes for each data set and seed
    python benchmarks/tuning.py table
    python benchmarks/tuning.py rules              # which rule chooses between winner and defaults, simulated
"""

import argparse
import itertools
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import NormalDist, mean
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import numpy.typing as npt

from benchmarks import datasets, machine, scoring
from benchmarks.datasets import Benchmark, Row

RESULTS = Path(__file__).resolve().parent / "results" / "tuning.jsonl"
DATA = ("cola", "trec6", "app_reviews")
SEEDS = (0, 1)
TIMEOUT = "20m"
Bools = npt.NDArray[np.bool_]


def measure(name: str, seed: int, timeout: str) -> dict[str, Any]:
    """Search on the training rows of a data set; return the scores of winner and defaults, and the time it took."""
    from fastbert import Predictor, fit, tune

    benchmark = datasets.load(name)
    with tempfile.TemporaryDirectory() as folder:
        paths = datasets.write_csvs(benchmark, Path(folder) / "data")
        started = time.perf_counter()
        found = tune(paths["train"], out=Path(folder) / "model", timeout=timeout, seed=seed)
        seconds = time.perf_counter() - started
        assert found.bundle is not None
        first = Path(folder) / "model-tune" / "kept" / str(found.choice.first.number)
        if not first.is_dir():  # of several splits no model is kept
            first = fit(paths["train"], out=Path(folder) / "first", seed=seed, progress=False).bundle.folder
        folders = {"tuned": found.bundle.folder, "defaults": first}
        scores = {
            which: {test: _evaluate(Predictor.load(path), benchmark, rows) for test, rows in benchmark.tests.items()}
            for which, path in folders.items()
        }
    told = found.to_json()
    return {
        "dataset": name,
        "seed": seed,
        "timeout": timeout,
        "metric": benchmark.metric,
        "monitor": found.monitor,
        "scores": scores,
        "valid": {"tuned": found.choice.winner.value, "defaults": found.choice.first.value},
        "best": found.choice.best.value,
        "seconds": round(seconds, 1),
        "trials": len(found.records),
        "ended_early": sum(record.state == "pruned" for record in found.records),
        **{key: told[key] for key in ("winner", "changed", "verdict", "importances")},
        "machine": machine.describe(""),
        "versions": {"python": platform.python_version(), **{one: version(one) for one in ("torch", "optuna")}},
    }


def _evaluate(model: Any, benchmark: Benchmark, rows: list[Row]) -> dict[str, float]:  # noqa: ANN401
    answers = model([text if pair is None else (text, pair) for text, pair, _ in rows])
    probabilities_NC = np.array([[answer.scores[label] for label in benchmark.labels] for answer in answers])
    return scoring.score(benchmark, rows, [answer.labels for answer in answers], probabilities_NC)


def table(lines: list[dict[str, Any]]) -> str:
    """Return a Markdown table: scores of winner and defaults, mean over seeds, trials and time."""
    rows = [
        "| data | metric | test, defaults | test, tuned | valid, defaults | valid, tuned | trials | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(line["dataset"] for line in lines):
        group = [line for line in lines if line["dataset"] == name]
        for test in group[0]["scores"]["tuned"]:
            cells = [
                _mean([line["scores"][which][test][line["metric"]] for line in group])
                for which in ("defaults", "tuned")
            ]
            cells += [_mean([line["valid"][which] for line in group]) for which in ("defaults", "tuned")]
            trials = "/".join(str(line["trials"]) for line in group)
            slowest = max(line["seconds"] for line in group)
            title = name if test == "test" else f"{name}, {test.replace('_', ' ')}"
            rows.append(f"| {title} | {group[0]['metric']} | {' | '.join(cells)} | {trials} | {slowest:.0f} |")
    kept = sum(line["winner"] == 0 for line in lines)
    return "\n".join([*rows, "", f"{kept} of {len(lines)} searches kept the defaults."])


def _mean(values: list[float]) -> str:
    return f"{mean(values):.3f}"


# -- which rule chooses -----------------------------------------------------------------------------------------------

RULES: dict[str, Callable[[float, float, float], bool]] = {  # gain, its standard error, expected gain
    "the best": lambda gain, error, expected: gain > 0,
    "gain > 1 error": lambda gain, error, expected: gain > error,
    "gain > 2 errors": lambda gain, error, expected: gain > 2 * error,
    "expected gain > 0": lambda gain, error, expected: gain > 0 and expected > 0,
}


def simulate(num_rows: int, shift: float, spread: float, repeats: int = 400) -> dict[str, tuple[float, float]]:
    """Return for each rule the true gain in points of what it chooses, and how often that is worse than the defaults.

    15 trials; the defaults are right on 85 % of all rows, the others on so many more (shift, mean; spread, standard
    deviation), and 0.8 is the correlation between the rows that two trials find difficult.
    """
    rng = np.random.default_rng(0)
    gains: dict[str, list[float]] = {rule: [] for rule in RULES}
    for _ in range(repeats):
        accuracy_T = np.clip(0.85 + np.r_[0.0, rng.normal(shift, spread, 14)], 0.5, 0.99)
        limits_T = np.array([NormalDist().inv_cdf(float(value)) for value in accuracy_T])
        hard_N, own_TN = rng.standard_normal(num_rows), rng.standard_normal((15, num_rows))
        right_TN = np.sqrt(0.8) * hard_N + np.sqrt(0.2) * own_TN < limits_T[:, None]
        best = int(right_TN.mean(1).argmax())
        found = (*_paired(right_TN[best], right_TN[0]), _expected(right_TN, rng))
        for rule, pays in RULES.items():
            gains[rule].append(100 * float(accuracy_T[best] - accuracy_T[0]) if pays(*found) else 0.0)
    return {rule: (mean(values), mean(value < 0 for value in values)) for rule, values in gains.items()}


def _paired(best_N: Bools, first_N: Bools) -> tuple[float, float]:
    difference_N = best_N.astype(float) - first_N
    return float(difference_N.mean()), float(difference_N.std() / np.sqrt(len(difference_N)))


def _expected(right_TN: Bools, rng: np.random.Generator) -> float:
    """Return the gain of choosing inside draws of the rows and scoring outside, as `fastbert.tuning.evidence` does."""
    num_rows = right_TN.shape[1]
    counts_DN = np.stack([np.bincount(rng.integers(0, num_rows, num_rows), minlength=num_rows) for _ in range(50)])
    outside_DN = counts_DN == 0
    inside_TD = right_TN @ counts_DN.T / num_rows
    unseen_TD = right_TN.astype(float) @ outside_DN.T / outside_DN.sum(1)
    chosen_D = inside_TD.argmax(0)
    return float((unseen_TD[chosen_D, np.arange(50)] - unseen_TD[0]).mean())


def rules_table() -> str:
    """Return a Markdown table of what each rule gains, in points of accuracy, and how often it ships a worse model."""
    rows = ["| validation rows | other trials | " + " | ".join(RULES) + " |", "|---|---|" + "---|" * len(RULES)]
    worlds = ((-0.01, 0.015), (-0.03, 0.02), (-0.01, 0.005), (0.0, 0.02))
    for num_rows, (shift, spread) in itertools.product((100, 200, 500, 1000), worlds):
        found = simulate(num_rows, shift, spread)
        cells = [f"{gain:+.2f} ({worse:.0%} worse)" for gain, worse in found.values()]
        rows.append(f"| {num_rows} | {100 * shift:+g} ± {100 * spread:g} points | {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    """Run what is missing, or print a table."""
    parser = argparse.ArgumentParser(description="fastbert tune against the defaults")
    parser.add_argument("action", choices=("run", "table", "rules"))
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    parser.add_argument("--data", nargs="+", choices=DATA, default=DATA)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--timeout", default=TIMEOUT)
    chosen = parser.parse_args()
    lines = [json.loads(line) for line in chosen.out.read_text().splitlines()] if chosen.out.exists() else []
    if chosen.action == "rules":
        print(rules_table())
        return
    if chosen.action == "table":
        print(table(lines) if lines else f"{chosen.out} has no measurements yet; make some with `run`.")
        return
    done = {(line["dataset"], line["seed"], line["timeout"]) for line in lines}
    for seed, name in itertools.product(chosen.seeds, chosen.data):
        if (name, seed, chosen.timeout) not in done:
            line = measure(name, seed, chosen.timeout)
            with chosen.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
