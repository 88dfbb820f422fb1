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
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
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
    """Return a Markdown table: mean and standard deviation over seeds, and processor seconds of training."""
    rows = ["| data | metric | " + " | ".join(SYSTEMS) + " | seconds |", "|---|---|" + "---|" * (len(SYSTEMS) + 1)]
    for name in NAMES:
        ours = [line for line in lines if line["dataset"] == name]
        tests = list(dict.fromkeys(test for line in ours for test in line["scores"]))
        for test in tests:
            cells = [_cell([line for line in ours if system_of(line) == system], test) for system in SYSTEMS]
            seconds = " / ".join(_seconds([line for line in ours if system_of(line) == system]) for system in SYSTEMS)
            title = name if test == "test" else f"{name}, {test.replace('_', ' ')}"
            rows.append(f"| {title} | {ours[0]['metric']} | " + " | ".join(cells) + f" | {seconds} |")
    return "\n".join(rows)


def _cell(lines: list[dict[str, Any]], test: str) -> str:
    values = [line["scores"][test][line["metric"]] for line in lines]
    if not values:
        return "-"
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread} ({len(values)})"


def _seconds(lines: list[dict[str, Any]]) -> str:
    return f"{statistics.mean(line['cpu_seconds'] for line in lines):.0f}" if lines else "-"


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
        print(table(read_results(chosen.out)))
        return 0
    done = {(line["seed"], line["dataset"], system_of(line)) for line in read_results(chosen.out)}
    wanted = [item for item in itertools.product(chosen.seeds, chosen.data, chosen.systems) if item not in done]
    print(f"{len(wanted)} measurements to do")
    with ThreadPoolExecutor(chosen.processes) as pool:
        succeeded = list(pool.map(lambda combination: measure(combination, chosen.out), wanted))
    return 0 if all(succeeded) else 1


if __name__ == "__main__":
    sys.exit(main())
