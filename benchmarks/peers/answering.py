"""The Hugging Face Trainer with the recipe of transformers' examples/pytorch/question-answering (run_qa.py).

384 tokens a window with 128 shared, all padded to 384 (`--pad batch`, the script's --pad_to_max_length False: to the
longest of the batch, which changes no score); targets at [CLS] where a window does not hold the answer; linear
decay without warm-up, fused AdamW without weight decay, clipping at 1, the last weights kept. An answer is the best of
20 starts and 20 ends, of at most 30 tokens; on SQuAD 2.0 there is none where [CLS] scores higher. The script's own
rate and batch are 5e-5 and 8 for 3 epochs; `--lr`, `--batch-size` and `--epochs` take others. Changed for speed as in
`trainer`: bfloat16 autocast where the processor has the instructions. Does not know FastBert.

    python benchmarks/peers/answering.py --data squad1 --batch-size 16 --lr 7.1e-5 --seed 0 --out results.jsonl
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
import numpy.typing as npt
import torch
import transformers
from transformers import (
    AutoModelForQuestionAnswering,
    AutoTokenizer,
    DataCollatorWithPadding,
    PreTrainedTokenizerBase,
    Trainer,
)

from benchmarks import machine, questions
from benchmarks.peers.trainer import minilm, training_arguments
from benchmarks.questions import Question, QuestionBenchmark

MAX_TOKENS, STRIDE = 384, 128  # max_seq_length, doc_stride
NUM_BEST, MAX_ANSWER_TOKENS = 20, 30
Feature = dict[str, Any]
Logits = npt.NDArray[np.floating]


def run(
    benchmark: QuestionBenchmark, *, batch_size: int, seed: int, epochs: float, lr: float, pad: str
) -> dict[str, Any]:
    """Train on the training questions; return the scores of the test questions and what training cost."""
    transformers.set_seed(seed)  # as the script: before the head is drawn
    encoder = minilm()
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = AutoModelForQuestionAnswering.from_pretrained(encoder, dtype=torch.float32)
    train, test = questions.questions(benchmark.train), questions.questions(benchmark.test)
    features = encode(train, tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model,
            args=training_arguments(folder, batch_size=batch_size, seed=seed, epochs=epochs, lr=lr),
            train_dataset=[_inputs(feature, ("start_positions", "end_positions")) for feature in features],
            data_collator=DataCollatorWithPadding(
                tokenizer, padding="max_length" if pad == "window" else True, max_length=MAX_TOKENS
            ),
        )
        started, cpu_started = time.perf_counter(), time.process_time()
        output = trainer.train()
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        asked = encode(test, tokenizer)
        predicted = trainer.predict([_inputs(feature, ()) for feature in asked])  # type: ignore[arg-type]
    start_WL, end_WL = (np.asarray(logits) for logits in predicted.predictions[:2])
    said = decide(test, asked, start_WL, end_WL, unanswerable=benchmark.unanswerable)
    return {
        "scores": questions.scores(test, said),
        "cpu_seconds": round(cpu_seconds, 1),
        "seconds": round(seconds, 1),
        "train_rows": len(train),
        "windows": len(features),
        "examples_per_second": round(len(train) * epochs / seconds, 2),
        "steps": output.global_step,
        "epochs": epochs,
    }


def encode(asked: list[Question], tokenizer: PreTrainedTokenizerBase) -> list[Feature]:
    """Return windows of 384 tokens with the tokens of the first answer, [CLS] where a window does not hold it."""
    tokens = tokenizer(
        [question.text.lstrip() for question in asked],
        [question.context for question in asked],
        truncation="only_second",
        max_length=MAX_TOKENS,
        stride=STRIDE,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    features = []
    for window, row in enumerate(tokens["overflow_to_sample_mapping"]):
        offsets = [
            offset if sequence == 1 else None
            for offset, sequence in zip(tokens["offset_mapping"][window], tokens.sequence_ids(window), strict=True)
        ]
        first, last = _answer_tokens(asked[row], offsets)
        inputs = {name: tokens[name][window] for name in tokenizer.model_input_names}
        features.append({**inputs, "row": row, "offsets": offsets, "start_positions": first, "end_positions": last})
    return features


def decide(
    asked: list[Question], features: list[Feature], start_WL: Logits, end_WL: Logits, *, unanswerable: bool
) -> list[str]:
    """Return the answer to each question, as postprocess_qa_predictions of the script chooses it."""
    best: list[tuple[float, str]] = [(-np.inf, "") for _ in asked]
    null = np.full(len(asked), np.inf)
    for window, feature in enumerate(features):
        row, offsets = feature["row"], feature["offsets"]
        start_L, end_L = (logits[window, : len(offsets)] for logits in (start_WL, end_WL))  # the rest is padding
        null[row] = min(null[row], start_L[0] + end_L[0])
        starts, ends = (np.argsort(logits)[: -NUM_BEST - 1 : -1].tolist() for logits in (start_L, end_L))
        for first in starts:
            for last in ends:
                if offsets[first] is None or offsets[last] is None or not 0 <= last - first < MAX_ANSWER_TOKENS:
                    continue
                score = float(start_L[first] + end_L[last])
                if score > best[row][0]:
                    best[row] = (score, asked[row].context[offsets[first][0] : offsets[last][1]])
    return ["" if unanswerable and null[row] > score else text for row, (score, text) in enumerate(best)]


def _answer_tokens(question: Question, offsets: list[tuple[int, int] | None]) -> tuple[int, int]:
    """Return first and last token of the first answer, (0, 0) where the window does not hold all of it."""
    held = [place for place, offset in enumerate(offsets) if offset is not None]
    if not question.answers or not held:
        return 0, 0
    text, start = question.answers[0]
    spans = {place: offset for place in held if (offset := offsets[place]) is not None}
    if spans[held[0]][0] > start or spans[held[-1]][1] < start + len(text):
        return 0, 0
    first = max(place for place in held if spans[place][0] <= start)
    last = min(place for place in held if spans[place][1] >= start + len(text))
    return first, last


def _inputs(feature: Feature, targets: tuple[str, ...]) -> Feature:
    names = ("input_ids", "attention_mask", "token_type_ids", *targets)
    return {name: feature[name] for name in names if name in feature}


def main() -> None:
    """Measure one combination and append one JSON line to the results."""
    parser = argparse.ArgumentParser(description="Hugging Face Trainer with its question-answering recipe")
    parser.add_argument("--data", required=True, choices=questions.NAMES)
    parser.add_argument("--rows", type=int, help="questions of either file, evenly spread, to try it out")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--lr", type=float, default=5e-5)
    parser.add_argument("--pad", choices=("window", "batch"), default="window")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines file to append to")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    measured = run(
        questions.load(options.data, options.rows),
        batch_size=options.batch_size,
        seed=options.seed,
        epochs=options.epochs,
        lr=options.lr,
        pad=options.pad,
    )
    line = {
        "dataset": options.data,
        "rows": options.rows,
        "system": "hf_trainer" if options.pad == "window" else "hf_trainer_by_batch",
        "batch": options.batch_size,
        "seed": options.seed,
        "lr": options.lr,
        **measured,
        "keeps_memory": os.environ.get("MALLOC_MMAP_MAX_") == "0",
        "machine": machine.describe("bf16" if machine.bf16_pays() else "fp32"),
    }
    with options.out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
