"""Few labels with and without adaptation to unlabelled text, and what `fastbert train --adapt` would ship.

App reviews with 20, 100 and 500 labels per class beside 10,000 unlabelled reviews; IMDb with 100 and 1,000 labels in
all beside 10,000 unlabelled reviews. The encoder is adapted once to each corpus, with FastBert's defaults; seeds draw
the labels, the split, the head and the order. Three models are scored on the same test rows: from the plain encoder,
from the adapted one, and the one of them that validation chooses. What is in the results file is not run again.

    python benchmarks/adaptation.py run --work FOLDER
    python benchmarks/adaptation.py table
"""

import argparse
import gzip
import itertools
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks import datasets, machine
from benchmarks.datasets import Row, data_root
from benchmarks.quality import read_results
from fastbert.config import AdaptConfig, TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.training.adapt import adapt
from fastbert.training.adapt_plan import FACTS
from fastbert.training.encoder_choice import compare_encoders
from fastbert.training.kept import MARGIN
from fastbert.training.learner import Learner

RESULTS = Path(__file__).resolve().parent / "results" / "adaptation.jsonl"
SIZES = {"app_reviews": (20, 100, 500), "imdb": (50, 500)}  # labels per class
TEST_ROWS = 1_000  # of IMDb, which are long
METRIC = "f1_macro"


def load(name: str) -> tuple[list[Row], list[Row]]:
    """Return all labelled training rows and the test rows."""
    benchmark = datasets.imdb() if name == "imdb" else datasets.load(name)
    test = benchmark.tests["test"]
    if name == "imdb":
        chosen = np.random.default_rng(0).permutation(len(test))[:TEST_ROWS]
        test = [test[index] for index in chosen]
    return benchmark.train + benchmark.spare, test


def draw(rows: list[Row], per_class: int, seed: int) -> list[dict[str, str]]:
    """Return so many rows of each label, drawn by the seed, as a table."""
    order = np.random.default_rng(seed).permutation(len(rows))
    left = dict.fromkeys({row[2][0] for row in rows}, per_class)
    drawn = []
    for index in order:
        text, _, (label,) = rows[index]
        if left[label]:
            left[label] -= 1
            drawn.append({"text": text, "label": label})
    return drawn


def adapted_encoder(name: str, work: Path) -> Path:
    """Return the encoder adapted to the unlabelled texts of a data set; adapt it if it is not in work."""
    folder = work / f"{name}-encoder"
    if (folder / FACTS).is_file():
        return folder
    if name == "imdb":
        corpus, config = work / "imdb.jsonl", AdaptConfig(text=("text",))
        with gzip.open(data_root() / "imdb" / "unsup.jsonl.gz", "rt", encoding="utf-8") as file:
            rows = [{"text": json.loads(line)["text"].replace("<br />", "\n")} for line in file]
        corpus.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    else:
        corpus, config = data_root() / "app_reviews_unlabelled", AdaptConfig(text=("Content",))
    result = adapt([corpus], "minilm", folder, config)
    print(f"{name}: {result.to_json()['scores']}, {result.tokens_per_second:,.0f} tokens/s", flush=True)
    return folder


def measure(name: str, per_class: int, seed: int, work: Path) -> dict[str, Any]:
    """Train on drawn rows from both encoders; return their test scores, and which one validation chooses."""
    rows, test = load(name)
    encoder = adapted_encoder(name, work)
    table = [{"text": text, "label": labels[0]} for text, _, labels in test]
    data = DataBunch.from_files(draw(rows, per_class, seed), test=table, seed=seed)
    config = TrainConfig(encoder="minilm", seed=seed)
    started = time.perf_counter()
    choice, learners, _ = compare_encoders(data, config, str(encoder))
    scores = {}
    for which, one in (("plain", "minilm"), ("adapted", str(encoder))):
        known = learners.get(which)  # type: ignore[call-overload]
        learner = known or Learner(data, config=config.changed(encoder=one)).fit()
        scores[which] = learner.evaluate("test")
    return {
        "dataset": name,
        "per_class": per_class,
        "seed": seed,
        "scores": scores,
        "choice": choice.to_json(),
        "seconds": round(time.perf_counter() - started, 1),
        "adaptation": json.loads((encoder / FACTS).read_text(encoding="utf-8"))["scores"],
        "machine": machine.describe("auto"),
    }


def table(lines: list[dict[str, Any]]) -> str:
    """Return mean and spread of the test scores, and how often validation was right, as Markdown."""
    rows = [
        "| data | labels per class | plain | adapted | shipped | adapted kept | shipped the better |",
        "|---" * 7 + "|",
    ]
    for name, per_class in sorted({(line["dataset"], line["per_class"]) for line in lines}):
        group = [line for line in lines if (line["dataset"], line["per_class"]) == (name, per_class)]
        test = {which: [line["scores"][which][METRIC] for line in group] for which in ("plain", "adapted")}
        kept = [chosen(line["choice"]) for line in group]
        shipped = [line["scores"][which][METRIC] for line, which in zip(group, kept, strict=True)]
        right = sum(value >= max(pair) for value, pair in zip(shipped, zip(*test.values(), strict=True), strict=True))
        cells = [_cell(values) for values in (test["plain"], test["adapted"], shipped)]
        counts = [f"{kept.count('adapted')} of {len(kept)}", f"{right} of {len(kept)}"]
        rows.append(f"| {name} | {per_class} | {' | '.join([*cells, *counts])} |")
    return "\n".join(rows)


def chosen(choice: dict[str, Any]) -> str:
    """Return the encoder that is kept by the rule of today: older lines had others, the oldest without the error."""
    plain, adapted = (choice["scores"][which][choice["monitor"]] for which in ("plain", "adapted"))
    return "adapted" if adapted - plain > MARGIN * choice.get("error", 0.0) else "plain"


def _cell(values: list[float]) -> str:
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


def main() -> None:
    """Run what is missing, or print the table."""
    parser = argparse.ArgumentParser(description="Few labels with and without adaptation")
    parser.add_argument("action", choices=("run", "table"))
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    parser.add_argument("--work", type=Path, help="folder for adapted encoders")
    parser.add_argument("--data", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1, 2))
    chosen = parser.parse_args()
    if chosen.action == "table":
        print(table(read_results(chosen.out)))
        return
    if chosen.work is None:
        parser.error("--work is needed to run")
    chosen.work.mkdir(parents=True, exist_ok=True)
    done = {(line["dataset"], line["per_class"], line["seed"]) for line in read_results(chosen.out)}
    for name in chosen.data:
        for per_class, seed in itertools.product(SIZES[name], chosen.seeds):
            if (name, per_class, seed) in done:
                continue
            line = measure(name, per_class, seed, chosen.work)
            print(f"{time.strftime('%H:%M:%S')} {name} {per_class} seed {seed}: {line['seconds']} s", flush=True)
            with chosen.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
