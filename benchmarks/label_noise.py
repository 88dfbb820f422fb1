"""How well wrong labels are found that were put into a data set on purpose.

A share of the training labels is flipped at random; out-of-fold predictions are made of the flipped table, by
fine-tuned folds ("tuned"), by linear models on vectors of the texts ("quick"), or by the mean of both ("full", as
`label_errors_of_table` calls it), and rows are ranked by them. Labels
that were wrong before count as mistakes of the ranking here: precision is a lower bound.

    python benchmarks/label_noise.py --data sst2 --mode full --seed 0 --out results.jsonl [--set epochs=2]
"""

import argparse
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import numpy.typing as npt
from cleanlab.filter import find_label_issues
from cleanlab.multilabel_classification.filter import find_label_issues as find_multilabel_issues
from cleanlab.multilabel_classification.rank import get_label_quality_scores as multilabel_scores
from cleanlab.rank import get_label_quality_scores
from sklearn.metrics import average_precision_score

from benchmarks import datasets, machine
from benchmarks.datasets import Benchmark, Row
from benchmarks.noise import add_noise
from fastbert.config import parse_assignment, split_options
from fastbert.data.databunch import DataBunch
from fastbert.data.examples import TextExample
from fastbert.decisions.rules import Decisions, fit_threshold
from fastbert.inference.embedder import Embedder
from fastbert.insight.label_errors import find_label_errors
from fastbert.insight.label_quality import Method, estimate_noise, label_quality
from fastbert.insight.quick_folds import mean_scores, quick_predictions
from fastbert.labels import Labels
from fastbert.tasks.base import Prediction
from fastbert.tasks.classification import Classification, MultiLabel, SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction, labelled
from fastbert.training.cross_validation import CrossValidating

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
PLACES = (50, 100, 200)
FOLDS = 5


def probabilities(benchmark: Benchmark, rows: list[Row], mode: str, seed: int, options: dict[str, object]) -> Floats:
    """Return out-of-fold probabilities of each label, in the order of `benchmark.labels`."""
    with tempfile.TemporaryDirectory() as folder:
        table = datasets.write_csvs(replace(benchmark, train=rows, tests={}), Path(folder))["train"]
        named = {"labels": benchmark.labels} if benchmark.multi_label else {"labels": ("label",)}
        data_config, config = split_options({**options, **named, "seed": seed})
        data = DataBunch.from_files(table, config=data_config, seed=seed)
        if mode == "tuned":
            predictions: list[Prediction] = list(CrossValidating.prepare(data, config, FOLDS).run().predictions)
        else:
            predictions = quick_predictions(data, Embedder.open(config.encoder), folds=FOLDS, seed=seed)
    return np.array([[labelled(one).scores[label] for label in benchmark.labels] for one in predictions])


def measure(benchmark: Benchmark, rows: list[Row], wrong_N: Mask, scores_NC: Floats) -> dict[str, Any]:
    """Return how well each ranking and each choice of rows finds the wrong labels, and what share was estimated."""
    task = _task(benchmark)
    examples = [TextExample(text, pair, names) for text, pair, names in rows]
    given_NC = task.cells_of([names for _, _, names in rows])
    decisions = Decisions(fit_threshold(scores_NC, given_NC)) if benchmark.multi_label else Decisions()
    raw = [
        LabelPrediction(scores=dict(zip(benchmark.labels, scores_C.tolist(), strict=True))) for scores_C in scores_NC
    ]
    predictions = task.redecide(raw, decisions)
    rankings = {method: label_quality(task, predictions, examples, method=method) for method in get_args(Method)}
    chosen = {"fastbert": np.zeros(len(rows), np.bool_)}
    chosen["fastbert"][[one.place for one in find_label_errors(task, predictions, examples) if one.issue]] = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        more, theirs = _cleanlab(benchmark, given_NC, scores_NC)
    rankings |= more
    rankings["random"] = np.random.default_rng(0).random(len(rows))
    estimate = estimate_noise(task, predictions, examples)
    clean_NC = task.cells_of([names for _, _, names in benchmark.train])
    right_N = clean_NC[np.arange(len(rows)), scores_NC.argmax(axis=1)]
    return {
        "rows": len(rows),
        "wrong": int(wrong_N.sum()),
        "accuracy_on_clean_labels": round(float(right_N.mean()), 4),
        "estimate": {name: round(value, 4) for name, value in vars(estimate).items() if isinstance(value, float)},
        "rankings": {name: _ranked(wrong_N, quality_N) for name, quality_N in rankings.items()},
        "chosen": {name: _chosen(wrong_N, chosen_N) for name, chosen_N in (chosen | theirs).items()},
    }


def _task(benchmark: Benchmark) -> Classification:
    return (MultiLabel if benchmark.multi_label else SingleLabel)(Labels(benchmark.labels))


def _cleanlab(benchmark: Benchmark, given_NC: Mask, scores_NC: Floats) -> tuple[dict[str, Floats], dict[str, Mask]]:
    """Return further rankings, and the rows that cleanlab itself takes for wrong."""
    ways = ("prune_by_noise_rate", "confident_learning")
    if benchmark.multi_label:
        names = [np.flatnonzero(given_C).tolist() for given_C in given_NC]
        softmin = {"method": "softmin", "temperature": 0.1}
        rankings = {
            "cleanlab, mean over labels": multilabel_scores(names, scores_NC),
            "cleanlab, softmin over labels": multilabel_scores(names, scores_NC, aggregator_kwargs=softmin),
        }
        return rankings, {way: find_multilabel_issues(names, scores_NC, filter_by=way, n_jobs=1) for way in ways}
    given_N = given_NC.argmax(axis=1)
    rankings = {
        f"{method}, adjusted": get_label_quality_scores(given_N, scores_NC, method=method, adjust_pred_probs=True)
        for method in ("self_confidence", "normalized_margin")
    }
    return rankings, {way: find_label_issues(given_N, scores_NC, filter_by=way, n_jobs=1) for way in ways}


def _ranked(wrong_N: Mask, quality_N: Floats) -> dict[str, float]:
    """Return average precision, and precision and recall among the first rows."""
    order, count = np.argsort(quality_N, kind="stable"), int(wrong_N.sum())
    found = {"average_precision": float(average_precision_score(wrong_N, -quality_N))}
    for name, place in (("wrong", count), *((str(place), place) for place in PLACES)):
        hits = int(wrong_N[order[:place]].sum())
        found |= {f"precision_at_{name}": hits / place, f"recall_at_{name}": hits / count}
    return {name: round(value, 4) for name, value in found.items()}


def _chosen(wrong_N: Mask, chosen_N: Mask) -> dict[str, float]:
    hits = int(wrong_N[chosen_N].sum())
    rows = int(chosen_N.sum())
    return {"rows": rows, "precision": round(hits / max(1, rows), 4), "recall": round(hits / int(wrong_N.sum()), 4)}


def _kept(chosen: argparse.Namespace, mode: str, make: Callable[[str], Floats]) -> tuple[Floats, float]:
    """Return probabilities and the processor seconds that they took, as they were kept or made now."""
    name = f"{chosen.data}-{chosen.seed}-{chosen.share}-{mode}.npz"
    kept = None if chosen.keep is None else chosen.keep / name
    if kept is not None and kept.exists():
        content = np.load(kept)
        return content["probabilities"], float(content["cpu"])
    start = time.process_time()
    scores_NC = make(mode)
    cpu_seconds = time.process_time() - start
    if kept is not None:
        np.savez(kept, probabilities=scores_NC, cpu=cpu_seconds)
    return scores_NC, cpu_seconds


def main() -> None:
    """Measure one data set, mode and seed, and append one JSON line to the results."""
    parser = argparse.ArgumentParser(description="wrong labels that were put in, and how they are found")
    parser.add_argument("--data", required=True, choices=datasets.NAMES)
    parser.add_argument("--mode", required=True, choices=("quick", "tuned", "full"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=0.03, help="of the rows that get a wrong label")
    parser.add_argument("--set", action="append", default=[], help="option as key=value")
    parser.add_argument("--keep", type=Path, help="folder where probabilities are kept, and taken from")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines file to append to")
    chosen = parser.parse_args()
    options: dict[str, object] = dict(parse_assignment(text) for text in chosen.set)
    benchmark = datasets.load(chosen.data)
    rows, wrong_N = add_noise(benchmark, chosen.share, chosen.seed)
    parts = [
        _kept(chosen, mode, lambda mode: probabilities(benchmark, rows, mode, chosen.seed, options))
        for mode in (("quick", "tuned") if chosen.mode == "full" else (chosen.mode,))
    ]
    scores_NC, cpu_seconds = parts[0][0], sum(seconds for _, seconds in parts)
    if len(parts) > 1:
        scores_NC = mean_scores(_task(benchmark), scores_NC, parts[1][0])
    line = {
        "dataset": chosen.data,
        "mode": chosen.mode,
        "seed": chosen.seed,
        "share": chosen.share,
        "options": options,
        "cpu_seconds": round(cpu_seconds, 1),
        **measure(benchmark, rows, wrong_N, scores_NC),
        "machine": machine.describe("auto"),
    }
    with chosen.out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
