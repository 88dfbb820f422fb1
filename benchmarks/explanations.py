"""Whether explanations name the words that answers rest on: integrated gradients and occlusion against random words.

FastBert is trained on the training rows of a data set (2 epochs, else its defaults) and its answers for the first test
rows are explained. Words are then hidden in the order of each explanation and in the same random orders.

    python benchmarks/explanations.py run --data sst2 trec6 --seeds 0 1 2 --rows 100
    python benchmarks/explanations.py table
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import datasets, machine
from fastbert import Predictor, api
from fastbert.config import split_options
from fastbert.inference.predictor import as_examples
from fastbert.insight.explain import Method
from fastbert.insight.faithfulness_table import faithfulness

RESULTS = Path(__file__).resolve().parent / "results" / "explanations.jsonl"
METHODS: Mapping[str, Method] = {"integrated gradients": "gradients", "occlusion": "occlusion"}
Lines = Sequence[Mapping[str, Any]]


def train(name: str, seed: int, folder: Path) -> Path:
    """Train on a data set, unless the folder holds its model already; return the bundle."""
    target = folder / f"{name}-{seed}"
    if not target.is_dir():
        with tempfile.TemporaryDirectory() as working:
            paths = datasets.write_csvs(datasets.load(name), Path(working) / "data")
            data, config = split_options({"epochs": 2, "seed": seed})
            api.train(api.Tables(paths["train"]), target, data=data, config=config)
    return target


def measure(name: str, seed: int, folder: Path, num_rows: int, orders: int) -> list[dict[str, Any]]:
    """Return how faithful each method is on the first test rows of a data set."""
    predictor = Predictor.load(train(name, seed, folder), "torch")
    rows = next(iter(datasets.load(name).tests.values()))[:num_rows]
    examples = as_examples([text if pair is None else (text, pair) for text, pair, _ in rows])
    return [
        {
            "dataset": name,
            "seed": seed,
            "words_by": title,
            "orders": orders,
            **faithfulness(predictor, examples, method=method, orders=orders).to_json(),
            "machine": machine.describe("fp32"),
        }
        for title, method in METHODS.items()
    ]


def table(lines: Lines) -> str:
    """Return the means over seeds for each data set and method as Markdown, with random words below them."""
    rows = [
        "| data, texts | words by | deletion area (lower) | insertion area (higher) | without the top fifth | "
        "the top fifth alone | better than random |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(line["dataset"] for line in lines):
        some = [line for line in lines if line["dataset"] == name]
        rows += [_row(name, title, [line for line in some if line["words_by"] == title]) for title in METHODS]
        random = ("random_area", "random_area", "random_without", "random_alone")
        rows.append(f"| | random | {' | '.join(_mean(some, key) for key in random)} | |")
        rows.append(f"| | all words: {_mean(some, 'score')}, none: {_mean(some, 'hidden')} | | | | | |")
    return "\n".join(rows)


def _row(name: str, title: str, lines: Lines) -> str:
    """Return the row of one method. Behind the area: by how much it is below random, and the largest standard error."""
    gain = statistics.mean(line["area"] - line["random_area"] for line in lines)
    area = f"{_mean(lines, 'area')} ({gain:+.3f} ± {max(line['error'] for line in lines):.3f})"
    cells = [area, *(_mean(lines, key) for key in ("insertion_area", "without_top", "top_alone"))]
    better = statistics.mean(line["better"] for line in lines)
    return f"| {name}, {len(lines)} x {lines[0]['texts']} | {title} | {' | '.join(cells)} | {better:.0%} |"


def _mean(lines: Lines, key: str) -> str:
    return f"{statistics.mean(line[key] for line in lines):.3f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is not in the results file yet, or print the table."""
    parser = argparse.ArgumentParser(description="Faithfulness of explanations")
    parser.add_argument("action", choices=("run", "table"))
    parser.add_argument("--data", nargs="+", default=["sst2", "trec6"], choices=datasets.NAMES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--orders", type=int, default=5, help="random orders of each text")
    parser.add_argument("--models", type=Path, help="folder to keep the trained models in")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    chosen = parser.parse_args(arguments)
    lines = [json.loads(line) for line in chosen.out.read_text().splitlines()] if chosen.out.exists() else []
    done = {(line["dataset"], line["seed"]) for line in lines}
    with tempfile.TemporaryDirectory() as working:
        for name in chosen.data if chosen.action == "run" else ():
            for seed in chosen.seeds:
                if (name, seed) not in done:
                    found = measure(name, seed, chosen.models or Path(working), chosen.rows, chosen.orders)
                    with chosen.out.open("a", encoding="utf-8") as file:
                        file.writelines(json.dumps(line) + "\n" for line in found)
                    lines += found
    print(table(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
