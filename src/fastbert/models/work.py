"""What passes through a model cost: floating-point operations (FLOP) and memory kept for the backward pass.

Both are read off the model itself in a few tiny passes, not from a table of families: each matrix product is seen with
its sizes and with the gradients that flow into its factors, so that frozen layers, shared ones (ALBERT) and position
products (DeBERTa) count as what they do. Embedding look-ups, norms and activations count nothing, as is usual
(Kaplan et al. 2020, arXiv 2001.08361, section 2.1). Knows nothing of texts, batches or speed.

Axes: W windows of a pass, L tokens of each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from fastbert.models.frozen_prefix import trained
from fastbert.runtime import Runtime, untouched_rng

# (W, L): four shapes for four unknowns. Small, and two windows at least, for a head may normalise over the batch.
_SHAPES = ((2, 8), (2, 16), (2, 24), (4, 8))


@dataclass(frozen=True)
class Work:
    """A cost of one pass as a function of its shape.

    per_pair: of two tokens of a window that attend to each other, each pair counted in both directions.
    local_share: share of per_pair in layers where a token attends only to those at most reach positions away.
    """

    per_pass: float = 0.0
    per_window: float = 0.0
    per_token: float = 0.0
    per_pair: float = 0.0
    local_share: float = 0.0
    reach: int = 0

    def of(self, lengths: Sequence[int]) -> float:
        """Return the cost of one pass over windows of these lengths, each without padding.

        >>> Work(per_window=5, per_token=10, per_pair=1).of([2, 3])
        73.0
        """
        near = 0 if self.local_share == 0 else sum(near_pairs(length, self.reach) for length in lengths)
        pairs = (1 - self.local_share) * sum(length * length for length in lengths) + self.local_share * near
        return float(
            self.per_pass + self.per_window * len(lengths) + self.per_token * sum(lengths) + self.per_pair * pairs
        )


@dataclass(frozen=True)
class ModelWork:
    """forward, training: FLOP of a pass without and with its backward pass.    saved: bytes kept in between."""

    forward: Work
    training: Work
    saved: Work


def near_pairs(length: int, reach: int) -> int:
    """Return how many ordered pairs of positions are at most reach apart, each with itself included.

    >>> near_pairs(4, 1), near_pairs(4, 9)
    (10, 16)
    """
    bound = min(reach, length - 1)
    return length * (2 * bound + 1) - bound * (bound + 1)


def measure_work(model: nn.Module, runtime: Runtime, input_names: Sequence[str], token_id: int = 1) -> ModelWork:
    """Return what passes cost as the model is now: in this precision, with these parameters frozen.

    token_id: what the passes are made of, any but padding; during a fit one that occurs in the training rows.
    The model may lie on the meta device, without weights; the bytes saved are those of its training mode.
    Weights, buffers, mode and random numbers are left as they were.
    """
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        with untouched_rng(), trained(model):
            rows = [_measure_pass(model, runtime, shape, input_names, token_id) for shape in _SHAPES]
    finally:
        for buffer, before in buffers:  # a head of the user's own may count what passes through it
            buffer.copy_(before)
    shapes = [[1, windows, windows * length, windows * length * length] for windows, length in _SHAPES]
    solved = np.linalg.solve(np.array(shapes, np.float64), np.array(rows, np.float64)).round().tolist()
    share, reach = _locality(model)
    forward, training, saved = (Work(*column) for column in zip(*solved, strict=True))
    return ModelWork(
        replace(forward, local_share=share, reach=reach), replace(training, local_share=share, reach=reach), saved
    )  # a mask saves products where they are skipped, but no memory


def _measure_pass(
    model: nn.Module, runtime: Runtime, shape: tuple[int, int], input_names: Sequence[str], token_id: int
) -> tuple[float, float, float]:
    """Return FLOP forward, FLOP with the backward pass, and bytes saved of one pass."""
    device = next(model.parameters()).device
    values = {"input_ids": token_id, "attention_mask": 1}
    # transformers looks into a mask, which has no values on the meta device; without one all tokens are attended to
    names = [name for name in input_names if name != "attention_mask" or device.type != "meta"]
    inputs = {name: torch.full(shape, values.get(name, 0), device=device) for name in names}
    kept = _Saved({parameter.untyped_storage()._cdata for parameter in model.parameters()})
    hooks = torch.autograd.graph.saved_tensors_hooks(kept.add, kept.get)
    with torch.enable_grad(), hooks, runtime.autocast(), _ProductCounter() as counter:
        outputs = model(**inputs)  # held until the end, and with it everything saved
        del outputs
    return counter.forward, counter.forward + counter.backward, float(kept.size)


@dataclass
class _Saved:
    """Adds up what autograd keeps, each storage once. weights: storages that are there anyway."""

    weights: set[int]
    size: int = 0
    seen: dict[int, torch.UntypedStorage] = field(default_factory=dict)

    def add(self, tensor: torch.Tensor) -> None:
        """Count a tensor. It is not handed back: a node that is given its own output keeps itself alive for good."""
        storage = tensor.untyped_storage()
        if storage._cdata not in self.weights and storage._cdata not in self.seen:
            self.seen[storage._cdata] = storage
            self.size += storage.nbytes()

    @staticmethod
    def get(nothing: None) -> torch.Tensor:
        raise AssertionError("there is no backward pass here")


class _ProductCounter(TorchFunctionMode):
    """Counts multiply-adds, two FLOP each, of every matrix product, and those its gradients will need."""

    def __init__(self) -> None:
        super().__init__()
        self.forward = 0.0
        self.backward = 0.0

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        result = func(*args, **(kwargs or {}))
        count = _COUNTED.get(func)
        if count is not None:
            tensors = [value for value in (*args, *(kwargs or {}).values()) if isinstance(value, torch.Tensor)]
            forward, backward = count(*tensors[:3], result)
            self.forward += forward
            self.backward += backward
        return result


def _linear(inputs: torch.Tensor, weight: torch.Tensor, *_: object) -> tuple[float, float]:
    product = 2.0 * inputs.numel() * weight.shape[0]
    return product, product * (inputs.requires_grad + weight.requires_grad)


def _matmul(first: torch.Tensor, second: torch.Tensor, *rest: object) -> tuple[float, float]:
    result = rest[-1]
    assert isinstance(result, torch.Tensor)
    product = 2.0 * result.numel() * first.shape[-1]
    return product, product * (first.requires_grad + second.requires_grad)


def _baddbmm(_: torch.Tensor, first: torch.Tensor, second: torch.Tensor, result: torch.Tensor) -> tuple[float, float]:
    return _matmul(first, second, result)


def _attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, result: torch.Tensor
) -> tuple[float, float]:
    scores = 2.0 * query.numel() * key.shape[-2]  # queries with keys
    mixed = 2.0 * math.prod(result.shape) * key.shape[-2]  # their weights with the values
    scored = query.requires_grad or key.requires_grad
    # gradients of: the values, the weights, the queries, the keys
    backward = mixed * value.requires_grad + mixed * scored + scores * query.requires_grad + scores * key.requires_grad
    return scores + mixed, backward


_COUNTED: dict[Callable[..., object], Callable[..., tuple[float, float]]] = {
    functional.linear: _linear,
    functional.scaled_dot_product_attention: _attention,
    torch.baddbmm: _baddbmm,
    **dict.fromkeys(
        (torch.matmul, torch.bmm, torch.mm, torch.Tensor.matmul, torch.Tensor.__matmul__, torch.Tensor.bmm), _matmul
    ),
}


def _locality(model: nn.Module) -> tuple[float, int]:
    """Return the share of layers with local attention (ModernBERT), and how far they look in both directions."""
    config = next((part.config for part in model.modules() if hasattr(part, "config")), None)
    kinds = getattr(config, "layer_types", None) or []
    reach = getattr(config, "sliding_window", None) or 0
    return (kinds.count("sliding_attention") / len(kinds), int(reach)) if kinds and reach else (0.0, 0)
