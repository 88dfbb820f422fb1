"""How fast FastBert adapts an encoder to a corpus, against the Hugging Face Trainer on the same documents, in turn.

Same encoder (minilm, with a new masked-LM head), documents, sequences of 128 tokens, batches of 32, 15 % masked, fused
AdamW, one epoch. The Trainer does what transformers' examples/pytorch/language-modeling/run_mlm.py does: texts
concatenated and cut by group_texts, masked by DataCollatorForLanguageModeling; once with its defaults (float32) and
once in the precision that FastBert takes. Both sides train all weights from the first step (FastBert would let the new
head learn alone first, which is faster) and are timed whole, without tokenising; FastBert evaluates a few sequences in
that time, the Trainer none. Rounds alternate; the table gives the median ratio of neighbours and its quartiles.

    python benchmarks/language.py run [--documents 400] [--rounds 5]
    python benchmarks/language.py table
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as the command line sets it; better for all sides
# A script sees its own folder only, where `datasets` would hide the library of that name.
sys.path.sort(key=lambda entry: entry == str(Path(__file__).resolve().parent))  # that folder last
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import transformers
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
)

from benchmarks import machine
from benchmarks.peers.trainer import minilm
from fastbert.config import AdaptConfig
from fastbert.data.corpus import Document, read_corpus
from fastbert.training.adapt import Adaptation, prepare
from fastbert.training.masked_loop import Progress

RESULTS = Path(__file__).resolve().parent / "results" / "language.jsonl"
DATA = Path(os.environ.get("FASTBERT_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
BATCH, LENGTH, RATE, LR = 32, 128, 0.15, 1e-4
OURS, DEFAULTS, TUNED = "fastbert", "trainer, defaults", "trainer, same precision"


def fastbert(documents: Sequence[Document]) -> tuple[float, int]:
    """Return seconds of training and tokens of one epoch of FastBert."""
    ready = _ready(documents)
    with tempfile.TemporaryDirectory() as folder:
        loop = replace(ready._loop(Path(folder), (), "key"), keep=lambda progress: None)
        started = time.perf_counter()
        progress, _ = loop.run(Progress())
        return time.perf_counter() - started, progress.tokens


def _ready(documents: Sequence[Document]) -> Adaptation:
    config = AdaptConfig(
        epochs=1, lr=LR, batch_size=BATCH, max_tokens=LENGTH, mask_rate=RATE, whole_word=False, valid_share=0.001
    )
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "corpus.txt"
        place.write_text("\n\n".join(map("\n".join, documents)), encoding="utf-8")
        ready = prepare([place], "minilm", config)
    return replace(ready, plan=replace(ready.plan, head_steps=0))


def hugging_face(documents: Sequence[Document], *, tuned: bool) -> tuple[float, int]:
    """Return seconds of training and tokens of one epoch of the Trainer. tuned: in FastBert's precision."""
    transformers.set_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(minilm())
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    blocks = group_texts(tokenizer(["\n".join(document) for document in documents], truncation=False)["input_ids"])
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=AutoModelForMaskedLM.from_pretrained(minilm()),
            args=TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=BATCH,
                num_train_epochs=1,
                learning_rate=LR,
                optim="adamw_torch_fused",
                bf16=tuned and machine.bf16_pays(),
                use_cpu=True,
                dataloader_pin_memory=False,
                eval_strategy="no",
                save_strategy="no",
                report_to="none",
                logging_strategy="no",
                disable_tqdm=True,
            ),
            train_dataset=[{"input_ids": block} for block in blocks],
            data_collator=DataCollatorForLanguageModeling(tokenizer, mlm_probability=RATE),
        )
        started = time.perf_counter()
        trainer.train()
        return time.perf_counter() - started, LENGTH * len(blocks)


def group_texts(ids: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return blocks of LENGTH of all texts joined, without the rest: as run_mlm.py makes them."""
    joined = list(chain.from_iterable(ids))
    return [joined[start : start + LENGTH] for start in range(0, len(joined) - LENGTH + 1, LENGTH)]


def measure(documents: Sequence[Document], rounds: int, out: Path) -> None:
    """Let each side take its turn, and append a line for each."""
    sides = {
        OURS: lambda: fastbert(documents),
        TUNED: lambda: hugging_face(documents, tuned=True),
        DEFAULTS: lambda: hugging_face(documents, tuned=False),
    }
    precision = "bf16" if machine.bf16_pays() else "fp32"
    for number in range(rounds):
        order = list(sides) if number % 2 == 0 else list(reversed(sides))
        for side in order:
            seconds, tokens = sides[side]()
            line = {"round": number, "side": side, "seconds": round(seconds, 6), "tokens": tokens}
            line |= {"documents": len(documents), "machine": machine.describe(precision)}
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            print(f"{side}: {tokens / seconds:,.0f} tokens/s", file=sys.stderr)


def table(lines: Sequence[dict[str, Any]]) -> str:
    """Return tokens per second and how many times faster FastBert is, as Markdown."""
    rates: dict[str, list[float]] = {}
    for line in lines:
        rates.setdefault(line["side"], []).append(line["tokens"] / line["seconds"])
    rows = ["| side | tokens/s | FastBert is faster by (quartiles) |", "|---|---|---|"]
    for side, found in rates.items():
        ratios = [ours / theirs for ours, theirs in zip(rates[OURS], found, strict=False)]
        low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        spread = "-" if side == OURS else f"{middle:.2f} ({low:.2f} to {high:.2f})"
        rows.append(f"| {side} | {statistics.median(found):,.0f} | {spread} |")
    return "\n".join(rows)


def main() -> None:
    """Measure and append to the results, or print the table of what was measured."""
    parser = argparse.ArgumentParser(description="FastBert adapting an encoder, against the Hugging Face Trainer")
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("--documents", type=int, default=400, help="reviews of IMDb: 400 are about 28 steps")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    chosen = parser.parse_args()
    transformers.logging.set_verbosity_error()
    if chosen.what == "run":
        corpus = read_corpus([DATA / "imdb" / "unsup.jsonl.gz"])
        measure(corpus.documents[: chosen.documents], chosen.rounds, chosen.out)
    print(table([json.loads(line) for line in chosen.out.read_text(encoding="utf-8").splitlines()]))


if __name__ == "__main__":
    main()
