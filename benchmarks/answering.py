"""FastBert with no options against the Hugging Face Trainer's question-answering recipe: official F1, and speed.

Same encoder (minilm), same training and test questions of SQuAD 1.1 and 2.0, the batch and the rate that FastBert
chooses by itself for both, and the same epochs: 3 of SQuAD 1.1, 2 of the larger 2.0, for the time it takes (FastBert
alone takes 3, the recipe's documentation 2). FastBert holds a tenth of the training questions out, by article, to
choose weights and the margin of no answer by; the Trainer trains on all. The recipe pads each window to 384 tokens;
padded to the longest of its batch, which it can do as well, it takes less than half the time for the same scores:
those of all questions are measured so, and the speed of both on a part. A quarter of the Trainer's time then goes to
memory that glibc gives back to the system at each step and asks for again; for the scores of all questions it is told
to keep it, which FastBert does by itself, for the speeds it is not. Each measurement is a process of its own, one
thread, systems alternate; what is in the results file is not run again.

    python benchmarks/answering.py run --processes 2
    python benchmarks/answering.py run --rows 200 --seeds 0 1 2 --systems fastbert hf_trainer hf_trainer_by_batch
    python benchmarks/answering.py table
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import machine, questions
from benchmarks.quality import ENVIRONMENT, read_results
from benchmarks.questions import QuestionBenchmark
from fastbert import Predictor, api
from fastbert.config import parse_assignment, split_options
from fastbert.tasks.answer_prediction import answered

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "answering.jsonl"
# Batch and rate that FastBert chooses for all the questions.
PEER = ["--batch-size", "16", "--lr", "7.1e-5"]
BY_BATCH = "hf_trainer_by_batch"
SYSTEMS = {
    "fastbert": ["answering.py", "one"],
    "hf_trainer": ["peers/answering.py", *PEER],
    BY_BATCH: ["peers/answering.py", *PEER, "--pad", "batch"],
}
EPOCHS = {"squad1": 3, "squad2": 2}
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1), "MALLOC_TOP_PAD_": str(2**26)}
SCORES = ("f1", "exact_match")
Combination = tuple[int, str, str]  # seed, data set, system


def run_own(benchmark: QuestionBenchmark, *, seed: int, options: dict[str, object]) -> dict[str, Any]:
    """Train FastBert on the training file; return the scores of the test questions and what training cost."""
    data, config = split_options({**options, "seed": seed})
    with tempfile.TemporaryDirectory() as folder:
        train = questions.write(benchmark.train, Path(folder) / "train.json")
        started = time.process_time()
        result = api.train(api.Tables(train), Path(folder) / "model", data=data, config=config)
        cpu_seconds = time.process_time() - started
        model = Predictor.load(result.bundle.folder)
        asked = questions.questions(benchmark.test)
        said = [answered(answer).answer for answer in model([(one.text, one.context) for one in asked])]
    state = result.learner.last_run
    return {
        "scores": questions.scores(asked, said),
        "cpu_seconds": round(cpu_seconds, 1),  # with tokens, evaluations and saving
        "seconds": round(state.seconds, 1),
        "train_rows": len(result.learner.data.examples("train")),
        "windows": len(result.learner.data.encoded("train").features),
        "examples_per_second": round(state.examples_per_second, 2),
        "steps": state.step,
        "epochs": state.epoch,
        "batch": result.plan.config.batch_size,
        "lr": result.plan.config.lr,
        "no_answer_margin": result.bundle.decisions.no_answer_margin,
    }


def measure(combination: Combination, out: Path, rows: int | None) -> bool:
    """Measure one combination in a process; return whether it succeeded."""
    seed, name, system = combination
    script, *options = SYSTEMS[system]
    command = [sys.executable, str(HERE / script), *options, "--data", name, "--seed", str(seed), "--out", str(out)]
    command += ["--set", f"epochs={EPOCHS[name]}"] if system == "fastbert" else ["--epochs", str(EPOCHS[name])]
    command += [] if rows is None else ["--rows", str(rows)]
    environment = os.environ | ENVIRONMENT | (KEEP_MEMORY if rows is None and system != "fastbert" else {})
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    verdict = "done" if done.returncode == 0 else f"FAILED\n{done.stderr[-2000:]}"
    print(f"{time.strftime('%H:%M:%S')} {name} seed {seed} {system}: {verdict}", flush=True)
    return done.returncode == 0


def table(lines: list[dict[str, Any]]) -> str:
    """Return mean and spread over seeds of each system's scores and its training examples a second, as Markdown."""
    rows = ["| data | score | " + " | ".join(SYSTEMS) + " |", "|---|---|" + "---|" * len(SYSTEMS)]
    found = dict.fromkeys((line["dataset"], line["rows"]) for line in lines)
    for name, part in sorted(found, key=lambda pair: (pair[0], pair[1] or 0)):
        title = name if part is None else f"{name}, {part} questions"
        of_systems = [
            [line for line in lines if (line["dataset"], line["rows"], line["system"]) == (name, part, system)]
            for system in SYSTEMS
        ]
        for score in SCORES:
            cells = [_cell([line["scores"][score] for line in group], ".3f") for group in of_systems]
            rows.append(f"| {title} | {score} | " + " | ".join(cells) + " |")
        if part is not None:  # the runs of all questions had other work beside them, and memory set differently
            cells = [_cell([line["examples_per_second"] for line in group], ".1f") for group in of_systems]
            rows.append(f"| {title} | training examples/s | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _cell(values: list[float], form: str) -> str:
    if not values:
        return "-"
    spread = f" ± {statistics.stdev(values):{form}}" if len(values) > 1 else ""
    return f"{statistics.mean(values):{form}}{spread} ({len(values)})"


def main() -> int:
    """Run what is missing, measure FastBert once, or print the table; return 1 if a measurement failed."""
    parser = argparse.ArgumentParser(description="Answering by FastBert and by the Trainer")
    parser.add_argument("action", choices=("run", "one", "table"))
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    parser.add_argument("--data", nargs="+", choices=questions.NAMES, default=questions.NAMES)
    parser.add_argument("--rows", type=int, help="questions of either file, evenly spread, to try it out")
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1))
    parser.add_argument("--seed", type=int, default=0, help="of one")
    parser.add_argument("--set", action="append", default=[], help="of one: option as key=value, for experiments")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=("fastbert", BY_BATCH))
    parser.add_argument("--processes", type=int, default=2, help="at a time, one thread each")
    chosen = parser.parse_args()
    if chosen.action == "table":
        lines = read_results(chosen.out)
        print(table(lines) if lines else f"{chosen.out} has no measurements yet; make some with `run`.")
        return 0
    if chosen.action == "one":
        options: dict[str, object] = dict(parse_assignment(text) for text in chosen.set)
        measured = run_own(questions.load(chosen.data[0], chosen.rows), seed=chosen.seed, options=options)
        line = {"dataset": chosen.data[0], "rows": chosen.rows, "system": "fastbert", "seed": chosen.seed}
        line |= {"options": options, **measured, "machine": machine.describe("auto")}
        with chosen.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return 0
    done = {(line["seed"], line["dataset"], line["system"], line["rows"]) for line in read_results(chosen.out)}
    wanted = [
        item
        for item in itertools.product(chosen.seeds, chosen.data, chosen.systems)
        if (*item, chosen.rows) not in done
    ]
    print(f"{len(wanted)} measurements to do", flush=True)
    with ThreadPoolExecutor(chosen.processes) as pool:
        succeeded = list(pool.map(lambda item: measure(item, chosen.out, chosen.rows), wanted))
    return 0 if all(succeeded) else 1


if __name__ == "__main__":
    sys.exit(main())
