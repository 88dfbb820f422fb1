"""The public tagging data sets of the benchmarks as sentences of words with IOB2 tags, and their score by seqeval.

Reads the raw files as their authors laid them out. Knows neither FastBert nor a peer: both sides train on the same
sentences and are scored on the same test sentences; development files are used by neither side.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from seqeval.metrics import f1_score, precision_score, recall_score

from benchmarks.datasets import data_root

Sentence = tuple[tuple[str, ...], tuple[str, ...]]  # words, tags
WNUT = {"train": "wnut17train.conll", "test": "emerging.test.annotated"}


@dataclass(frozen=True)
class TaggedBenchmark:
    """Sentences to train on and to be scored on. source: the file or folder of the training sentences."""

    name: str
    train: list[Sentence]
    test: list[Sentence]
    source: Path

    @property
    def tags(self) -> tuple[str, ...]:
        """Return the tags of the training sentences, O first, B- before I-."""
        found = {tag for _, tags in self.train for tag in tags}
        types = sorted({tag[2:] for tag in found if tag != "O"})
        return ("O", *(f"{part}-{name}" for name in types for part in "BI"))


def load(name: str) -> TaggedBenchmark:
    """Read a data set of `NAMES`. Raises FileNotFoundError where the data are missing."""
    root = data_root() / name
    if name == "wnut17":
        parts = {part: _columns(root / file) for part, file in WNUT.items()}
        return TaggedBenchmark(name, parts["train"], parts["test"], root / WNUT["train"])
    return TaggedBenchmark(name, _parallel(root / "train"), _parallel(root / "test"), root / "train")


def scores(test: list[Sentence], tags: list[list[str]]) -> dict[str, float]:
    """Return strict precision, recall and F1 of entities by seqeval. tags: one a word of each sentence."""
    true = [list(sentence[1]) for sentence in test]
    measures = {"precision": precision_score, "recall": recall_score, "f1": f1_score}
    return {name: float(measure(true, tags)) for name, measure in measures.items()}


def _columns(path: Path) -> list[Sentence]:
    sentences = []
    for block in re.split(r"(?:^[ \t]*\n)+", path.read_text(encoding="utf-8").replace("\r", ""), flags=re.MULTILINE):
        cells = [line.split("\t") for line in block.split("\n") if line]  # a blank line may hold a tab
        if cells:
            sentences.append((tuple(cell[0] for cell in cells), tuple(cell[-1].strip() for cell in cells)))
    return sentences


def _parallel(folder: Path) -> list[Sentence]:
    lines = [(folder / name).read_text(encoding="utf-8").rstrip("\n").split("\n") for name in ("seq.in", "seq.out")]
    return [(tuple(words.split()), tuple(tags.split())) for words, tags in zip(*lines, strict=True)]


NAMES = ("wnut17", "snips")
