"""Answers for new texts: encode, batch, run a backend, decode, decide.

Imports neither torch nor transformers: the backend is found by name when a bundle is opened (`backends`).
The learner evaluates through the same pipeline, so that a saved model answers alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from fastbert.bundle import Bundle, read_bundle
from fastbert.data.examples import TextExample
from fastbert.data.tokens import Tokenizer
from fastbert.decisions.rules import Decisions
from fastbert.errors import DataError
from fastbert.inference.backends import open_backend
from fastbert.inference.pipeline import Backend, predict_features
from fastbert.tasks.base import Example, Prediction, Task

CHUNK = 2048  # texts that `stream` holds at a time
CHUNK_CHARACTERS = 8_000_000  # and about how many characters: windows of long contexts take 50 bytes for each
T = TypeVar("T")
TextInput = str | tuple[str, str]


class Predictor:
    """Answers for texts, or pairs of texts, with label names and scores.

    >>> model = Predictor.load("model/")            # doctest: +SKIP
    >>> model(["The export button does nothing"])   # doctest: +SKIP
    [LabelPrediction(labels=('Bugs',), scores={'Bugs': 0.97, ...}, ...)]
    """

    def __init__(self, bundle: Bundle, tokenizer: Tokenizer, backend: Backend, reason: str = "given") -> None:
        self.bundle = bundle
        self.tokenizer = tokenizer
        self.backend = backend
        self.reason = reason  # why this backend, for people

    @classmethod
    def load(
        cls, folder: str | Path, backend: str = "auto", *, verify: bool = True, head: object | None = None
    ) -> Predictor:
        """Open a bundle.

        backend: torch, torch-bf16, onnx, openvino, or the name of an export. "auto" takes the fastest export,
        measured once on each machine, and torch where there is none.    verify: compare checksums.
        head: the factory of a head of your own, for a model that was trained with one.
        Raises BundleError for a folder that is no whole bundle or has no such export, ConfigError for
        an unknown backend, MissingExtraError where its packages are missing.
        """
        return cls.of(read_bundle(folder, verify=verify), backend, head)

    @classmethod
    def of(cls, bundle: Bundle, backend: str = "auto", head: object | None = None) -> Predictor:
        """Return a predictor for a bundle that was read; arguments and errors are those of `load`."""
        tokenizer = Tokenizer.from_folder(bundle.folder, dict(bundle.tokenizer))
        chosen = open_backend(backend, bundle, tokenizer, head)
        return cls(bundle, tokenizer, chosen.backend, chosen.reason)

    @property
    def task(self) -> Task:
        """Return the task that the model was trained for."""
        return self.bundle.task

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the names that answers give, in the model's order."""
        known = self.task.known_labels
        return self.task.label_names if known is None else known.names

    def __call__(self, texts: Sequence[TextInput]) -> list[Prediction]:
        """Return one prediction per text, in order. A pair is a tuple of two texts."""
        return self.predict_examples(as_examples(texts))

    def predict_examples(self, examples: Sequence[Example]) -> list[Prediction]:
        """Return one prediction per example, in order."""
        self._check_shape(examples)
        features = self.task.encode(examples, self.tokenizer, self.bundle.max_tokens)
        return predict_features(self.task, self.backend, features, examples, self.bundle.decisions, self.tokenizer)

    def with_decisions(self, decisions: Decisions) -> Predictor:
        """Return a predictor of the same model that answers by another rule; `Decisions()` is the plain one."""
        return Predictor(replace(self.bundle, decisions=decisions), self.tokenizer, self.backend, self.reason)

    @property
    def answer_columns(self) -> tuple[str, ...]:
        """Return the columns that an answer adds to a table."""
        return self.task.columns_of(self.bundle.decisions)

    def stream(self, texts: Iterable[TextInput], chunk: int = CHUNK) -> Iterator[Prediction]:
        """Yield predictions in order, holding at most chunk texts in memory, or fewer long ones."""
        examples = (as_example(item, row) for row, item in enumerate(checked_list(texts)))
        for block in chunks(examples, num_characters, chunk):
            yield from self.predict_examples(block)

    def _check_shape(self, examples: Sequence[Example]) -> None:
        """Refuse pairs for a model of single texts, and the reverse: it has never seen such input."""
        pairs = self.bundle.reads_pairs
        if pairs is None:
            return
        for example in examples:
            if (example.pair is not None) != pairs:
                raise DataError(
                    f"{example.where or 'An input'} is {'a single text' if pairs else 'a pair of texts'}; "
                    f"this model was trained on {'pairs of texts' if pairs else 'single texts'}.",
                    "Give (text, second text) tuples, or two columns with --text."
                    if pairs
                    else "Give one text each, or one column with --text.",
                )

    def __repr__(self) -> str:
        shown = ", ".join(self.labels[:8]) + (", ..." if len(self.labels) > 8 else "")
        names = f": {shown}" if shown else ""
        return f"Predictor({self.bundle.folder}, {self.task.name}, {self.backend.name}{names})"


def chunks(items: Iterable[T], characters: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """Yield items in lists of `most`, or fewer where they have CHUNK_CHARACTERS together; nothing is read ahead."""
    block: list[T] = []
    total = 0
    for item in items:
        block.append(item)
        total += characters(item)
        if len(block) >= most or total >= CHUNK_CHARACTERS:
            yield block
            block, total = [], 0
    if block:
        yield block


def num_characters(example: Example) -> int:
    """Return the characters of the text or texts of an example."""
    return len(example.text) + len(example.pair or "")


def as_examples(texts: Iterable[TextInput]) -> list[TextExample]:
    """Return texts, or tuples of two, as examples. Raises DataError for anything else."""
    return [as_example(item, row) for row, item in enumerate(checked_list(texts))]


def checked_list(texts: Iterable[TextInput]) -> Iterable[TextInput]:
    """Return texts. Raises DataError for a single one, which would be read letter by letter."""
    if isinstance(texts, str):
        raise DataError("A predictor is called with a list of texts; a single text was given.", "Write model([text]).")
    return texts


def as_example(item: TextInput, row: int) -> TextExample:
    """Return a text, or a tuple of two, as an example. Raises DataError for anything else."""
    text, pair = item if isinstance(item, tuple) and len(item) == 2 else (item, None)
    if not isinstance(text, str) or not isinstance(pair, str | None):
        raise DataError(f"Item {row} is {type(item).__name__}; expected a text, or a tuple of two texts.")
    return TextExample(text, pair, where=f"item {row}")
