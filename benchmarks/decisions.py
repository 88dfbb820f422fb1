"""What calibration, thresholds and abstention are worth on test rows, one rule fitted after another to the same model.

FastBert is trained with its defaults; the rules are fitted to the validation rows that it held out, and scored on test
rows. `outside` mixes test rows with as many texts of other data sets, for which every answer is wrong.

    python benchmarks/decisions.py rules --data goemotions jigsaw --seeds 0 1 2 --models FOLDER
    python benchmarks/decisions.py outside --data trec6 --seeds 0 1 2 --models FOLDER
    python benchmarks/decisions.py table
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks import datasets, machine
from benchmarks.datasets import Row
from fastbert import Predictor, api
from fastbert.config import DecisionConfig, split_options
from fastbert.data.databunch import DataBunch
from fastbert.data.examples import TextExample
from fastbert.decisions.rules import Decisions
from fastbert.inference.embedder import Embedder
from fastbert.metrics.selective import risk_curve, separation
from fastbert.tasks.base import Example, Prediction
from fastbert.tasks.label_prediction import labelled
from fastbert.tasks.label_task import Classification

RESULTS = Path(__file__).resolve().parent / "results" / "decisions.jsonl"
RULES: dict[str, DecisionConfig] = {
    "scores as they are, one threshold": DecisionConfig(calibrate="none"),
    "the same, calibrated": DecisionConfig(),
    "defaults": DecisionConfig(),
    "--goal f1": DecisionConfig(goal="f1"),
    "--goal f1_micro": DecisionConfig(goal="f1_micro"),
    "--goal precision>=0.8": DecisionConfig(goal="precision>=0.8"),
    "--goal recall>=0.8": DecisionConfig(goal="recall>=0.8"),
}
SHARED = ("scores as they are, one threshold", "the same, calibrated")
SCORES = ("accuracy", "f1_macro", "f1_micro", "precision_micro", "recall_macro", "ece", "log_loss", "coverage")
STRANGE = ("sst2", "app_reviews", "mrpc")  # texts of other kinds
NEIGHBOURS = 10
Rows = tuple[list[Prediction], list[Example]]


def bundle_of(name: str, seed: int, folder: Path) -> Path:
    """Train with the defaults, unless the folder holds the model already; return its place."""
    target = folder / f"{name}-{seed}"
    if not target.is_dir():
        with tempfile.TemporaryDirectory() as working:
            paths = datasets.write_csvs(datasets.load(name), Path(working) / "data")
            data, config = split_options({"seed": seed})
            api.train(api.Tables(paths["train"]), target, data=data, config=config)
    return target


def rows_of(name: str, seed: int, predictor: Predictor) -> tuple[Rows, Rows]:
    """Return what the model says, not calibrated, of the validation rows that it held out and of the test rows."""
    benchmark = datasets.load(name)
    with tempfile.TemporaryDirectory() as working:
        table = datasets.write_csvs(benchmark, Path(working) / "data")["train"]
        valid: list[Example] = list(DataBunch.from_files(table, seed=seed).splits["valid"])
    test: list[Example] = [_example(row) for rows in benchmark.tests.values() for row in rows]
    return (predictor.predict_examples(valid), valid), (predictor.predict_examples(test), test)


def _example(row: Row) -> TextExample:
    text, pair, labels = row
    return TextExample(text, pair, labels)


def measure_rules(name: str, seed: int, folder: Path) -> list[dict[str, Any]]:
    """Return the test scores of each rule that the task knows."""
    predictor = Predictor.load(bundle_of(name, seed, folder)).with_decisions(Decisions())
    task = predictor.task
    assert isinstance(task, Classification)
    valid, test = rows_of(name, seed, predictor)
    lines = []
    for title, config in RULES.items():
        if task.link == "softmax" and config.goal in ("f1_micro", "recall>=0.8"):
            continue
        decisions = task.fit_rule(*valid, config)
        if title in SHARED:
            calibrated = Decisions(calibration=decisions.calibration)
            shared = task.fit_decisions(task.redecide(valid[0], calibrated), valid[1])
            decisions = Decisions(shared.threshold, calibration=decisions.calibration)
        scores = task.score(task.redecide(test[0], decisions), test[1])
        lines.append({
            "what": "rules", "dataset": name, "seed": seed, "rule": title,
            "calibration": decisions.calibration.method, "own_thresholds": len(decisions.thresholds),
            "valid_rows": len(valid[1]), "test_rows": len(test[1]), "machine": machine.describe("fp32"),
            "scores": {key: scores[key] for key in SCORES if key in scores},
        })  # fmt: skip
    return lines


def measure_outside(name: str, seed: int, folder: Path) -> list[dict[str, Any]]:
    """Return how well confidence, energy and distance tell test rows from texts of each other data set."""
    place = bundle_of(name, seed, folder)
    predictor = Predictor.load(place).with_decisions(Decisions())
    task = predictor.task
    assert isinstance(task, Classification)
    valid, test = rows_of(name, seed, predictor)
    decisions = task.fit_rule(*valid, DecisionConfig())
    train = [text for text, _, _ in datasets.load(name).train]
    vectors = _vectors(place)
    known, inside = vectors(train), vectors([example.text for example in test[1]])
    lines = []
    for other in STRANGE:
        strange = [text for rows in datasets.load(other).tests.values() for text, _, _ in rows][: len(test[1])]
        said = predictor(strange)
        both = task.redecide([*test[0], *said], decisions)
        right = [p.labels == e.truth for p, e in zip(both, test[1], strict=False)] + [False] * len(said)
        confidence = np.array([max(prediction.scores.values()) for prediction in both])
        doubts = {
            "confidence": -confidence,
            "energy": np.array([labelled(prediction).energy for prediction in [*test[0], *said]]),
            "neighbours": np.concatenate([_far(inside, known), _far(vectors(strange), known)]),
        }
        for title, doubt in doubts.items():
            area, passed = separation(doubt[: len(test[1])], doubt[len(test[1]) :])
            curve = risk_curve(-doubt, np.array(right))
            lines.append({
                "what": "outside", "dataset": name, "seed": seed, "strange": other, "by": title, "auroc": area,
                "fpr95": passed, "aurc": curve.area, "accuracy": float(np.mean(right[: len(test[1])])),
                "curve": curve.thinned(11), "rows": len(right), "machine": machine.describe("fp32"),
            })  # fmt: skip
    return lines


def _vectors(place: Path) -> Callable[[Sequence[str]], np.ndarray]:
    """Return a function from texts to unit vectors of the fine-tuned encoder."""
    embedder = Embedder.open(place)

    def vectors(texts: Sequence[str]) -> np.ndarray:
        found = np.asarray(embedder(list(texts)), np.float32)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))

    return vectors


def _far(rows: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the cosine distance to the NEIGHBOURS-th nearest known row (Sun et al. 2022, arXiv 2204.06507)."""
    similar = rows @ known.T
    return 1.0 - np.partition(similar, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS]


def table(lines: list[dict[str, Any]]) -> str:
    """Return both measurements as Markdown, the mean and the standard deviation over seeds."""
    return "\n\n".join(part for part in (_rules_table(lines), _outside_table(lines)) if part)


def _rules_table(lines: list[dict[str, Any]]) -> str:
    some = [line for line in lines if line["what"] == "rules"]
    keys = [key for key in SCORES if any(key in line["scores"] for line in some)]
    rows = [f"| data | rule | {' | '.join(keys)} |", "|---|---|" + "---|" * len(keys)]
    for name, rule in dict.fromkeys((line["dataset"], line["rule"]) for line in some):
        own = [line["scores"] for line in some if (line["dataset"], line["rule"]) == (name, rule)]
        cells = [_cell([scores[key] for scores in own if key in scores]) for key in keys]
        rows.append(f"| {name} ({len(own)}) | {rule} | {' | '.join(cells)} |")
    return "\n".join(rows) if some else ""


def _outside_table(lines: list[dict[str, Any]]) -> str:
    some = [line for line in lines if line["what"] == "outside"]
    rows = ["| data | strange texts | by | AUROC | FPR at 95 % | AURC |", "|---|---|---|---|---|---|"]
    for key in dict.fromkeys((line["dataset"], line["strange"], line["by"]) for line in some):
        own = [line for line in some if (line["dataset"], line["strange"], line["by"]) == key]
        cells = [_cell([line[name] for line in own]) for name in ("auroc", "fpr95", "aurc")]
        rows.append(f"| {key[0]} ({len(own)}) | {key[1]} | {key[2]} | {' | '.join(cells)} |")
    return "\n".join(rows) if some else ""


def _cell(values: list[float]) -> str:
    if not values:
        return ""
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is not in the results file yet, or print the table."""
    parser = argparse.ArgumentParser(description="What decision rules are worth")
    parser.add_argument("action", choices=("rules", "outside", "table"))
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    parser.add_argument("--data", nargs="+", default=["goemotions", "jigsaw"], choices=datasets.NAMES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder that trained models are kept in")
    chosen = parser.parse_args(arguments)
    lines = [json.loads(line) for line in chosen.out.read_text().splitlines()] if chosen.out.exists() else []
    if chosen.action == "table":
        print(table(lines))
        return 0
    done = {(line["what"], line["dataset"], line["seed"]) for line in lines}
    for seed in chosen.seeds:
        for name in chosen.data:
            if (chosen.action, name, seed) in done:
                continue
            measure = measure_rules if chosen.action == "rules" else measure_outside
            found = measure(name, seed, chosen.models)
            with chosen.out.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in found)
            print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
