"""Vectors of texts, from any encoder or from the encoder inside a bundle. Needs torch.

Two texts that mean the same have vectors whose product is near 1, where the encoder was trained for that, as
`minilm` was. Knows nothing of files or of what the vectors are for.

Axes: N texts, W windows, D width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, Self, cast, get_args

import numpy as np
import numpy.typing as npt

from fastbert.bundle import MANIFEST, read_bundle
from fastbert.config import Precision, Truncation
from fastbert.data.features import EncodedRows
from fastbert.data.tokens import Tokenizer
from fastbert.inference.pipeline import Backend, run_batches
from fastbert.inference.predictor import CHUNK, TextInput, as_examples, checked_list
from fastbert.inference.torch_backend import TorchBackend
from fastbert.models.attention import suit_attention
from fastbert.models.loading import load_bare_encoder, open_encoder
from fastbert.models.pooling import OUTPUT, PooledEncoder, Pooling, pooling_of
from fastbert.models.probing import working_runtime
from fastbert.option_values import chosen_of
from fastbert.runtime import choose_runtime
from fastbert.tasks.texts import encode_texts, mean_over_windows

Vectors = npt.NDArray[np.float32]


class Embedder:
    """Makes a vector of each text, or pair of texts.

    normalized: whether vectors have length 1.    truncation: how a text that is too long is read; the vectors of
    several windows are averaged.

    >>> embed = Embedder.open("minilm")                       # doctest: +SKIP
    >>> embed(["It crashes", "The app crashed"]).shape        # doctest: +SKIP
    (2, 384)
    """

    def __init__(self, backend: Backend, tokenizer: Tokenizer, max_tokens: int, width: int) -> None:
        self.backend = backend
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        self.width = width
        self.normalized = True
        self._truncation: Truncation = "head"

    @property
    def truncation(self) -> Truncation:
        """Return how a text that is too long is read. Setting it to no such way raises ConfigError."""
        return self._truncation

    @truncation.setter
    def truncation(self, value: Truncation) -> None:
        self._truncation = cast("Truncation", chosen_of("truncation", value, get_args(Truncation)))

    @classmethod
    def open(
        cls,
        source: str | Path,
        *,
        pooling: Literal["auto", "mean", "cls"] = "auto",
        max_tokens: int | None = None,
        precision: Precision = "fp32",
    ) -> Self:
        """Open an encoder by name, a checkpoint folder, or a bundle.

        pooling: "auto" as the checkpoint says (`1_Pooling`), else the mean; where that is neither the mean nor the
            first token, or a layer follows it, a warning says so.
        Raises ConfigError for another pooling, EncoderError for an encoder that cannot be opened or a max_tokens that
        it does not take, BundleError for a bundle that is damaged.
        """
        if (Path(source) / MANIFEST).is_file():
            bundle = read_bundle(source)
            max_tokens = bundle.max_tokens if max_tokens is None else max_tokens
        chosen_of("pooling", pooling, ("auto", *get_args(Pooling)))
        encoder = open_encoder(str(source))
        limit = encoder.default_max_tokens if max_tokens is None else max_tokens
        encoder.tokenizer.check_room(limit)
        model = load_bare_encoder(encoder)
        runtime = choose_runtime(precision)
        chosen = pooling_of(Path(encoder.source)) if pooling == "auto" else pooling
        pooled = PooledEncoder(model, chosen).to(runtime.device).eval()
        names = encoder.tokenizer.input_names
        runtime = working_runtime(pooled, runtime, names, precision)
        suit_attention(model, runtime)
        backend = TorchBackend(pooled, runtime, names, outputs=(OUTPUT,))
        return cls(backend, encoder.tokenizer, limit, int(encoder.config.hidden_size))

    def __call__(self, texts: Sequence[TextInput]) -> Vectors:
        """Return the vectors of texts, float32 (N, D), in their order."""
        return self._embed(texts)[0]

    def stream(self, texts: Iterable[TextInput], chunk: int = CHUNK) -> Iterator[tuple[Vectors, int]]:
        """Yield the vectors of a chunk of texts at a time, in order, and how many of these texts were cut."""
        remaining = iter(checked_list(texts))
        while block := list(islice(remaining, max(1, chunk))):
            yield self._embed(block)

    def _embed(self, texts: Sequence[TextInput]) -> tuple[Vectors, int]:
        examples = as_examples(texts)
        vectors_ND = np.zeros((len(examples), self.width), np.float32)
        if not examples:
            return vectors_ND, 0
        features = encode_texts(
            examples,
            None,
            self.tokenizer,
            max_tokens=self.max_tokens,
            truncation=self.truncation,
            slide="longer",  # a question beside a long context, as well as a document beside its title
        )
        encoded = EncodedRows.of(features, len(examples))
        for rows, windows, outputs in run_batches(self.backend, encoded, self.tokenizer.pad_id):
            vectors_ND[rows] = mean_over_windows(outputs[OUTPUT], windows)
        if self.normalized:
            vectors_ND /= np.maximum(np.linalg.norm(vectors_ND, axis=1, keepdims=True), 1e-12)
        cut = int(features.windows.table_W["cut"][encoded.starts[:-1]].sum())
        return vectors_ND, cut
