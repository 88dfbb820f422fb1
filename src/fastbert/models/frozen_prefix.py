"""What the frozen layers of a model say, computed once for each window and read from then on.

While the lowest layers are frozen and run without dropout, their output for a window never changes: later
epochs start from it. Values lie in a temporary file, memory-mapped, which the system removes with the process. Whether
a model allows it (each layer called once, one after the other) is found by trying. Knows no task and no data.

Axes: W windows, L tokens, D width of the encoder.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from fastbert.models.freezing import layer_groups, layer_modules
from fastbert.models.probing import said
from fastbert.runtime import Runtime

Tensors = Mapping[str, torch.Tensor]
Outputs = Mapping[str, torch.Tensor]
# Kept values are rounded to 11 bits, finer than the 8 of bfloat16; float32 where nothing may be rounded.
STORED: dict[str, np.dtype[np.floating]] = {
    "fp32": np.dtype(np.float32),
    "bf16": np.dtype(np.float16),
    "fp16": np.dtype(np.float16),
}
TOLERANCE = 0.05  # of a logit: bfloat16 alone gives such differences; a layer that is skipped wrongly gives larger ones


class FrozenPrefix:
    """The outputs of the lowest num_layers layers of a model.

    num_windows, num_tokens: of all that will be added.    input_names: what the encoder's forward pass accepts.
    """

    def __init__(
        self,
        model: nn.Module,
        num_layers: int,
        *,
        runtime: Runtime,
        input_names: Sequence[str],
        num_windows: int,
        num_tokens: int,
    ) -> None:
        self.model = model
        self.runtime = runtime
        self.input_names = tuple(input_names)
        self._layers = layer_modules(model)[:num_layers]
        self._num_windows, self._num_tokens = num_windows, num_tokens
        self._values: npt.NDArray[np.floating] | None = None
        self._places: dict[bytes, tuple[int, int]] = {}
        self._used = 0
        self._num_others: int | None = None  # of what a layer returns beside hidden states; None: it returns no tuple
        self._whole_layers = len(self._layers) == len(layer_modules(model))

    @property
    def num_layers(self) -> int:
        """Return how many layers are kept."""
        return len(self._layers)

    @property
    def num_bytes(self) -> int:
        """Return the bytes kept so far."""
        return 0 if self._values is None else self._used * self._values.shape[1] * self._values.itemsize

    def add(self, tensors: Tensors) -> None:
        """Compute the windows of a padded batch and keep what the layers say of them.

        Raises OSError if there is no room for the file.
        """
        keys = self._keys(tensors)
        if all(key in self._places for key in keys):
            return
        hidden_WLD = self._compute(tensors).float().cpu().numpy()
        if self._values is None:
            one_row = hidden_WLD.shape[1] == 1
            shape = (self._num_windows if one_row else self._num_tokens, hidden_WLD.shape[-1])
            self._values = _temporary_array(shape, STORED[self.runtime.precision])
        for key, hidden_LD, length in zip(keys, hidden_WLD, self._lengths(tensors), strict=True):
            size = min(length, len(hidden_LD))  # one row where only the first token is read
            if key not in self._places:
                self._values[self._used : self._used + size] = hidden_LD[:size]
                self._places[key] = (self._used, size)
                self._used += size

    def run(self, tensors: Tensors) -> Outputs:
        """Return the model's outputs for a padded batch; windows that were not added are computed whole."""
        hidden_WLD = self._kept(tensors)
        if hidden_WLD is None:
            return cast("Outputs", self.model(**self._inputs(tensors)))
        inputs = self._inputs(tensors)
        if self._whole_layers and hidden_WLD.shape[1] == 1:  # what the layers would read need not be made
            inputs = {name: value[:, :1] for name, value in inputs.items()}
        output = hidden_WLD if self._num_others is None else (hidden_WLD, *[None] * self._num_others)
        with _instead(self._layers, lambda layer: lambda *_, **__: output):
            return cast("Outputs", self.model(**inputs))

    def _kept(self, tensors: Tensors) -> torch.Tensor | None:
        places = [self._places.get(key) for key in self._keys(tensors)]
        if self._values is None or None in places:
            return None
        found = cast("list[tuple[int, int]]", places)
        shape = (len(found), max(size for _, size in found), self._values.shape[1])
        hidden_WLD = np.zeros(shape, self._values.dtype)
        for row, (start, size) in enumerate(found):
            hidden_WLD[row, :size] = self._values[start : start + size]
        return torch.from_numpy(hidden_WLD).to(self.runtime.device).float()

    def _compute(self, tensors: Tensors) -> torch.Tensor:
        """Return the output of the last of the layers; nothing after it is run."""
        handle = self._layers[-1].register_forward_hook(_stop)
        was_training = self.model.training
        self.model.eval()
        try:
            with torch.inference_mode(), self.runtime.autocast():
                self.model(**self._inputs(tensors))
        except _Reached as reached:
            output = reached.output
            self._num_others = len(output) - 1 if isinstance(output, tuple) else None
            return output[0] if isinstance(output, tuple) else output
        finally:
            self.model.train(was_training)
            handle.remove()
        raise RuntimeError("the layers were not called")  # an invariant: `frozen_prefix` has tried it

    def _inputs(self, tensors: Tensors) -> dict[str, torch.Tensor]:
        return {name: tensors[name] for name in self.input_names}

    def _keys(self, tensors: Tensors) -> list[bytes]:
        """Return a digest of the content of each window: of what the layers read of it and nothing else."""
        names = [name for name in ("input_ids", "token_type_ids") if name in self.input_names]
        rows = [tensors[name].cpu().numpy().astype(np.int32) for name in names]
        return [
            # sixteen bytes, whatever the length: there may be millions of windows
            hashlib.blake2b(b"".join(row[index, :length].tobytes() for row in rows), digest_size=16).digest()
            for index, length in enumerate(self._lengths(tensors))
        ]

    def _lengths(self, tensors: Tensors) -> list[int]:
        return [int(length) for length in tensors["attention_mask"].sum(1).tolist()]


def frozen_layers(model: nn.Module) -> int:
    """Return how many of the lowest layers are frozen together with the embeddings below them; 0 if none."""
    if not layer_modules(model):
        return 0
    count = 0
    for number, group in enumerate(layer_groups(model)[:-1]):
        if any(parameter.requires_grad for parameter in group.parameters):
            break
        count = number
    return count


@contextlib.contextmanager
def layers_left_out(model: nn.Module, num_layers: int) -> Iterator[None]:
    """Let the lowest layers hand on what they get during a block: what remains is the cost of the others.

    Some encoders' layers return more than hidden states; the first call of each is a true one, to see what it returns.
    """
    seen: dict[nn.Module, int | None] = {}

    def hand_on(layer: nn.Module) -> Callable[..., object]:
        run = layer.forward

        def forward(hidden_WLD: torch.Tensor, *inputs: object, **options: object) -> object:
            if layer not in seen:
                output = run(hidden_WLD, *inputs, **options)
                seen[layer] = len(output) - 1 if isinstance(output, tuple) else None
                return output
            others = seen[layer]
            return hidden_WLD if others is None else (hidden_WLD, *[None] * others)

        return forward

    with _instead(layer_modules(model)[:num_layers], hand_on):
        yield


@contextlib.contextmanager
def _instead(layers: Sequence[nn.Module], make: Callable[[nn.Module], Callable[..., object]]) -> Iterator[None]:
    """Run another function in the place of each layer during a block."""
    for layer in layers:
        layer.forward = make(layer)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def can_be_skipped(prefix: FrozenPrefix, tensors: Tensors) -> bool:
    """Return whether a model answers a batch alike from its kept layers; the batch is added.

    The model is left as it was. False for one whose layers return more than hidden states or are not called in turn.
    """
    model, was_training = prefix.model, prefix.model.training
    model.eval()
    try:
        prefix.add(tensors)
        with torch.inference_mode(), prefix.runtime.autocast():
            whole = said(model(**{name: tensors[name] for name in prefix.input_names}), tensors["attention_mask"])
            kept = said(prefix.run(tensors), tensors["attention_mask"])
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError):
        return False
    finally:
        model.train(was_training)
    if whole is None or kept is None:
        return False
    return whole.shape == kept.shape and torch.allclose(whole.float(), kept.float(), rtol=TOLERANCE, atol=TOLERANCE)


def rest_frozen_parts(model: nn.Module) -> None:
    """Put every part whose weights are all frozen into evaluation mode: what is not trained needs no dropout."""
    trained = [parameter.requires_grad for parameter in model.parameters()]
    if trained and not any(trained):
        model.eval()
    elif not all(trained):
        for child in model.children():
            rest_frozen_parts(child)


@contextlib.contextmanager
def trained(model: nn.Module) -> Iterator[None]:
    """Put a model into training mode, its frozen parts at rest, for a block; every part gets its own mode back."""
    before = [(module, module.training) for module in model.modules()]
    model.train()
    rest_frozen_parts(model)
    try:
        yield
    finally:
        for module, was_training in before:
            module.training = was_training


def _temporary_array(shape: tuple[int, int], dtype: np.dtype[np.floating]) -> npt.NDArray[np.floating]:
    """Return an array in a file that has no name and ends with it.

    Raises OSError if it would take more than half of what the disk has left: others need some, too.
    """
    place, size = tempfile.gettempdir(), shape[0] * shape[1] * dtype.itemsize
    free = shutil.disk_usage(place).free
    if size > free / 2:
        raise OSError(
            errno.ENOSPC, f"{size / 1e9:.1f} GB are needed, half of the {free / 1e9:.1f} GB of {place} are there"
        )
    with tempfile.TemporaryFile(prefix="fastbert-") as file:  # the array keeps what it maps
        if hasattr(os, "posix_fallocate"):  # without it a disk that fills up later ends the process
            os.posix_fallocate(file.fileno(), 0, size)
        return np.memmap(file, dtype, "w+", shape=shape)


class _Reached(Exception):  # no error: the way out of a forward pass
    def __init__(self, output: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
        self.output = output


def _stop(module: nn.Module, inputs: object, output: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
    raise _Reached(output)
