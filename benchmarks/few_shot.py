"""A few rows of each label: FastBert with no options, plain fine-tuning by it, and SetFit.

The same encoder (minilm), the same 8 to 64 rows a label of TREC-6 and of app reviews, drawn by the seed, all test
rows, the same scoring. SetFit trains with its defaults, or with 20 pairs of each kind for each row, in an environment
of its own (`peers/few_shot.py`). Systems take turns on the same rows and seed, each in a process of its own with one
thread. What is in the results file is not run again.

    python benchmarks/few_shot.py run [--setfit-python PYTHON] [--data trec6] [--rows 8 16] [--seeds 0 1 2]
    python benchmarks/few_shot.py table
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import datasets, machine, scoring
from benchmarks.quality import ENVIRONMENT, read_results
from fastbert import api
from fastbert.config import parse_assignment, split_options

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "few_shot.jsonl"
DATA, ROWS, SEEDS = ("trec6", "app_reviews"), (8, 16, 32, 64), (0, 1, 2)
SETFIT = "setfit"
SYSTEMS = {  # options of `one`, or of the peer's script
    "fastbert": [],
    SETFIT: [],
    "setfit, 20 pairs a row": ["--iterations", "20"],
    "fastbert, plain": ["--set", "start=plain"],
    "fastbert, pairs": ["--set", "start=contrastive"],
}


def measure(name: str, rows: int, seed: int, options: dict[str, object]) -> dict[str, Any]:
    """Train on so many rows a label; return the scores of the test rows and what training cost."""
    benchmark = datasets.few(name, rows, seed)
    table = [{"text": text, "label": names[0]} for text, _, names in benchmark.train]
    data_config, config = split_options({"text": ("text",), "labels": ("label",), "seed": seed, **options})
    started, cpu_started = time.perf_counter(), time.process_time()
    learner = api.prepare(api.Tables(table), data=data_config, config=config).fit()
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    test = benchmark.tests["test"]
    answers = learner.predict([text for text, _, _ in test])
    return {
        "scores": scoring.score(benchmark, test, [answer.labels for answer in answers]),
        "cpu_seconds": round(cpu_seconds, 1),
        "seconds": round(seconds, 1),
        "steps": learner.last_run.step,
        "config": learner.last_plan.config.to_json(),
        "machine": machine.describe(learner.runtime.precision),
    }


def run_one(system: str, name: str, rows: int, seed: int, *, out: Path, setfit: Path | None) -> bool:
    """Measure one combination in a process of its own; return whether it succeeded."""
    is_peer = system.startswith(SETFIT)
    which = ["--data", name, "--rows", str(rows), "--seed" if is_peer else "--seeds", str(seed), "--out", str(out)]
    which += ["--system", system, *SYSTEMS[system]]
    if is_peer:
        command = [str(setfit), str(HERE / "peers" / "few_shot.py"), *which]
    else:
        command = [sys.executable, __file__, "one", *which]
    done = subprocess.run(command, env=os.environ | ENVIRONMENT, check=False, capture_output=True, text=True)
    verdict = "done" if done.returncode == 0 else f"FAILED\n{done.stderr[-2000:]}"
    print(f"{time.strftime('%H:%M:%S')} {name} {rows} rows, seed {seed}, {system}: {verdict}", flush=True)
    return done.returncode == 0


def table(lines: list[dict[str, Any]]) -> str:
    """Return the mean of macro F1 and accuracy, its spread over seeds, and the processor seconds, as Markdown."""
    titles = [cell for system in SYSTEMS for cell in (system, "CPU s")]
    found = [f"| data | rows a label | {' | '.join(titles)} |", "|---" * (2 + len(titles)) + "|"]
    for name, rows in itertools.product(DATA, ROWS):
        cells = []
        for system in SYSTEMS:
            group = [line for line in lines if (line["dataset"], line["rows"], line["system"]) == (name, rows, system)]
            values = [(line["scores"]["accuracy"] + line["scores"]["f1_macro"]) / 2 for line in group]
            spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
            cells.append(f"{statistics.mean(values):.3f}{spread} ({len(values)})" if values else "-")
            cells.append(f"{statistics.mean(line['cpu_seconds'] for line in group):.0f}" if group else "-")
        found.append(f"| {name} | {rows} | {' | '.join(cells)} |")
    return "\n".join(found)


def main() -> int:
    """Run what is missing, measure FastBert once, or print the table; return 1 if a measurement failed."""
    parser = argparse.ArgumentParser(description="A few rows of each label: FastBert and SetFit")
    parser.add_argument("action", choices=("run", "one", "table"))
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    parser.add_argument("--data", nargs="+", choices=DATA, default=DATA)
    parser.add_argument("--rows", nargs="+", type=int, default=ROWS, help="of each label")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--system", default="fastbert", help="of one: what its line is called")
    parser.add_argument("--set", action="append", default=[], help="of one: option as key=value")
    parser.add_argument("--setfit-python", type=Path, help="of an environment that has SetFit; else it is left out")
    chosen = parser.parse_args()
    if chosen.action == "table":
        print(table(read_results(chosen.out)))
        return 0
    combinations = itertools.product(chosen.rows, chosen.seeds, chosen.data)
    if chosen.action == "one":
        options: dict[str, object] = dict(parse_assignment(text) for text in chosen.set)
        for rows, seed, name in combinations:
            line = {"dataset": name, "system": chosen.system, "rows": rows, "seed": seed}
            with chosen.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line | measure(name, rows, seed, options)) + "\n")
        return 0
    done = {(line["dataset"], line["rows"], line["seed"], line["system"]) for line in read_results(chosen.out)}
    succeeded = [
        run_one(system, name, rows, seed, out=chosen.out, setfit=chosen.setfit_python)
        for rows, seed, name in combinations
        for system in chosen.systems
        if (name, rows, seed, system) not in done
        if chosen.setfit_python is not None or not system.startswith(SETFIT)
    ]
    return 0 if all(succeeded) else 1


if __name__ == "__main__":
    sys.exit(main())
