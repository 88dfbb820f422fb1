"""Integrated gradients of the words of a text, through a torch model as it answers (Sundararajan et al. 2017).

The way leads from the text with all words hidden (their tokens replaced by the mask token; special tokens stay) to the
text itself, over the word embeddings: arXiv 1703.01365, section 3. captum computes the integral. Windows of a text are
averaged on the way as they are for the answer. Knows nothing of what is done with the values.

Axes: S points on the way, W windows of the example, L tokens, D width of the embedding, K words.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from fastbert.errors import ConfigError, MissingExtraError
from fastbert.inference.torch_backend import TorchBackend, model_inputs, to_tensors
from fastbert.insight.attribution import Attributed
from fastbert.insight.explained_outputs import Output
from fastbert.insight.readings import NO_WORD, Reading
from fastbert.tasks.base import pad_batch

FIRST_STEPS, MOST_STEPS = 32, 512
TOLERANCE = 0.02  # of the sum of the sizes of all values: steps are doubled until the values add up to that
# A pass with gradients keeps what each layer computed: it gets a quarter of the tokens of one without.
GRADIENT_SHARE = 4


@dataclass(frozen=True)
class IntegratedGradients:
    """Integrated gradients through the model of a backend. Always float32: the integral is a sum of small numbers.

    mask_id: the token that stands for a hidden word.
    """

    backend: TorchBackend
    pad_id: int
    mask_id: int

    def attribute(self, reading: Reading, output: Output) -> Attributed:
        """Return what each word adds to an output; steps are doubled until the values add up, or MOST_STEPS."""
        with _frozen(self.backend.model):
            way = _Way.of(self, reading, output)
            with torch.no_grad():
                hidden, value = way.values(torch.cat([way.hidden_WLD, way.text_WLD])).tolist()
            steps = FIRST_STEPS
            while True:
                values_K, rest = way.integrate(steps)
                gap = abs(float(values_K.sum()) + rest - (value - hidden))
                error = gap / max(float(np.abs(values_K).sum()), abs(value - hidden), 1e-12)
                if error <= TOLERANCE or steps >= MOST_STEPS:
                    return Attributed(values_K, value, hidden, steps, error)
                steps *= 2


def gradient_rows(reading: Reading) -> int:
    """Return the passes over one window that the first round of steps makes."""
    return FIRST_STEPS * len(reading.windows)


def check_captum() -> None:
    """Raise MissingExtraError where captum is not installed."""
    _captum()


@dataclass(frozen=True)
class _Way:
    """The embeddings of a text and of the same text with its words hidden, and the function between them.

    tensors: inputs of the model for the windows.    batch_rows: windows that a pass may hold.
    """

    gradients: IntegratedGradients
    output: Output
    reading: Reading
    tensors: Mapping[str, torch.Tensor]
    embedding: nn.Module
    text_WLD: torch.Tensor
    hidden_WLD: torch.Tensor
    batch_rows: int

    @classmethod
    def of(cls, gradients: IntegratedGradients, reading: Reading, output: Output) -> _Way:
        backend = gradients.backend
        batch = pad_batch(reading.features, gradients.pad_id)
        places_WL, mask_WL = reading.windows.places_WL()
        is_word_WL = (reading.word_T[places_WL] != NO_WORD) & mask_WL
        hidden_WL = np.where(is_word_WL, np.int64(gradients.mask_id), batch["input_ids"])
        device = backend.runtime.device
        embedding = _word_embedding(backend.model)
        with torch.no_grad():
            tensors = model_inputs(to_tensors(batch, device), backend.input_names)
            embedded = [embedding(ids.to(device)) for ids in (tensors["input_ids"], torch.from_numpy(hidden_WL))]
        text_WLD, hidden_WLD = (one.float() for one in embedded)
        budget = backend.batch_tokens // GRADIENT_SHARE
        return cls(
            gradients, output, reading, tensors, embedding, text_WLD, hidden_WLD,
            max(1, budget // batch["input_ids"].shape[1]),
        )  # fmt: skip

    def integrate(self, steps: int) -> tuple[np.ndarray[Any, np.dtype[np.float64]], float]:
        """Return the values of the words, and of all other tokens together (they do not move: 0)."""
        method = _captum().IntegratedGradients(self.values, multiply_by_inputs=True)
        moved_WLD = method.attribute(
            self.text_WLD,
            baselines=self.hidden_WLD,
            n_steps=steps,
            internal_batch_size=max(self.batch_rows, len(self.text_WLD)),
        )
        tokens_WL = moved_WLD.detach().sum(-1).double().cpu().numpy()
        places_WL, mask_WL = self.reading.windows.places_WL()
        words_WL = np.where(mask_WL, self.reading.word_T[places_WL], NO_WORD)
        is_word_WL = words_WL != NO_WORD
        values_K = np.zeros(len(self.reading.words))
        np.add.at(values_K, words_WL[is_word_WL], tokens_WL[is_word_WL])
        return values_K, float(tokens_WL[~is_word_WL].sum())

    def values(self, embedded_RLD: torch.Tensor) -> torch.Tensor:
        """Return the output at each point, float32 (S,). embedded_RLD: all windows of one point, then of the next."""
        num_windows = len(self.text_WLD)
        parts = [self._forward(part, start) for start, part in self._passes(embedded_RLD)]
        outputs = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        points = {name: rows.view(-1, num_windows, *rows.shape[1:]) for name, rows in outputs.items()}
        picked: list[torch.Tensor] = []
        for window in range(num_windows):
            picked += self.output.pick({name: rows[:, window] for name, rows in points.items()}, window)
        return self.output.value(picked, lambda scores: torch.logsumexp(scores, -1))

    def _passes(self, embedded_RLD: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
        return (
            (start, embedded_RLD[start : start + self.batch_rows])
            for start in range(0, len(embedded_RLD), self.batch_rows)
        )

    def _forward(self, embedded_RLD: torch.Tensor, start: int) -> dict[str, torch.Tensor]:
        """Return the outputs of some rows.

        Where one point has more windows than a pass may hold, they are run again for the gradient, not kept.
        """
        rows = (torch.arange(len(embedded_RLD), device=embedded_RLD.device) + start) % len(self.text_WLD)
        inputs = {name: tensor[rows] for name, tensor in self.tensors.items()}

        def run(embedded: torch.Tensor) -> tuple[torch.Tensor, ...]:
            with _replaced(self.embedding, embedded):
                outputs = self.gradients.backend.model(**inputs)
            return tuple(outputs[name].float() for name in self.gradients.backend.outputs)

        if torch.is_grad_enabled() and len(self.text_WLD) > self.batch_rows:
            found = cast("tuple[torch.Tensor, ...]", checkpoint(run, embedded_RLD, use_reentrant=False))
        else:
            found = run(embedded_RLD)
        return dict(zip(self.gradients.backend.outputs, found, strict=True))


@contextlib.contextmanager
def _frozen(model: nn.Module) -> Iterator[None]:
    """Switch dropout off during a block, and restore the model's mode."""
    was_training = model.training
    model.eval()
    try:
        with torch.enable_grad():
            yield
    finally:
        model.train(was_training)


@contextlib.contextmanager
def _replaced(embedding: nn.Module, embedded_RLD: torch.Tensor) -> Iterator[None]:
    """Let the word embedding answer with given vectors during a block.

    The model still gets the ids of the text: families that count positions from the padding id (RoBERTa, MPNet) would
    lay other positions for the ids of the text with its words hidden.
    """
    calls = 0

    def answer(module: nn.Module, inputs: object, outputs: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return embedded_RLD.to(outputs.dtype)

    handle = embedding.register_forward_hook(answer)
    try:
        yield
    finally:
        handle.remove()
    if calls != 1:
        raise ConfigError(
            f"This model reads its word embedding {calls} times; gradients can be taken where it does once.",
            "Use --method occlusion.",
        )


def _word_embedding(model: nn.Module) -> nn.Module:
    """Return the layer that makes vectors of token ids. Raises ConfigError for a model without one."""
    for part in (model, getattr(model, "encoder", None)):
        find = cast("Callable[[], nn.Module | None] | None", getattr(part, "get_input_embeddings", None))
        found = None if find is None else find()
        if isinstance(found, nn.Module):
            return found
    raise ConfigError("This model has no word embedding to take gradients at.", "Use --method occlusion.")


def _captum() -> Any:  # noqa: ANN401  # it has no types
    try:
        return importlib.import_module("captum.attr")
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "captum":
            raise
        missing = MissingExtraError("captum", "explain", "Integrated gradients")
        missing.hint = f"{missing.hint} Or choose --method occlusion, which needs no more than the model."
        raise missing from error
