"""An encoder with a head of the user's own on top: any module from hidden states to logits.

The folder it writes is still a plain encoder checkpoint; the head lies beside it in
`head.safetensors`. Knows nothing of tasks.

Axes: W windows, L tokens, D hidden width, C labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedModel

from fastbert.errors import BundleError, first_line

HEAD_FILE = "head.safetensors"


def start_at_prior(model: nn.Module, prior_C: npt.NDArray[np.floating]) -> bool:
    """Set the bias of the head's last linear layer with C outputs; return whether there is one.

    A head that starts at the shares of the labels need not spend its first steps on learning them
    (Lin et al. 2017, arXiv 1708.02002, section 3.3).
    """
    for layer in reversed(head_modules(model)):
        if isinstance(layer, nn.Linear) and layer.out_features == len(prior_C) and layer.bias is not None:
            with torch.no_grad():
                layer.bias.copy_(torch.from_numpy(np.asarray(prior_C)))
            return True
    return False


def renew_head(model: nn.Module, std: float) -> None:
    """Draw the linear layers of the head anew: normal weights, zero biases, as transformers does.

    A head that was trained for other labels is a worse start than none.
    """
    for layer in head_modules(model):
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def renew_layers(layers: Sequence[nn.Module], std: float) -> None:
    """Draw layers of an encoder anew: normal weights, zero biases, norms that only scale to 1."""
    for module in (module for layer in layers for module in layer.modules()):
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=std)
        elif isinstance(getattr(module, "weight", None), nn.Parameter):  # a norm, whatever its class
            nn.init.ones_(cast("nn.Parameter", module.weight))
        if isinstance(getattr(module, "bias", None), nn.Parameter):
            nn.init.zeros_(cast("nn.Parameter", module.bias))


def head_modules(model: nn.Module) -> list[nn.Module]:
    """Return the modules that come on top of the encoder, innermost last; all modules if there is no encoder."""
    if isinstance(model, EncoderWithHead):
        return list(model.head.modules())
    encoder = _encoder_of(model)
    inside = set() if encoder is None else {id(module) for module in encoder.modules()}
    return [module for module in model.modules() if id(module) not in inside and module is not model]


def head_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that the encoder does not have (its pooler is its own); none if there is no encoder."""
    encoder = _encoder_of(model)
    if encoder is None:
        return []
    inside = {id(parameter) for parameter in encoder.parameters()}
    return [parameter for parameter in model.parameters() if id(parameter) not in inside]


def _encoder_of(model: nn.Module) -> nn.Module | None:
    encoder = model.encoder if isinstance(model, EncoderWithHead) else getattr(model, "base_model", None)
    return encoder if isinstance(encoder, nn.Module) else None


class EncoderWithHead(nn.Module):
    """Call head(hidden_WLD, attention_mask_WL) -> logits_WC on the last hidden states."""

    def __init__(self, encoder: PreTrainedModel, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Return {"logits": (W, C)}."""
        extra = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        hidden_WLD = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **extra).last_hidden_state
        return {"logits": self.head(hidden_WLD, attention_mask)}

    def save(self, folder: Path) -> None:
        """Write the encoder as a checkpoint and the head beside it."""
        self.encoder.save_pretrained(str(folder))
        save_file({name: value.contiguous() for name, value in self.head.state_dict().items()}, folder / HEAD_FILE)

    def load_head(self, folder: Path) -> None:
        """Load the head's weights. Raises BundleError if they do not fit the given head."""
        try:
            self.head.load_state_dict(load_file(folder / HEAD_FILE))
        except (RuntimeError, OSError, SafetensorError) as error:
            raise BundleError(
                f"{folder / HEAD_FILE}: the weights do not fit the head that was passed ({first_line(error)}).",
                "Pass the head class that the model was trained with.",
            ) from error
