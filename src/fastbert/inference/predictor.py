"""Answers for new texts: encode, batch, run a backend, decode, decide.

Imports neither torch nor transformers: the backend is found by name when a bundle is opened.
The learner evaluates through the same functions, so that a saved model answers alike.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from fastbert.bundle import Bundle, read_bundle
from fastbert.data.batches import prediction_batches
from fastbert.data.examples import TextExample
from fastbert.data.features import EncodedRows, Features
from fastbert.data.tokens import Tokenizer
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError, ConfigError, DataError, MissingExtraError, did_you_mean
from fastbert.tasks.base import Array, Batch, Example, Feature, Prediction, Task, pad_batch

BATCH_TOKENS = 8192  # padded tokens of one forward pass, which one long window may exceed
CHUNK = 2048  # texts that `stream` holds at a time
# name -> (module, class, packages it needs, extra); a backend is imported when it is chosen
BACKENDS: dict[str, tuple[str, str, tuple[str, ...], str]] = {
    "torch": ("fastbert.inference.torch_backend", "TorchBackend", ("torch", "transformers"), "train"),
}
TextInput = str | tuple[str, str]


class Backend(Protocol):
    """Runs an encoder on one padded batch."""

    name: str

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return the outputs, one row per window of the batch."""


class Predictor:
    """Answers for texts, or pairs of texts, with label names and scores.

    >>> model = Predictor.load("model/")            # doctest: +SKIP
    >>> model(["The export button does nothing"])   # doctest: +SKIP
    [Prediction(labels=('Bugs',), scores={'Bugs': 0.97, ...}, ...)]
    """

    def __init__(self, bundle: Bundle, tokenizer: Tokenizer, backend: Backend) -> None:
        self.bundle = bundle
        self.tokenizer = tokenizer
        self.backend = backend

    @classmethod
    def load(
        cls, folder: str | Path, backend: str = "auto", *, verify: bool = True, head: object | None = None
    ) -> Predictor:
        """Open a bundle.

        backend: "auto" takes the first that is installed.    verify: compare checksums.
        head: the factory of a head of your own, for a model that was trained with one.
        Raises BundleError for a folder that is no whole bundle, ConfigError for an unknown
        backend, MissingExtraError where its packages are missing.
        """
        opened = read_bundle(folder, verify=verify)
        if opened.head is not None and head is None:
            raise BundleError(
                f"{folder}: the model was trained with a head of its own, {opened.head}.",
                "Pass it: Predictor.load(folder, head=...).",
            )
        tokenizer = Tokenizer.from_folder(Path(folder), dict(opened.tokenizer))
        return cls(opened, tokenizer, _open_backend(backend, opened, tokenizer, head))

    @property
    def task(self) -> Task:
        """Return the task that the model was trained for."""
        return self.bundle.task

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the label names in the model's order."""
        return tuple(cast("dict[int, str]", self.task.model_options["id2label"]).values())

    def __call__(self, texts: Sequence[TextInput]) -> list[Prediction]:
        """Return one prediction per text, in order. A pair is a tuple of two texts."""
        return self.predict_examples(as_examples(texts))

    def predict_examples(self, examples: Sequence[Example]) -> list[Prediction]:
        """Return one prediction per example, in order."""
        self._check_shape(examples)
        features = self.task.encode(examples, self.tokenizer, self.bundle.max_tokens)
        return predict_features(self.task, self.backend, features, examples, self.bundle.decisions, self.tokenizer)

    def stream(self, texts: Iterable[TextInput], chunk: int = CHUNK) -> Iterator[Prediction]:
        """Yield predictions in order, holding at most chunk texts in memory."""
        remaining = enumerate(_checked_list(texts))
        while block := [as_example(item, row) for row, item in islice(remaining, max(1, chunk))]:
            yield from self.predict_examples(block)

    def _check_shape(self, examples: Sequence[Example]) -> None:
        """Refuse pairs for a model of single texts, and the reverse: it has never seen such input."""
        plan = self.bundle.facts.get("plan")
        layout = plan.get("layout") if isinstance(plan, dict) else None
        if not isinstance(layout, dict):
            return  # not trained on a table: nothing is known
        pairs = layout.get("pair") is not None
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
        return f"Predictor({self.bundle.folder}, {self.task.name}, {self.backend.name}: {shown})"


def predict_features(
    task: Task,
    backend: Backend,
    features: Sequence[Feature],
    examples: Sequence[Example],
    decisions: Decisions,
    tokenizer: Tokenizer,
    batch_tokens: int = BATCH_TOKENS,
) -> list[Prediction]:
    """Return predictions in the order of examples; batches are formed by length inside.

    features: all windows of the examples, in order, with `example` counted from 0.
    """
    if not examples:
        return []
    encoded = EncodedRows.of(features, len(examples))
    answers: list[Prediction | None] = [None] * len(examples)
    for rows in prediction_batches(encoded.costs, batch_tokens=batch_tokens):
        chosen = encoded.windows_of(rows)
        outputs = _forward(backend, chosen, tokenizer.pad_id, batch_tokens)
        for row, prediction in zip(rows, task.decode(outputs, chosen, decisions), strict=True):
            answers[row] = _with_source(prediction, examples[row])
    return cast("list[Prediction]", answers)


def _forward(backend: Backend, windows: Sequence[Feature], pad_id: int, batch_tokens: int) -> dict[str, Array]:
    """Run windows in as many passes as batch_tokens asks for: one text alone may have more than fit in one."""
    longest = int(Features.of(windows).length_W.max())
    size = max(1, batch_tokens // longest)
    if len(windows) <= size:
        return backend.forward(pad_batch(windows, pad_id))
    parts = [
        backend.forward(pad_batch(windows[start : start + size], pad_id)) for start in range(0, len(windows), size)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _with_source(prediction: Prediction, example: Example) -> Prediction:
    return Prediction(
        prediction.labels, prediction.scores, example.text, example.pair, prediction.windows, prediction.cut
    )


def as_examples(texts: Iterable[TextInput]) -> list[TextExample]:
    """Return texts, or tuples of two, as examples. Raises DataError for anything else."""
    return [as_example(item, row) for row, item in enumerate(_checked_list(texts))]


def _checked_list(texts: Iterable[TextInput]) -> Iterable[TextInput]:
    if isinstance(texts, str):
        raise DataError("A predictor is called with a list of texts; a single text was given.", "Write model([text]).")
    return texts


def as_example(item: TextInput, row: int) -> TextExample:
    """Return a text, or a tuple of two, as an example. Raises DataError for anything else."""
    text, pair = item if isinstance(item, tuple) and len(item) == 2 else (item, None)
    if not isinstance(text, str) or not isinstance(pair, str | None):
        raise DataError(f"Item {row} is {type(item).__name__}; expected a text, or a tuple of two texts.")
    return TextExample(text, pair, where=f"item {row}")


def _open_backend(name: str, bundle: Bundle, tokenizer: Tokenizer, head: object | None) -> Backend:
    if name != "auto" and name not in BACKENDS:
        hint = did_you_mean(name, BACKENDS) or f"Known: auto, {', '.join(BACKENDS)}."
        raise ConfigError(f"'{name}' is not a backend.", hint)
    wanted = list(BACKENDS) if name == "auto" else [name]
    for candidate in wanted:
        module, kind, packages, extra = BACKENDS[candidate]
        missing = [package for package in packages if importlib.util.find_spec(package) is None]
        if not missing:
            opened = getattr(importlib.import_module(module), kind).open(bundle, tokenizer, head)
            return cast("Backend", opened)
    raise MissingExtraError(missing[0], extra, f"The backend '{wanted[-1]}'")
