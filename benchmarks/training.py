"""How fast FastBert trains, against the Hugging Face Trainer on the same rows, in turn in one process.

Same encoder (minilm), rows, batches of 32, optimizer and number of examples; both sides get rows already
tokenised, and `fit()` and `train()` are timed whole (FastBert evaluates 16 rows in that time, the Trainer none). The
Trainer runs with the defaults of its text-classification script (padded to 128 tokens, float32) and with its
best flags (bfloat16 where the processor has it, padded to the longest row, grouped by length, fused AdamW). Rounds
alternate; the table gives the median ratio of neighbours, its quartiles, and FastBert's share of the machine's
measured matrix-product rate (MFU), of the products that it computes.

    python benchmarks/training.py run [--work cola imdb] [--rounds 5]
    python benchmarks/training.py scores --seeds 0 1 [--epochs 3]
    python benchmarks/training.py table
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as the command line sets it; better for all sides
# A script sees its own folder only, where `datasets` would hide the library of that name.
sys.path.sort(key=lambda entry: entry == str(Path(__file__).resolve().parent))  # that folder last
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
import transformers
from transformers import Trainer, TrainingArguments

from benchmarks import datasets, machine, scoring
from benchmarks.datasets import Benchmark, Row
from benchmarks.peers import trainer as peer
from fastbert.data.databunch import DataBunch
from fastbert.training.learner import Learner

RESULTS = Path(__file__).resolve().parent / "results" / "training.jsonl"
BATCH = 32
VALID_ROWS = 16
IMDB_TRAIN_ROWS, IMDB_TEST_ROWS = 1_500, 1_000  # of 5,000 each
LR = 5e-5


@dataclass(frozen=True)
class Work:
    """One thing to train. trained: "all", "head" or "top 2" layers and head.    slow_rows: for the slow peer.

    encoder: "minilm" or a folder.
    """

    data: str
    rows: int
    max_tokens: int
    trained: str = "all"
    epochs: int = 1
    slow_rows: int = 0
    encoder: str = "minilm"


WORK = {
    "cola": Work("cola", 3200, 128, slow_rows=128),
    "goemotions": Work("goemotions", 3200, 128, slow_rows=128),
    "imdb": Work("imdb", 256, 256),
    "imdb, head only, 5 epochs": Work("imdb", 320, 256, "head", 5),
    "imdb, top 2 layers, 5 epochs": Work("imdb", 320, 256, "top 2", 5),
}


class FastBert:
    """FastBert on some rows of a data set."""

    def __init__(self, benchmark: Benchmark, work: Work, seed: int = 0) -> None:
        self.benchmark, self.work = benchmark, work
        self.folder = tempfile.TemporaryDirectory()
        valid = {"test": benchmark.train[-VALID_ROWS:]}
        paths = datasets.write_csvs(
            replace(benchmark, train=benchmark.train[: work.rows], tests=valid), Path(self.folder.name)
        )
        self.data = DataBunch.from_files(paths["train"], paths["test"], max_tokens=work.max_tokens, truncation="head")
        self.learner = self._learner(seed)
        for split in ("train", "valid"):
            self.learner.data.encoded(split)

    def _learner(self, seed: int) -> Learner:
        learner = Learner(
            self.data,
            self.work.encoder,
            epochs=self.work.epochs,
            lr=LR,
            batch_size=BATCH,
            average=1,
            head_lr_factor=1.0,
            seed=seed,
        )
        if self.work.trained != "all":
            learner.freeze_to(-1 if self.work.trained == "head" else -3)
        return learner

    def train(self) -> float:
        """Train once more; return the seconds of the whole of it."""
        started = time.perf_counter()
        self.learner.fit()
        return time.perf_counter() - started

    def mfu(self) -> tuple[float, float]:
        """Return MFU and padding share of the training steps so far."""
        history = self.learner.history
        return history.mfu or 0.0, 1 - history.tokens / history.padded_tokens

    def scores(self) -> dict[str, float]:
        """Return the deciding score of each test set."""
        found = {}
        for name, rows in self.benchmark.tests.items():
            answers = self.learner.predict([text for text, _, _ in rows])
            probabilities_NC = np.array(
                [[answer.scores[label] for label in self.benchmark.labels] for answer in answers]
            )
            decided = [answer.labels for answer in answers]
            if (
                self.benchmark.multi_label
            ):  # as the peer decides, so that the models are compared and not the thresholds
                decided = peer.decide(self.benchmark, np.log(probabilities_NC / (1 - probabilities_NC)))
            found[name] = scoring.score(self.benchmark, rows, decided, probabilities_NC)[self.benchmark.metric]
        return found


class Peer:
    """The Trainer on the same rows. best: with its best flags, else with its script's defaults."""

    def __init__(self, benchmark: Benchmark, work: Work, *, best: bool, seed: int = 0) -> None:
        self.benchmark, self.work, self.best = benchmark, work, best
        self.folder = tempfile.TemporaryDirectory()
        transformers.set_seed(seed)
        encoder = peer.minilm() if work.encoder == "minilm" else Path(work.encoder)
        self.tokenizer, model = peer.open_model(benchmark, encoder)
        freeze(model, work.trained)
        self.num_rows = work.rows if best else work.slow_rows
        self.trainer = Trainer(
            model=model,
            args=self._arguments(seed),
            train_dataset=self._encode(benchmark.train[: self.num_rows]),
            processing_class=self.tokenizer,
        )

    def _arguments(self, seed: int) -> TrainingArguments:
        return TrainingArguments(
            output_dir=self.folder.name,
            per_device_train_batch_size=BATCH,
            num_train_epochs=self.work.epochs,
            learning_rate=LR,
            lr_scheduler_type="linear",
            optim="adamw_torch_fused",
            bf16=self.best and (torch.cuda.is_available() or machine.bf16_pays()),
            train_sampling_strategy="group_by_length" if self.best else "random",
            seed=seed,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=torch.cuda.is_available(),
            eval_strategy="no",
            save_strategy="no",
            report_to="none",
            logging_strategy="no",
            disable_tqdm=True,
        )

    def _encode(self, rows: list[Row]) -> list[peer.Feature]:
        features = peer.encode(self.benchmark, rows, self.tokenizer, self.work.max_tokens)
        if self.best:
            return features
        padded = self.tokenizer.pad(features, padding="max_length", max_length=self.work.max_tokens)
        return [{name: padded[name][index] for name in padded} for index in range(len(rows))]

    def train(self) -> float:
        """Train once more; return the seconds of the whole of it."""
        started = time.perf_counter()
        self.trainer.train()
        return time.perf_counter() - started

    def scores(self) -> dict[str, float]:
        """Return the deciding score of each test set."""
        found = {}
        for name, rows in self.benchmark.tests.items():
            features = peer.encode(self.benchmark, rows, self.tokenizer, self.work.max_tokens)
            order = sorted(range(len(rows)), key=lambda i: len(features[i]["input_ids"]))
            logits_NC = np.array([self._logits(features[i]) for i in order])
            scored = scoring.score(
                self.benchmark,
                [rows[i] for i in order],
                peer.decide(self.benchmark, logits_NC),
                1 / (1 + np.exp(-logits_NC)) if self.benchmark.multi_label else None,
            )
            found[name] = scored[self.benchmark.metric]
        return found

    def _logits(self, feature: peer.Feature) -> list[float]:
        model = self.trainer.model.eval()  # type: ignore[union-attr]
        with torch.inference_mode():
            inputs = {name: torch.tensor([value]) for name, value in feature.items() if name != "labels"}
            return list(model(**inputs).logits[0].tolist())


def read(name: str) -> Benchmark:
    """Read a data set; of IMDb some rows in any order, for its file begins with one class."""
    if name != "imdb":
        return datasets.load(name)
    benchmark = datasets.imdb()
    draw = random.Random(0).sample
    test = draw(benchmark.tests["test"], IMDB_TEST_ROWS)
    return replace(benchmark, train=draw(benchmark.train, IMDB_TRAIN_ROWS), tests={"test": test})


def freeze(model: torch.nn.Module, trained: str) -> None:
    """Freeze all but the top: written out for the peer, which must not use FastBert's own."""
    if trained == "all":
        return
    for name, parameter in model.named_parameters():
        top = ("classifier", "pooler") if trained == "head" else ("classifier", "pooler", "layer.4.", "layer.5.")
        parameter.requires_grad_(any(part in name for part in top))


def measure(name: str, rounds: int) -> list[dict[str, Any]]:
    """Return a line for each peer: ratios of examples a second, neighbouring rounds."""
    work = WORK[name]
    benchmark = read(work.data)
    ours = FastBert(benchmark, work)
    peers: dict[str, Peer] = {"best flags": Peer(benchmark, work, best=True)}
    if work.slow_rows:
        peers["script defaults"] = Peer(benchmark, work, best=False)
    ours.train()  # warm
    for other in peers.values():
        other.train()
    lines = []
    for title, other in peers.items():
        pairs = [(work.rows / ours.train(), other.num_rows / other.train()) for _ in range(rounds)]
        mfu, padding = ours.mfu()
        lines.append(
            {
                "work": name,
                "peer": title,
                "examples_per_second": [round(mine * work.epochs, 2) for mine, _ in pairs],
                "peer_examples_per_second": [round(theirs * work.epochs, 2) for _, theirs in pairs],
                "mfu": round(mfu, 4),
                "padding_share": round(padding, 4),
                "rows": work.rows,
                "machine": machine.describe(ours.learner.runtime.precision),
            }
        )
        print(table(lines[-1:]).splitlines()[-1], flush=True)
    return lines


def measure_scores(name: str, seed: int, epochs: int) -> list[dict[str, Any]]:
    """Return a line a system: the scores after training on all rows of a data set, examples seen in any order."""
    benchmark = read(WORK[name].data)
    work = replace(WORK[name], rows=len(benchmark.train) - VALID_ROWS, epochs=epochs)
    makers: dict[str, Callable[[], FastBert | Peer]] = {
        "fastbert": lambda: FastBert(benchmark, work, seed),
        "hf_trainer, best flags": lambda: Peer(benchmark, work, best=True, seed=seed),
    }
    lines = []
    for system, make in makers.items():
        made = make()
        seconds = made.train()
        line = {"work": name, "system": system, "seed": seed, "epochs": epochs, "scores": made.scores()}
        line["seconds"] = round(seconds, 1)
        print(json.dumps(line), flush=True)
        lines.append(line)
    return lines


def table(lines: list[dict[str, Any]]) -> str:
    """Return the ratios, and the scores where there are some, as Markdown."""
    rows = [
        "| work | against the Trainer's | times faster (quartiles) | examples/s | MFU | padding |",
        "|---|---|---|---|---|---|",
    ]
    for line in lines:
        if "peer" not in line:
            continue
        mine, theirs = line["examples_per_second"], line["peer_examples_per_second"]
        ratios = [one / other for one, other in zip(mine, theirs, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        rows.append(
            f"| {line['work']} | {line['peer']} | {middle:.2f} ({low:.2f} to {high:.2f}, {len(ratios)} rounds) | "
            f"{statistics.median(mine):.0f} / {statistics.median(theirs):.0f} | {line['mfu']:.0%} | "
            f"{line['padding_share']:.1%} |"
        )
    scored = [line for line in lines if "scores" in line]
    if scored:
        rows += ["", "| work | system | seed | epochs | scores | seconds |", "|---|---|---|---|---|---|"]
    for line in scored:
        shown = ", ".join(f"{name} {value:.3f}" for name, value in line["scores"].items())
        cells = [line["work"], line["system"], str(line["seed"]), str(line["epochs"]), shown, f"{line['seconds']:.0f}"]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    """Measure, or print what was measured."""
    parser = argparse.ArgumentParser(description="Training speed of FastBert and of the Trainer")
    parser.add_argument("action", choices=("run", "scores", "table"))
    parser.add_argument("--work", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3, help="of the scores; one is too short for CoLA")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    chosen = parser.parse_args()
    transformers.logging.set_verbosity_error()
    if chosen.action == "table":
        print(table([json.loads(line) for line in chosen.out.read_text(encoding="utf-8").splitlines()]))
        return
    for name in chosen.work:
        found = (
            measure(name, chosen.rounds)
            if chosen.action == "run"
            else [line for seed in chosen.seeds for line in measure_scores(name, seed, chosen.epochs)]
        )
        with chosen.out.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in found)


if __name__ == "__main__":
    main()
