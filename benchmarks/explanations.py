"""Whether explanations name the words that answers rest on: integrated gradients and occlusion against random words.

FastBert is trained on the training rows of a data set (2 epochs, else its defaults) and its answers for the first test
rows are explained. Words are then hidden in the order of each explanation and in the same random orders.

    python benchmarks/explanations.py --data sst2 trec6 --rows 100
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import datasets
from fastbert import Predictor, api
from fastbert.config import split_options
from fastbert.inference.predictor import as_examples
from fastbert.insight.explain import Method
from fastbert.insight.faithfulness_table import FaithfulnessSummary, faithfulness

METHODS: Mapping[str, Method] = {"integrated gradients": "gradients", "occlusion": "occlusion"}


def train(name: str, folder: Path) -> Path:
    """Train on a data set, unless the folder holds its model already; return the bundle."""
    target = folder / name
    if not target.is_dir():
        with tempfile.TemporaryDirectory() as working:
            paths = datasets.write_csvs(datasets.load(name), Path(working) / "data")
            data, config = split_options({"epochs": 2})
            api.train(api.Tables(paths["train"]), target, data=data, config=config)
    return target


def measure(name: str, folder: Path, num_rows: int, orders: int) -> dict[str, FaithfulnessSummary]:
    """Return how faithful each method is on the first test rows of a data set."""
    predictor = Predictor.load(train(name, folder), "torch")
    rows = next(iter(datasets.load(name).tests.values()))[:num_rows]
    examples = as_examples([text if pair is None else (text, pair) for text, pair, _ in rows])
    return {title: faithfulness(predictor, examples, method=method, orders=orders) for title, method in METHODS.items()}


def table(measured: Mapping[str, Mapping[str, FaithfulnessSummary]]) -> str:
    """Return the means of each data set and method as Markdown, with random words below them."""
    lines = [
        "| data, texts | words by | deletion area (lower) | insertion area (higher) | without the top fifth | "
        "the top fifth alone | better than random |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, methods in measured.items():
        for title, one in methods.items():
            cells = (one.insertion_area, one.without_top, one.top_alone)
            numbers = " | ".join(f"{cell:.3f}" for cell in cells)
            area = f"{one.area:.3f} ({one.area - one.random_area:+.3f} ± {one.error:.3f})"
            lines.append(f"| {name}, {one.texts} | {title} | {area} | {numbers} | {one.better:.0%} |")
        last = list(methods.values())[-1]
        random = (last.random_area, last.random_area, last.random_without, last.random_alone)
        lines.append(f"| | random | {' | '.join(f'{cell:.3f}' for cell in random)} | |")
        lines.append(f"| | all words: {last.score:.3f}, none: {last.hidden:.3f} | | | | | |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table; the numbers go to standard error as JSON, a line each."""
    parser = argparse.ArgumentParser(description="Faithfulness of explanations")
    parser.add_argument("--data", nargs="+", default=["sst2", "trec6"])
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--orders", type=int, default=5, help="random orders of each text")
    parser.add_argument("--models", type=Path, help="folder to keep the trained models in")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as working:
        measured = {}
        for name in options.data:
            measured[name] = measure(name, options.models or Path(working), options.rows, options.orders)
            for title, one in measured[name].items():
                print(json.dumps({"data": name, "method": title, **one.to_json()}), file=sys.stderr, flush=True)
    print(table(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
