"""The public data sets of the benchmarks as rows: (text, pair or None, label names).

Reads the raw files as their authors laid them out, each with its traps: no header, quotes that are data,
columns in another order.
Knows neither FastBert nor a peer: both sides get exactly these rows, the training rows to train on (and to
split further, if they want a validation set) and the test rows to be scored on once. Development files are
used by neither side.

Import it as `benchmarks.datasets` with the repository root on the path. With this folder itself on the path
it would hide the `datasets` package of Hugging Face.
"""

import csv
import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import openpyxl

Row = tuple[str, str | None, tuple[str, ...]]
Metric = Literal["accuracy", "mcc", "f1", "f1_macro", "average_precision_macro", "spearman"]

# Training rows are drawn by the hash of (seed, row number): the same rows with every version of Python.
SUBSET_SEED = 0
SST2_TRAIN_ROWS = 3_500  # of 6,920
GOEMOTIONS_TRAIN_ROWS = 6_000  # of 43,410
APP_REVIEWS_TRAIN_ROWS = 2_000  # of 6,353
APP_REVIEWS_TEST_SHARE = 0.2
# For choosing a recipe.
HELD_OUT_ROWS = 1_000  # of those not drawn
HELD_OUT_SHARE = 0.2
COLA_HELD_OUT_SOURCES = frozenset(("cj99", "rhl07", "b_73", "d_98", "kl93", "sgww85", "gj04"))
COLA_IN_DOMAIN_SHARE = 0.1


@dataclass(frozen=True)
class Benchmark:
    """One data set: the rows to train on, the rows to be scored on, and the metric that decides.

    Without labels it is a regression: the one "label" of a row is its number.
    Labels are in the order of their ids; for the metric `f1` the last label is the positive one.
    """

    name: str
    train: list[Row]
    tests: dict[str, list[Row]]
    labels: tuple[str, ...]
    multi_label: bool
    metric: Metric
    spare: list[Row] = field(default_factory=list)  # training rows that were not drawn, with texts of their own


def load(name: str, root: Path | None = None) -> Benchmark:
    """Read one data set by name, see `NAMES`.

    root: the folder with one folder a data set; default: `data_root()`.
    Raises KeyError for an unknown name and FileNotFoundError where the data are missing.
    """
    return _LOADERS[name](data_root() if root is None else Path(root))


def held_out(name: str, root: Path | None = None) -> Benchmark:
    """Read one data set with training rows in the place of its test rows: to choose by, so that tests choose nothing.

    They are rows that were not drawn where the training rows are a subset; of CoLA whole sources and a tenth
    of the others, as its test files are made; else a fifth, by the hash of the text.
    """
    place = data_root() if root is None else Path(root)
    benchmark = load(name, place)
    if benchmark.spare:
        return replace(benchmark, tests={"held_out": benchmark.spare[:HELD_OUT_ROWS]})
    if name == "cola":
        sources = [line.split("\t")[0] for line in _lines(place / "cola" / "in_domain_train.tsv")]
        where = [_cola_side(source, row[0]) for source, row in zip(sources, benchmark.train, strict=True)]
    else:
        where = ["held_out" if _hash_share(text) < HELD_OUT_SHARE else "train" for text, _, _ in benchmark.train]
    sides = {side: [row for row, at in zip(benchmark.train, where, strict=True) if at == side] for side in set(where)}
    return replace(benchmark, train=sides.pop("train"), tests=dict(sorted(sides.items())))


def few(name: str, rows_per_label: int, seed: int, root: Path | None = None) -> Benchmark:
    """Read one data set with so many training rows of each label, drawn by the seed; no text is drawn twice.

    The test rows are all of them. Raises ValueError where a label has fewer rows.
    """
    benchmark = load(name, root)
    texts: set[str] = set()
    left: dict[tuple[str, ...], list[Row]] = {}
    rows = [*benchmark.train, *benchmark.spare]
    for place in sorted(range(len(rows)), key=lambda i: _hash_share(f"{seed}:{i}")):
        key = " ".join(rows[place][0].lower().split())
        if key not in texts:
            left.setdefault(rows[place][2], []).append(rows[place])
        texts.add(key)
    if any(len(found) < rows_per_label for found in left.values()):
        raise ValueError(f"{name} has labels with fewer than {rows_per_label} rows")
    drawn = [row for label in sorted(left) for row in left[label][:rows_per_label]]
    return replace(benchmark, train=drawn, spare=[])


def imdb(root: Path | None = None) -> Benchmark:
    """Read the IMDb sample: long reviews. It is measured for speed, and so is none of `NAMES`."""

    def read(name: str) -> list[Row]:
        place = (data_root() if root is None else root) / "imdb" / f"{name}.jsonl.gz"
        with gzip.open(place, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        return [(row["text"], None, (row["label"],)) for row in rows]

    return Benchmark("imdb", read("train"), {"test": read("test")}, ("neg", "pos"), False, "accuracy")


def data_root() -> Path:
    """Return the folder of the raw data: $FASTBERT_DATA, or the default beside the repository."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("FASTBERT_DATA", default))


def write_csvs(benchmark: Benchmark, folder: Path) -> dict[str, Path]:
    """Write train.csv and one CSV a test set; return their paths by name, the training file as `train`.

    Header: text[,pair],label; with multiple labels one 0/1 column a label instead of `label`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name, rows in {"train": benchmark.train, **benchmark.tests}.items():
        paths[name] = folder / f"{name}.csv"
        with paths[name].open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(_table(benchmark, rows))
    return paths


def _table(benchmark: Benchmark, rows: list[Row]) -> Iterable[list[str]]:
    has_pairs = rows[0][1] is not None
    yield [
        "text",
        *(["pair"] if has_pairs else []),
        *(benchmark.labels if benchmark.multi_label else ["label"]),
    ]
    for text, pair, names in rows:
        targets = [str(int(label in names)) for label in benchmark.labels] if benchmark.multi_label else names
        yield [text, *([pair] if pair is not None else []), *targets]


def _cola(root: Path) -> Benchmark:
    def read(name: str) -> list[Row]:
        cells = (line.split("\t") for line in _lines(root / "cola" / name))
        return [(sentence, None, (label,)) for _source, label, _star, sentence in cells]

    tests = {"in_domain": read("in_domain_dev.tsv"), "out_of_domain": read("out_of_domain_dev.tsv")}
    return Benchmark("cola", read("in_domain_train.tsv"), tests, ("0", "1"), False, "mcc")


def _sst2(root: Path) -> Benchmark:
    def read(name: str) -> list[Row]:
        cells = (line.split("\t") for line in _lines(root / "sst2" / name))
        return [(sentence, None, (label,)) for sentence, label in cells]

    train, spare = _subset(read("train.tsv"), SST2_TRAIN_ROWS)
    return Benchmark("sst2", train, {"test": read("test.tsv")}, ("0", "1"), False, "accuracy", spare)


def _trec6(root: Path) -> Benchmark:
    def read(name: str) -> list[Row]:
        cells = (line.split(" ", maxsplit=1) for line in _lines(root / "trec6" / name))
        return [(question, None, (label.split(":")[0],)) for label, question in cells]

    train = read("train.txt")
    return Benchmark("trec6", train, {"test": read("test.txt")}, _label_names(train), False, "accuracy")


def _mrpc(root: Path) -> Benchmark:
    def read(name: str) -> list[Row]:
        cells = (line.split("\t") for line in _lines(root / "mrpc" / name)[1:])
        return [(first, second, (label,)) for label, _id1, _id2, first, second in cells]

    return Benchmark("mrpc", read("train.tsv"), {"test": read("dev.tsv")}, ("0", "1"), False, "f1")


def _stsb(root: Path) -> Benchmark:
    def read(name: str) -> list[Row]:
        cells = (line.split("\t") for line in _lines(root / "stsb" / name)[1:])
        return [(first, second, (score,)) for *_, first, second, score in cells]

    return Benchmark("stsb", read("train.tsv"), {"test": read("dev.tsv")}, (), False, "spearman")


def _goemotions(root: Path) -> Benchmark:
    labels = tuple(_lines(root / "goemotions" / "labels.txt"))

    def read(name: str) -> list[Row]:
        with (root / "goemotions" / name).open(encoding="utf-8", newline="") as file:
            cells = [(row["text"], row["label"]) for row in csv.DictReader(file, delimiter="\t")]
        return [(text, None, tuple(labels[int(i)] for i in ids.split(","))) for text, ids in cells]

    train, spare = _subset(read("train.tsv"), GOEMOTIONS_TRAIN_ROWS)
    return Benchmark("goemotions", train, {"test": read("test.tsv")}, labels, True, "f1_macro", spare)


def _app_reviews(root: Path) -> Benchmark:
    path = root / "app_reviews" / "dataset_balanced_8000.xlsx"
    header, *cells = openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True)
    text_column, label_column = header.index("review"), header.index("label")
    rows: list[Row] = [(str(row[text_column]), None, (str(row[label_column]),)) for row in cells]
    # By the hash of the text: none of the 333 repeated reviews is on both sides.
    is_test = [_hash_share(" ".join(text.lower().split())) < APP_REVIEWS_TEST_SHARE for text, _, _ in rows]
    train = [row for row, test in zip(rows, is_test, strict=True) if not test]
    tests = {"test": [row for row, test in zip(rows, is_test, strict=True) if test]}
    subset, spare = _subset(train, APP_REVIEWS_TRAIN_ROWS)
    return Benchmark("app_reviews", subset, tests, _label_names(rows), False, "f1_macro", spare)


def _jigsaw(root: Path) -> Benchmark:
    folder = root / "jigsaw_sample"
    with (folder / "train.csv").open(encoding="utf-8", newline="") as file:
        labels = tuple(name for name in next(csv.reader(file)) if name not in ("id", "comment_text"))

    def read(name: str) -> list[Row]:
        # By column name: the two files order their columns differently.
        with (folder / name).open(encoding="utf-8", newline="") as file:
            cells = list(csv.DictReader(file))
        return [(row["comment_text"], None, tuple(name for name in labels if row[name] == "1")) for row in cells]

    tests = {"test": read("val.csv")}
    return Benchmark("jigsaw", read("train.csv"), tests, labels, True, "average_precision_macro")


def _lines(path: Path) -> list[str]:
    """Return the lines; only a line feed ends one, quotes are data, a byte order mark is dropped."""
    return path.read_text(encoding="utf-8-sig").rstrip("\n").split("\n")


def _label_names(rows: list[Row]) -> tuple[str, ...]:
    return tuple(sorted({name for _, _, names in rows for name in names}))


def _subset(rows: list[Row], num_rows: int) -> tuple[list[Row], list[Row]]:
    """Draw rows without replacement, in their order; also return the others, by hash, without texts that were drawn."""
    by_hash = sorted(range(len(rows)), key=lambda i: _hash_share(f"{SUBSET_SEED}:{i}"))
    drawn = [rows[i] for i in sorted(by_hash[:num_rows])]
    texts = {text for text, _, _ in drawn}
    return drawn, [rows[i] for i in by_hash[num_rows:] if rows[i][0] not in texts]


def _cola_side(source: str, sentence: str) -> str:
    if source in COLA_HELD_OUT_SOURCES:
        return "held_out_sources"
    return "held_out" if _hash_share(sentence) < COLA_IN_DOMAIN_SHARE else "train"


def _hash_share(text: str) -> float:
    """Return a number in [0, 1) that depends on the text only."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


_LOADERS: dict[str, Callable[[Path], Benchmark]] = {
    "jigsaw": _jigsaw,
    "trec6": _trec6,
    "cola": _cola,
    "mrpc": _mrpc,
    "sst2": _sst2,
    "stsb": _stsb,
    "app_reviews": _app_reviews,
    "goemotions": _goemotions,
}
NAMES = tuple(_LOADERS)  # from the fewest padded training tokens to the most
