"""The torch backend: a model in, arrays out. Knows nothing of texts or labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import nn

from fastbert.bundle import Bundle
from fastbert.data.tokens import Tokenizer
from fastbert.models.loading import HeadFactory, load_saved_model
from fastbert.runtime import Runtime, choose_runtime
from fastbert.tasks.base import Array, Batch


class TorchBackend:
    """Runs a model in inference mode; float32 unless the runtime says otherwise."""

    name = "torch"

    def __init__(self, model: nn.Module, runtime: Runtime, input_names: Sequence[str]) -> None:
        self.model = model
        self.runtime = runtime
        self.input_names = tuple(input_names)

    @classmethod
    def open(cls, bundle: Bundle, tokenizer: Tokenizer, head: object | None) -> TorchBackend:
        """Load the weights of a bundle in float32 on the best device."""
        runtime = choose_runtime("fp32")
        model = load_saved_model(bundle.folder, bundle.task, cast("HeadFactory | None", head))
        return cls(model.to(runtime.device), runtime, tokenizer.input_names)

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return the outputs as float32 arrays; dropout is off and the model's mode restored."""
        was_training = self.model.training
        self.model.eval()
        try:
            with torch.inference_mode(), self.runtime.autocast():
                outputs = self.model(**model_inputs(to_tensors(batch, self.runtime.device), self.input_names))
        finally:
            self.model.train(was_training)
        return {"logits": outputs["logits"].float().cpu().numpy()}


def to_tensors(batch: Batch, device: torch.device) -> dict[str, torch.Tensor]:
    """Return the arrays of a batch as tensors on a device."""
    return {name: torch.from_numpy(array).to(device) for name, array in batch.items()}


def model_inputs(tensors: Mapping[str, torch.Tensor], input_names: Sequence[str]) -> dict[str, torch.Tensor]:
    """Return only what the encoder's forward pass accepts."""
    return {name: tensors[name] for name in input_names}
