"""The torch backend: a model in, arrays out. Knows nothing of texts or labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import nn

from fastbert.bundle import Bundle
from fastbert.config import Precision
from fastbert.data.tokens import Tokenizer
from fastbert.errors import BundleError
from fastbert.models.attention import suit_attention
from fastbert.models.first_token import read_first_token_only
from fastbert.models.frozen_prefix import FrozenPrefix
from fastbert.models.loading import HeadFactory, load_saved_model
from fastbert.models.pooled_head import head_factory
from fastbert.models.probing import working_runtime
from fastbert.runtime import Runtime, choose_runtime
from fastbert.tasks.base import Array, Batch


class TorchBackend:
    """Runs a model in inference mode; float32 unless the runtime says otherwise.

    prefix: what the frozen layers say of windows that were seen before, or None.    outputs: names of those to return.
    """

    name = "torch"
    workers = 1  # torch itself spreads one pass over the threads
    batch_tokens = 8192

    def __init__(
        self,
        model: nn.Module,
        runtime: Runtime,
        input_names: Sequence[str],
        prefix: FrozenPrefix | None = None,
        outputs: Sequence[str] = ("logits",),
    ) -> None:
        self.model = model
        self.runtime = runtime
        self.input_names = tuple(input_names)
        self.prefix = prefix
        self.outputs = tuple(outputs)

    @classmethod
    def open(
        cls, bundle: Bundle, tokenizer: Tokenizer, head: object | None, precision: Precision = "fp32"
    ) -> TorchBackend:
        """Load the weights of a bundle on the best device; they stay float32.

        Raises BundleError where a head of the user's own is needed, ConfigError where the device only
        emulates the precision.
        """
        if bundle.head is not None and head is None:
            raise BundleError(
                f"{bundle.folder}: the model was trained with a head of its own, {bundle.head}.",
                "Pass it: Predictor.load(folder, head=...). An export needs it no more.",
            )
        runtime = choose_runtime(precision)
        factory = cast("HeadFactory | None", head) or head_factory(bundle.pooling)
        model = load_saved_model(bundle.folder, bundle.task, factory).to(runtime.device)
        suit_attention(model, runtime)
        read_first_token_only(model)
        runtime = working_runtime(model, runtime, tokenizer.input_names, precision)
        opened = cls(model, runtime, tokenizer.input_names, outputs=bundle.task.outputs)
        opened.name = "torch" if precision == "fp32" else f"torch {precision}"
        return opened

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return the outputs as float32 arrays; dropout is off and the model's mode restored."""
        was_training = self.model.training
        self.model.eval()
        try:
            with torch.inference_mode(), self.runtime.autocast():
                tensors = to_tensors(batch, self.runtime.device)
                if self.prefix is None:
                    outputs = self.model(**model_inputs(tensors, self.input_names))
                else:
                    outputs = self.prefix.run(tensors)
        finally:
            self.model.train(was_training)
        return {name: outputs[name].float().cpu().numpy() for name in self.outputs}


def to_tensors(batch: Batch, device: torch.device) -> dict[str, torch.Tensor]:
    """Return the arrays of a batch as tensors on a device; a GPU gets them while it works on others."""
    tensors = {name: torch.from_numpy(array) for name, array in batch.items()}
    if device.type == "cuda":
        return {name: tensor.pin_memory().to(device, non_blocking=True) for name, tensor in tensors.items()}
    return {name: tensor.to(device) for name, tensor in tensors.items()}


def model_inputs(tensors: Mapping[str, torch.Tensor], input_names: Sequence[str]) -> dict[str, torch.Tensor]:
    """Return only what the encoder's forward pass accepts."""
    return {name: tensors[name] for name in input_names}
