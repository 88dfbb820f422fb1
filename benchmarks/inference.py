"""Answers per second on a processor: FastBert's own choice of an export against three other ways, one model.

One MiniLM a data set is trained and exported by FastBert and kept in --cache. Every system then answers the
same test texts in one process with the same threads, in turn (A B C D A B C D ...), and the ratio is taken
within each round. Scores are those of the answers on the labelled test rows; FastBert's own in torch, untimed,
stand beside them, since the peers read the head of a long text alone. Latency: one text of 32 tokens at a time.

    python benchmarks/inference.py --cache /tmp/inference
    python benchmarks/inference.py --cache /tmp/inference --rows 100 --rounds 2 --train-rows 500 --valid-rows 100
"""

import argparse
import csv
import functools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as the command line sets it; better for all sides
# A script sees its own folder only, where `datasets` would hide the package of Hugging Face.
sys.path[0] = str(Path(__file__).resolve().parents[1])

if TYPE_CHECKING:
    from fastbert import Predictor
    from fastbert.export.exporting import Attempt

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "inference.jsonl"
KINDS = ("onnx", "onnx-int8", "openvino", "openvino-int8")
LATENCY_TOKENS = 32
MIN_TOKENS = {"cola": 0, "imdb": 256}  # of the texts that are timed
IN_TORCH = "fastbert, torch"  # what an export is held against: the same tokens, untimed
System = Callable[[list[str]], Any]


def prepare(name: str, chosen: argparse.Namespace) -> tuple[Path, Any]:
    """Train and export the model of a data set unless the cache has it; return its folder and the data."""
    from benchmarks import datasets
    from fastbert import api, export_bundle
    from fastbert.bundle import read_bundle
    from fastbert.errors import ExportError

    benchmark = datasets.imdb() if name == "imdb" else datasets.load(name)
    rows = sorted(benchmark.train, key=lambda row: datasets._hash_share(row[0]))  # any order but that of the file
    valid, train = rows[: chosen.valid_rows], rows[chosen.valid_rows :][: chosen.train_rows]
    place = chosen.cache / f"{name}-{len(train)}"
    place.mkdir(parents=True, exist_ok=True)
    for file, part in (("train.csv", train), ("valid.csv", valid)):
        with (place / file).open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([("text", "label"), *((text, names[0]) for text, _, names in part)])
    folder = place / "model"
    if not folder.exists():
        print(f"{name}: training on {len(train)} rows", file=sys.stderr)
        api.train(api.Tables(place / "train.csv", place / "valid.csv"), folder)
    for kind in KINDS:
        if kind in read_bundle(folder).exports:
            continue
        try:
            export = export_bundle(folder, kind, data=place / "valid.csv", on_attempt=_show)  # type: ignore[arg-type]
            print(f"{name}: {export.name} is {export.scheme}", file=sys.stderr)
        except ExportError as error:  # the others are still there to choose from
            print(f"{name}: {error}", file=sys.stderr)
    return folder, benchmark


def _show(attempt: "Attempt") -> None:
    print(f"  {attempt.scheme}: {attempt.describe()}", file=sys.stderr)


def systems_of(folder: Path, threads: int) -> tuple[dict[str, System], str]:
    """Return the systems by name, FastBert first, and what FastBert chose."""
    import torch

    from benchmarks import machine
    from benchmarks.peers.inference import Embeddings, Pipeline, PlainOnnx
    from fastbert import Predictor
    from fastbert.models.loading import open_encoder

    model = Predictor.load(folder)
    limit = model.bundle.max_tokens
    encoder = Path(open_encoder("minilm").source)
    dtypes = [torch.float32, *([torch.bfloat16] if machine.bf16_pays() else [])]
    peers: list[Any] = [
        Pipeline(folder, limit),
        *(Embeddings(encoder, limit, dtype) for dtype in dtypes),
        PlainOnnx(folder / "onnx/model.onnx", folder / "tokenizer.json", model.labels, limit, threads),
    ]
    ours = {"fastbert": functools.partial(labels_of, model)}
    return {**ours, **{peer.name: peer for peer in peers}}, f"{model.backend.name}: {model.reason}"


def labels_of(model: "Predictor", texts: list[str]) -> list[str]:
    """Return the label of each text."""
    return [answer.labels[0] for answer in model(texts)]


def measure(name: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """Return seconds, scores and latencies of all systems on one data set."""
    from benchmarks import machine, scoring
    from fastbert import Predictor

    folder, benchmark = prepare(name, chosen)
    systems, choice = systems_of(folder, chosen.threads)
    lengths = Lengths(folder)
    rows = [row for test in benchmark.tests.values() for row in test]
    rows = [row for row in rows if lengths.of(row[0]) >= MIN_TOKENS[name]][: chosen.rows]
    texts = [row[0] for row in rows]
    answers = {system: call(texts) for system, call in systems.items()}  # warms up, too
    answers[IN_TORCH] = labels_of(Predictor.load(folder, backend="torch"), texts)
    seconds: dict[str, list[float]] = {system: [] for system in systems}
    for _ in range(chosen.rounds):
        for system, call in systems.items():
            seconds[system].append(_timed(call, texts))
    decided: dict[str, list[tuple[str, ...]]] = {
        system: [(label,) for label in found] for system, found in answers.items() if found is not None
    }
    return {
        "dataset": name,
        "backend": choice,
        "rows": len(rows),
        "tokens": sum(lengths.of(text) for text in texts),
        "metric": benchmark.metric,
        "scores": {s: scoring.score(benchmark, rows, found)[benchmark.metric] for s, found in decided.items()},
        "seconds": seconds,
        "latency_ms": latencies(systems, lengths.text_of(texts, LATENCY_TOKENS), chosen.calls),
        "machine": machine.describe("as each system has it") | {"threads": chosen.threads},
        "versions": {package: version(package) for package in ("torch", "transformers", "onnxruntime", "openvino")},
    }


class Lengths:
    """Tokens of texts, as the model of a folder counts them, at most its limit."""

    def __init__(self, folder: Path) -> None:
        import tokenizers

        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(512)

    def of(self, text: str) -> int:
        """Return the number of tokens, special ones included."""
        return len(self.tokenizer.encode(text))

    def text_of(self, texts: list[str], size: int) -> str:
        """Return the first words of the texts that make just so many tokens, or one fewer."""
        words, chosen = " ".join(texts).split(), ""
        while words and self.of(f"{chosen} {words[0]}") <= size:
            chosen = f"{chosen} {words.pop(0)}".strip()
        return chosen


def latencies(systems: dict[str, System], text: str, calls: int) -> dict[str, dict[str, float]]:
    """Return p50 and p99 of one text at a time, in milliseconds; systems take turns at each call."""
    found: dict[str, list[float]] = {system: [] for system in systems}
    for turn in range(calls + 10):
        for system, call in systems.items():
            took = _timed(call, [text])
            if turn >= 10:
                found[system].append(took * 1000)
    return {
        system: {"p50": statistics.median(values), "p99": statistics.quantiles(values, n=100)[98]}
        for system, values in found.items()
    }


def _timed(call: System, texts: list[str]) -> float:
    start = time.perf_counter()
    call(texts)
    return time.perf_counter() - start


def table(measured: list[dict[str, Any]]) -> str:
    """Return a Markdown table: how many times faster FastBert is, scores, and latencies."""
    rows = [
        "| data | system | texts/s | FastBert is faster by | score | one text, p50 / p99 ms | FastBert by, p50 |",
        "|---|---|---|---|---|---|---|",
    ]
    for line in measured:
        ours, waits = line["seconds"]["fastbert"], line["latency_ms"]
        for system, seconds in line["seconds"].items():
            ratios = [theirs / own for theirs, own in zip(seconds, ours, strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
            score = line["scores"].get(system)
            cells = [
                f"{line['dataset']}, {line['tokens'] / line['rows']:.0f} tokens",
                system,
                f"{line['rows'] / statistics.median(seconds):.0f}",
                "-" if system == "fastbert" else f"{middle:.2f} [{low:.2f}-{high:.2f}]",
                "-" if score is None else f"{line['metric']} {score:.4f}",
                f"{waits[system]['p50']:.2f} / {waits[system]['p99']:.2f}",
                "-" if system == "fastbert" else f"{waits[system]['p50'] / waits['fastbert']['p50']:.2f}",
            ]
            rows.append("| " + " | ".join(cells) + " |")
        if IN_TORCH in line["scores"]:
            score = f"{line['metric']} {line['scores'][IN_TORCH]:.4f}"
            rows.append(f"| {line['dataset']} | {IN_TORCH} | - | - | {score} | - | - |")
    return "\n".join(rows)


def main() -> None:
    """Measure, append one JSON line a data set to the results, and print the table."""
    parser = argparse.ArgumentParser(description="Inference on a processor: FastBert against its peers")
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps the trained models")
    parser.add_argument("--data", nargs="+", choices=tuple(MIN_TOKENS), default=list(MIN_TOKENS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rows", type=int, default=1000, help="texts that are answered in a round")
    parser.add_argument("--calls", type=int, default=200, help="single texts, for the latency")
    parser.add_argument("--train-rows", type=int, help="fewer training rows, to try the script")
    parser.add_argument("--valid-rows", type=int, default=800, help="training rows to check and calibrate exports on")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    chosen = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(chosen.threads)  # before torch is imported
    measured = []
    for name in chosen.data:
        measured.append(measure(name, chosen))
        with chosen.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(measured[-1]) + "\n")
    print(table(measured))
    print("\n".join(f"{line['dataset']}: {line['backend']}" for line in measured))


if __name__ == "__main__":
    main()
