"""The Hugging Face Trainer with the recipe of transformers' examples/pytorch/token-classification.

Learning rate 5e-5, linear decay without warm-up, fused AdamW without weight decay, clipping at 1.0, float32 weights;
the first piece of a word carries its tag, the others none; batches padded to their longest sentence; a tag for each
word by argmax. The script trains for 3 epochs with batches of 8; `--epochs` takes another number. Changed for speed
as in `trainer`: bfloat16 autocast where the processor has the instructions. Does not know FastBert.

    python benchmarks/peers/tagging.py --data wnut17 --batch-size 8 --seed 0 --out results.jsonl
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

import numpy as np
import torch
import transformers
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    PreTrainedTokenizerBase,
    Trainer,
)

from benchmarks import machine, tagged
from benchmarks.peers.trainer import minilm, training_arguments
from benchmarks.tagged import Sentence, TaggedBenchmark

IGNORED = -100
Feature = dict[str, Any]


def run(benchmark: TaggedBenchmark, *, batch_size: int, seed: int, epochs: float, lr: float) -> dict[str, Any]:
    """Train on the training sentences; return the scores of the test sentences and what training cost."""
    transformers.set_seed(seed)  # as the script: before the head is drawn
    encoder = minilm()
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = AutoModelForTokenClassification.from_pretrained(
        encoder, num_labels=len(benchmark.tags), dtype=torch.float32
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model,
            args=training_arguments(folder, batch_size=batch_size, seed=seed, epochs=epochs, lr=lr),
            train_dataset=encode(benchmark.train, benchmark.tags, tokenizer),
            data_collator=DataCollatorForTokenClassification(tokenizer),
            processing_class=tokenizer,
        )
        started, cpu_started = time.perf_counter(), time.process_time()
        output = trainer.train()
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        features = encode(benchmark.test, benchmark.tags, tokenizer)
        predicted = trainer.predict(features)  # type: ignore[arg-type]
    said_NL = np.asarray(predicted.predictions).argmax(axis=-1)
    tags = [decide(row, sentence, benchmark.tags, said_NL[index]) for index, (row, sentence) in enumerate(
        zip(features, benchmark.test, strict=True)
    )]  # fmt: skip
    return {
        "scores": tagged.scores(benchmark.test, tags),
        "cpu_seconds": round(cpu_seconds, 1),
        "seconds": round(seconds, 1),
        "steps": output.global_step,
        "epochs": epochs,
    }


def encode(sentences: list[Sentence], tags: tuple[str, ...], tokenizer: PreTrainedTokenizerBase) -> list[Feature]:
    """Return token ids and the tag id of each token, IGNORED for all but the first piece of a word."""
    tokens = tokenizer([list(words) for words, _ in sentences], is_split_into_words=True, truncation=True)
    ids = {tag: index for index, tag in enumerate(tags)}
    features = []
    for index, (_, given) in enumerate(sentences):
        words = tokens.word_ids(index)
        labels = [
            IGNORED if word is None or (place and words[place - 1] == word) else ids.get(given[word], 0)
            for place, word in enumerate(words)
        ]
        names = ("input_ids", "attention_mask")
        features.append({"labels": labels, "words": words, **{name: tokens[name][index] for name in names}})
    return features


def decide(feature: Feature, sentence: Sentence, tags: tuple[str, ...], said_L: np.ndarray) -> list[str]:
    """Return the tag of each word: what is said of its first piece, O for a word without any."""
    result = ["O"] * len(sentence[0])
    for place, word in enumerate(feature["words"]):
        if feature["labels"][place] != IGNORED:
            result[word] = tags[int(said_L[place])]
    return result


def main() -> None:
    """Measure one combination and append one JSON line to the results."""
    parser = argparse.ArgumentParser(description="Hugging Face Trainer with its token-classification recipe")
    parser.add_argument("--data", required=True, choices=tagged.NAMES)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--lr", type=float, default=5e-5)
    parser.add_argument("--out", type=Path, required=True, help="JSON lines file to append to")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    measured = run(
        tagged.load(options.data),
        batch_size=options.batch_size,
        seed=options.seed,
        epochs=options.epochs,
        lr=options.lr,
    )
    line = {
        "dataset": options.data,
        "system": "hf_trainer",
        "batch": options.batch_size,
        "seed": options.seed,
        "lr": options.lr,
        **measured,
        "machine": machine.describe("bf16" if machine.bf16_pays() else "fp32"),
    }
    with options.out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
