"""A small encoder alone on few labels, and taught by a larger one on the texts that have none.

Some hundred labelled rows are drawn; the texts of all others lose their labels. The teacher is MiniLM (6 x 384),
trained on the same few rows ("few") or on all of them ("all", a model that somebody has). The student is MiniLM cut to
its first layers, or any folder that is named. FastBert's defaults but for what is named; seeds draw the rows, the
splits, the head and the order. What is in the results file is not run again; teachers are kept in --work.

    python benchmarks/distillation.py run [--data trec6] [--teachers few] [--student FOLDER] [--seeds 0 1 2]
    python benchmarks/distillation.py table
"""

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from transformers import AutoModel

from benchmarks import datasets, machine
from benchmarks.quality import read_results
from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.inference.predictor import Predictor
from fastbert.models.loading import count_parameters, open_encoder, save_tokenizer
from fastbert.tasks.distilled import Teaching
from fastbert.training.distill import Distilling
from fastbert.training.distill_rows import LessonTables
from fastbert.training.learner import Learner

RESULTS = Path(__file__).resolve().parent / "results" / "distillation.jsonl"
DATA = ("trec6", "sst2", "app_reviews")
FEW_ROWS = 500
CUT = "minilm, first 2 layers"
SYSTEMS = ("teacher", "alone", "distilled", "distilled with labels")
Table = list[dict[str, str]]


@dataclass(frozen=True)
class Run:
    """What is measured. teacher: "few" or "all", its labels.    asked_epochs: of the student, 0 for the default."""

    dataset: str
    system: str
    teacher: str
    student: str
    temperature: float
    asked_epochs: float
    seed: int

    def line(self) -> dict[str, object]:
        """Return the fields that tell measurements apart; those that do not matter to the system are empty."""
        taught = self.system.startswith("distilled")
        return {
            "dataset": self.dataset,
            "system": self.system,
            "teacher": "" if self.system == "alone" else self.teacher,
            "student": "" if self.system == "teacher" else self.student,
            "temperature": self.temperature if taught else 0,
            "asked_epochs": 0 if self.system == "teacher" else self.asked_epochs,
            "seed": self.seed,
        }


def tables(name: str, seed: int) -> tuple[Table, Table, Table]:
    """Return the few labelled rows, all others, and the test rows."""
    benchmark = datasets.load(name)
    rows = [{"text": text, "label": labels[0]} for text, _, labels in (*benchmark.train, *benchmark.spare)]
    order = np.random.default_rng(seed).permutation(len(rows))
    test = [{"text": text, "label": labels[0]} for text, _, labels in benchmark.tests["test"]]
    return [rows[at] for at in order[:FEW_ROWS]], [rows[at] for at in order[FEW_ROWS:]], test


def cut_minilm(folder: Path, layers: int = 2) -> str:
    """Write MiniLM with its first layers alone, and return the folder."""
    if not (folder / "config.json").is_file():
        encoder = open_encoder("minilm")
        model = AutoModel.from_pretrained(encoder.source)
        model.encoder.layer = torch.nn.ModuleList(list(model.encoder.layer)[:layers])
        model.config.num_hidden_layers = layers
        model.save_pretrained(folder)
        save_tokenizer(encoder, folder, 512)
    return str(folder)


def teacher_of(run: Run, work: Path) -> tuple[Predictor, dict[str, float], float]:
    """Return the teacher, trained now or before, its test scores and the seconds of its training."""
    few, rest, test = tables(run.dataset, run.seed)
    folder = work / f"{run.dataset}-{run.teacher}-{run.seed}"
    started = time.perf_counter()
    if not folder.exists():
        table = few if run.teacher == "few" else few + rest
        data = DataBunch.from_files(table, test=test, text=("text",), labels=("label",), seed=run.seed)
        Learner(data, encoder="minilm", seed=run.seed).fit().save(folder)
    seconds = time.perf_counter() - started
    opened = Predictor.load(folder)
    return opened, dict(opened.bundle.scores["test"]), seconds


def measure(run: Run, encoder: str, work: Path) -> dict[str, Any]:
    """Train what a run names; return its test scores and what it took."""
    few, rest, test = tables(run.dataset, run.seed)
    if run.system == "teacher":
        _, scores, seconds = teacher_of(run, work)
        return {**run.line(), "scores": scores, "seconds": round(seconds, 1), "machine": machine.describe("auto")}
    config = TrainConfig(encoder=encoder, seed=run.seed, epochs=run.asked_epochs or None)
    if run.system == "alone":
        data = DataBunch.from_files(few, test=test, text=("text",), labels=("label",), seed=run.seed)
        learner = Learner(data, config=config)
        started = time.perf_counter()
        learner.fit()
        more: dict[str, Any] = {}
    else:
        opened, _, _ = teacher_of(run, work)
        texts = [row["text"] for row in rest]
        train = few if run.system == "distilled with labels" else None
        started = time.perf_counter()
        ready = Distilling.prepare(
            opened, LessonTables([texts], train, test=test), teaching=Teaching(run.temperature), config=config
        )
        with tempfile.TemporaryDirectory() as folder:
            done = ready.run(Path(folder) / "student")
        learner = done.learner
        more = {name: done.facts[name] for name in ("rows", "agreement", "costs")}
    seconds = time.perf_counter() - started
    return {
        **run.line(),
        "scores": learner.evaluate("test"),
        "parameters": count_parameters(learner.model),
        "epochs": learner.last_plan.config.epochs,
        "steps": learner.last_run.step,
        "seconds": round(seconds, 1),
        **more,
        "machine": machine.describe(learner.runtime.precision),
    }


def table(lines: list[dict[str, Any]]) -> str:
    """Return mean and spread of the test scores by data set and system, as Markdown."""
    titles = (
        "data",
        "system",
        "teacher's labels",
        "student",
        "T",
        "epochs",
        "seeds",
        "accuracy",
        "macro F1",
        "agreement",
    )
    rows = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    keys = ("dataset", "system", "teacher", "student", "temperature", "asked_epochs")
    for key in sorted({tuple(line[name] for name in keys) for line in lines}, key=_place):
        group = [line for line in lines if tuple(line[name] for name in keys) == key]
        scores = [_cell([line["scores"][name] for line in group]) for name in ("accuracy", "f1_macro")]
        agreement = _cell([line["agreement"]["share"] for line in group if "agreement" in line])
        cells = [str(cell) if cell else "-" for cell in key]
        rows.append(f"| {' | '.join([*cells, str(len(group)), *scores, agreement])} |")
    return "\n".join(rows)


def _place(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dataset, system, *others = key
    return DATA.index(dataset), SYSTEMS.index(system), *others


def _cell(values: list[float]) -> str:
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}" if values else "-"


def main() -> None:
    """Run what is missing, or print the table."""
    parser = argparse.ArgumentParser(description="A small encoder alone, and taught by a larger one")
    parser.add_argument("action", choices=("run", "table"))
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "fastbert-distillation")
    parser.add_argument("--data", nargs="+", choices=DATA, default=DATA)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=SYSTEMS)
    parser.add_argument("--teachers", nargs="+", choices=("few", "all"), default=("few",))
    parser.add_argument("--student", type=Path, help="folder of an encoder; MiniLM cut to two layers if not given")
    parser.add_argument("--name", help="of the student in the results, if a folder is given")
    parser.add_argument("--temperatures", nargs="+", type=float, default=(2.0,))
    parser.add_argument("--epochs", type=float, default=0.0, help="of the student; chosen by the recipe if not given")
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1, 2))
    chosen = parser.parse_args()
    if chosen.action == "table":
        print(table(read_results(chosen.out)))
        return
    chosen.work.mkdir(parents=True, exist_ok=True)
    encoder = str(chosen.student) if chosen.student else cut_minilm(chosen.work / "minilm-2")
    student = (chosen.name or chosen.student.name) if chosen.student else CUT
    fields = ("dataset", "system", "teacher", "student", "temperature", "asked_epochs", "seed")
    done = {tuple(line[name] for name in fields) for line in read_results(chosen.out)}
    for seed, name, teacher, system, temperature in itertools.product(
        chosen.seeds, chosen.data, chosen.teachers, chosen.systems, chosen.temperatures
    ):
        run = Run(name, system, teacher, student, temperature, chosen.epochs, seed)
        if tuple(run.line().values()) in done:
            continue
        line = measure(run, encoder, chosen.work)
        done.add(tuple(run.line().values()))
        print(f"{time.strftime('%H:%M:%S')} {run}: {line['seconds']} s, {line['scores']['accuracy']:.4f}", flush=True)
        with chosen.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
