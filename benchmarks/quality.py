"""FastBert with no options against the Hugging Face Trainer with its script's defaults: scores, not speed.

Same encoder (minilm), same training and test rows, same scoring code, three seeds; the Trainer with batches
of 32 and of 8. Each measurement is a process of its own; what is in the results file is not run again, so
the work can be stopped and continued. Systems alternate within a data set and a seed.

    python benchmarks/quality.py run --processes 2
    python benchmarks/quality.py table
"""

import argparse
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.datasets import NAMES

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "quality.jsonl"
SEEDS = (0, 1, 2)
# system -> script and its options; "hf_trainer, batch 8" is the stronger of the two on small data
SYSTEMS = {
    "fastbert": ("own.py", []),
    "hf_trainer, batch 32": ("peers/trainer.py", ["--batch-size", "32"]),
    "hf_trainer, batch 8": ("peers/trainer.py", ["--batch-size", "8"]),
}
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
    "GOMP_SPINCOUNT": "0",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
Combination = tuple[int, str, str]  # seed, data set, system


def read_results(path: Path) -> list[dict[str, Any]]:
    """Return all measurements in a results file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def system_of(line: dict[str, Any]) -> str:
    """Return the row of SYSTEMS that a measurement belongs to."""
    return "fastbert" if line["system"] == "fastbert" else f"{line['system']}, batch {line['batch']}"


def measure(combination: Combination, out: Path) -> bool:
    """Measure one combination; return whether it succeeded."""
    seed, name, system = combination
    script, options = SYSTEMS[system]
    command = [sys.executable, str(HERE / script), "--data", name, "--seed", str(seed), "--out", str(out), *options]
    started = time.perf_counter()
    done = subprocess.run(command, env=os.environ | ENVIRONMENT, check=False, capture_output=True, text=True)
    verdict = "done" if done.returncode == 0 else f"FAILED\n{done.stderr[-2000:]}"
    print(f"{time.strftime('%H:%M:%S')} {name} seed {seed} {system}: {time.perf_counter() - started:.0f} s {verdict}")
    return done.returncode == 0


def table(lines: list[dict[str, Any]]) -> str:
    """Return the scores, the differences and the verdict as Markdown."""
    return "\n\n".join([scores_table(lines), differences_table(lines), verdict(differences(lines))])


def scores_table(lines: list[dict[str, Any]]) -> str:
    """Return mean and standard deviation over seeds, and processor seconds of training.

    Seconds are those of the processor on which most lines were measured; of other machines they say nothing.
    """
    rows = ["| data | metric | " + " | ".join(SYSTEMS) + " | seconds |", "|---|---|" + "---|" * (len(SYSTEMS) + 1)]
    processor = statistics.mode(line["machine"]["processor"] for line in lines)
    for name, test in tests_of(lines):
        measured = [select(lines, name, system) for system in SYSTEMS]
        cells = [_cell([score_of(line, test) for line in group]) for group in measured]
        seconds = " / ".join(_seconds(group, processor) for group in measured)
        metric = next(line["metric"] for line in lines if line["dataset"] == name)
        rows.append(f"| {title(name, test)} | {metric} | " + " | ".join(cells) + f" | {seconds} |")
    return "\n".join([*rows, "", f"Seconds: {processor}, one thread. Scores: {_machines(lines)}."])


@dataclass(frozen=True)
class Difference:
    """FastBert's mean minus that of one peer, on one test set. noise: standard deviation over seeds, pooled."""

    name: str
    test: str
    peer: str
    value: float
    noise: float


def differences(lines: list[dict[str, Any]]) -> list[Difference]:
    """Return the difference to every peer where both sides have at least two seeds."""
    found = []
    for (name, test), peer in itertools.product(tests_of(lines), list(SYSTEMS)[1:]):
        ours, theirs = ([score_of(line, test) for line in select(lines, name, system)] for system in ("fastbert", peer))
        if min(len(ours), len(theirs)) > 1:
            noise = math.sqrt((statistics.variance(ours) + statistics.variance(theirs)) / 2)
            found.append(Difference(name, test, peer, statistics.mean(ours) - statistics.mean(theirs), noise))
    return found


def differences_table(lines: list[dict[str, Any]]) -> str:
    """Return a Markdown table of FastBert minus each peer with the noise of the seeds."""
    found, peers = differences(lines), list(SYSTEMS)[1:]
    rows = ["| FastBert minus | " + " | ".join(peers) + " |", "|---|" + "---|" * len(peers)]
    for name, test in tests_of(lines):
        cells = {d.peer: f"{d.value:+.3f} (noise {d.noise:.3f})" for d in found if (d.name, d.test) == (name, test)}
        rows.append(f"| {title(name, test)} | " + " | ".join(cells.get(peer, "-") for peer in peers) + " |")
    return "\n".join(rows)


def verdict(found: list[Difference]) -> str:
    """Return one line a peer: the mean over data sets, and where FastBert is behind by more than the noise."""
    lines = []
    for peer in dict.fromkeys(difference.peer for difference in found):
        theirs = [difference for difference in found if difference.peer == peer]
        by_data = [[d.value for d in theirs if d.name == name] for name in dict.fromkeys(d.name for d in theirs)]
        mean = statistics.mean(statistics.mean(values) for values in by_data)
        behind = [title(d.name, d.test) for d in theirs if d.value < -d.noise]
        lines.append(
            f"{peer}: mean difference {mean:+.3f} over {len(by_data)} data sets; "
            f"behind by more than the noise on {', '.join(behind) or 'none'}."
        )
    return "\n".join(lines)


def tests_of(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return (data set, test set) of all measurements, in the order of the data sets."""
    found = dict.fromkeys((line["dataset"], test) for line in lines for test in line["scores"])
    return sorted(found, key=lambda pair: NAMES.index(pair[0]))


def select(lines: list[dict[str, Any]], name: str, system: str) -> list[dict[str, Any]]:
    """Return the measurements of one system on one data set."""
    return [line for line in lines if line["dataset"] == name and system_of(line) == system]


def score_of(line: dict[str, Any], test: str) -> float:
    """Return the score that decides."""
    return float(line["scores"][test][line["metric"]])


def title(name: str, test: str) -> str:
    """Return what a test set is called in a table."""
    return name if test == "test" else f"{name}, {test.replace('_', ' ')}"


def _cell(values: list[float]) -> str:
    if not values:
        return "-"
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread} ({len(values)})"


def _seconds(lines: list[dict[str, Any]], processor: str) -> str:
    values = [line["cpu_seconds"] for line in lines if line["machine"]["processor"] == processor]
    return f"{statistics.mean(values):.0f}" if values else "-"


def _machines(lines: list[dict[str, Any]]) -> str:
    """Return how many lines of each system come from which processor and precision: they must not be mixed unseen."""
    counts = Counter((system_of(line), line["machine"]["processor"], line["machine"]["precision"]) for line in lines)
    return "; ".join(
        f"{system}: {count} x {processor} {precision}"
        for (system, processor, precision), count in sorted(counts.items())
    )


def main() -> int:
    """Run what is missing, or print the table; return 1 if a measurement failed."""
    parser = argparse.ArgumentParser(description="Quality of FastBert and of the Trainer, both by default")
    parser.add_argument("action", choices=("run", "table"))
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    parser.add_argument("--data", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--processes", type=int, default=2, help="at a time, one thread each")
    chosen = parser.parse_args()
    if chosen.action == "table":
        lines = read_results(chosen.out)
        print(table(lines) if lines else f"{chosen.out} has no measurements yet; make some with `run`.")
        return 0
    done = {(line["seed"], line["dataset"], system_of(line)) for line in read_results(chosen.out)}
    wanted = [item for item in itertools.product(chosen.seeds, chosen.data, chosen.systems) if item not in done]
    print(f"{len(wanted)} measurements to do")
    with ThreadPoolExecutor(chosen.processes) as pool:
        succeeded = list(pool.map(lambda combination: measure(combination, chosen.out), wanted))
    return 0 if all(succeeded) else 1


if __name__ == "__main__":
    sys.exit(main())
