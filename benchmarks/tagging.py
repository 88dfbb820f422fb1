"""FastBert with no options against the Trainer's token-classification recipe and Flair's: strict span F1 by seqeval.

Same encoder (minilm), same training and test sentences, same number of epochs (FastBert's default for the data), two
seeds or more; the Trainer with batches of 8, as its script, and of 16, as FastBert; Flair with its own 4, in an
environment of its own (`peers/flair_tagging.py`). FastBert holds a tenth of the training sentences out to choose
weights by; the peers train on all. Each measurement is a process of its own, one thread, systems alternate; what is in
the results file is not run again.

    python benchmarks/tagging.py run --processes 2
    python benchmarks/tagging.py run --systems flair --flair-python FLAIR_ENVIRONMENT/bin/python
    python benchmarks/tagging.py table
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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import machine, tagged
from benchmarks.quality import ENVIRONMENT, read_results
from benchmarks.tagged import Sentence, TaggedBenchmark
from fastbert import Predictor, api
from fastbert.config import parse_assignment, split_options
from fastbert.data.examples import TaggedExample
from fastbert.data.tag_schemes import entities_to_tags
from fastbert.tasks.entities_prediction import entities_in

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "tagging.jsonl"
EPOCHS = {"wnut17": 4, "snips": 6}  # FastBert's own choice for nine tenths of the training sentences
Combination = tuple[int, str, str]  # seed, data set, system
TRAINER, FLAIR = "peers/tagging.py", "peers/flair_tagging.py"
# Script and its own options.
SYSTEMS: dict[str, tuple[str, ...]] = {
    "fastbert": ("tagging.py", "one"),
    "hf_trainer, batch 8": (TRAINER, "--batch-size", "8"),
    "hf_trainer, batch 16": (TRAINER, "--batch-size", "16"),
    "flair": (FLAIR, "--batch-size", "4"),
}


def run_own(benchmark: TaggedBenchmark, *, seed: int, options: dict[str, object]) -> dict[str, Any]:
    """Train FastBert on the training file as it is; return the scores of the test sentences and what training cost."""
    data, config = split_options({**options, "seed": seed})
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        result = api.train(api.Tables(benchmark.source), Path(folder) / "model", data=data, config=config)
        model = Predictor.load(result.bundle.folder)
        tags = predicted_tags(model, benchmark.test)
    return {
        "scores": tagged.scores(benchmark.test, tags),
        "cpu_seconds": round(time.process_time() - started, 1),
        "seconds": round(result.learner.history.seconds, 1),
        "steps": result.learner.last_run.step,
        "epochs": result.learner.last_run.total_epochs,
        "batch": result.plan.config.batch_size,
        "lr": result.plan.config.lr,
    }


def predicted_tags(model: Predictor, sentences: Sequence[Sentence]) -> list[list[str]]:
    """Return the tag of each word by a model's answers to the sentences, whose words are parted by blanks."""
    examples = [as_example(words) for words, _ in sentences]
    found = model.predict_examples(examples)
    return [
        entities_to_tags(example.words or (), entities_in(answer))
        for example, answer in zip(examples, found, strict=True)
    ]


def as_example(words: Sequence[str]) -> TaggedExample:
    """Return words as one text with their characters."""
    ends = list(itertools.accumulate(len(word) + 1 for word in words))
    places = tuple((end - 1 - len(word), end - 1) for word, end in zip(words, ends, strict=True))
    return TaggedExample(" ".join(words), words=places)


def measure(combination: Combination, out: Path, flair_python: Path | None) -> bool:
    """Measure one combination in a process; return whether it succeeded. flair_python: of Flair's environment."""
    seed, name, system = combination
    script, *options = SYSTEMS[system]
    python = flair_python if script == FLAIR else sys.executable
    command = [str(python), str(HERE / script), *options, "--data", name, "--seed", str(seed), "--out", str(out)]
    if system != "fastbert":
        command += ["--epochs", str(EPOCHS[name])]
    done = subprocess.run(command, env=os.environ | ENVIRONMENT, check=False, capture_output=True, text=True)
    verdict = "done" if done.returncode == 0 else f"FAILED\n{done.stderr[-2000:]}"
    print(f"{time.strftime('%H:%M:%S')} {name} seed {seed} {system}: {verdict}", flush=True)
    return done.returncode == 0


def system_of(line: dict[str, Any]) -> str:
    """Return the row of SYSTEMS that a measurement belongs to."""
    return f"hf_trainer, batch {line['batch']}" if line["system"] == "hf_trainer" else str(line["system"])


def table(lines: list[dict[str, Any]]) -> str:
    """Return mean, spread and number of seeds of each system's F1, and what FastBert is ahead by, as Markdown."""
    rows = [f"| data | {' | '.join(SYSTEMS)} |", "|---|" + "---|" * len(SYSTEMS)]
    for name in tagged.NAMES:
        cells = []
        for system in SYSTEMS:
            values = [line["scores"]["f1"] for line in lines if (line["dataset"], system_of(line)) == (name, system)]
            spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
            cells.append(f"{statistics.mean(values):.3f}{spread} ({len(values)})" if values else "-")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> int:
    """Run what is missing, measure FastBert once, or print the table; return 1 if a measurement failed."""
    parser = argparse.ArgumentParser(description="Tagging by FastBert, the Trainer and Flair")
    parser.add_argument("action", choices=("run", "one", "table"))
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    parser.add_argument("--data", nargs="+", choices=tagged.NAMES, default=tagged.NAMES)
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1))
    parser.add_argument("--seed", type=int, default=0, help="of one")
    parser.add_argument("--set", action="append", default=[], help="of one: option as key=value, for experiments")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--flair-python", type=Path, help="of an environment that has Flair; else it is left out")
    parser.add_argument("--processes", type=int, default=2, help="at a time, one thread each")
    chosen = parser.parse_args()
    if chosen.action == "table":
        print(table(read_results(chosen.out)))
        return 0
    if chosen.action == "one":
        options: dict[str, object] = dict(parse_assignment(text) for text in chosen.set)
        measured = run_own(tagged.load(chosen.data[0]), seed=chosen.seed, options=options)
        line = {"dataset": chosen.data[0], "system": "fastbert", "seed": chosen.seed, "options": options, **measured}
        line["machine"] = machine.describe("auto")
        with chosen.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return 0
    done = {(line["seed"], line["dataset"], system_of(line)) for line in read_results(chosen.out)}
    flair = chosen.flair_python
    systems = [system for system in chosen.systems if flair or SYSTEMS[system][0] != FLAIR]
    if len(systems) < len(chosen.systems):
        print("flair is left out: name the interpreter of its environment with --flair-python", flush=True)
    wanted = [item for item in itertools.product(chosen.seeds, chosen.data, systems) if item not in done]
    print(f"{len(wanted)} measurements to do", flush=True)
    with ThreadPoolExecutor(chosen.processes) as pool:
        succeeded = list(pool.map(lambda item: measure(item, chosen.out, flair), wanted))
    return 0 if all(succeeded) else 1


if __name__ == "__main__":
    sys.exit(main())
