"""The last layer computed for the first token alone, where nothing else of it is read.

A classification head on [CLS] reads one row of the last layer. Keys and values are needed of every token;
the attention's output projection and the feed-forward network, three quarters of a layer's products, are
not. The answers and the gradients are the same. Whether a model qualifies is found by trying: its logits must not
change. Knows no task.
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import PreTrainedModel

from fastbert.models.attention import FIRST_ONLY
from fastbert.models.probing import answers_alike, probe

# Where the first module of a layer lies that works token by token after attention; all of its inputs are cut.
CUTS = (
    "attention.output",  # BERT, RoBERTa, ELECTRA and their kin: output(attended, hidden)
    "sa_layer_norm",  # DistilBERT: norm(attended + hidden)
    "attention.LayerNorm",  # MPNet: the same
)


def read_first_token_only(model: nn.Module) -> bool:
    """Let the last layer of a model go on with the first token after its attention; return whether it can.

    Nothing changes for a model whose head reads more, whose layers share weights, or whose layers are built
    otherwise. Parameters keep their names.
    """
    layer = _last_layer(model)
    place = None if layer is None else next((name for name in CUTS if _has(layer, name)), None)
    if layer is None or place is None:
        return False
    before = probe(model)
    handle = layer.get_submodule(place).register_forward_pre_hook(_cut_inputs)
    if before is None or not answers_alike(model, before):
        handle.remove()
        return False
    for module in layer.modules():
        setattr(module, FIRST_ONLY, True)
    return True


def _cut_inputs(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return tuple(hidden_WLD[:, :1] for hidden_WLD in inputs)


def _last_layer(model: nn.Module) -> nn.Module | None:
    """Return the last of the encoder's layers, if each is called once."""
    if not isinstance(model, PreTrainedModel):  # a head of the user's own may read anything
        return None
    lists = [module for module in model.base_model.modules() if isinstance(module, nn.ModuleList)]
    longest = max(lists, key=len, default=None)
    if longest is None or len(longest) != getattr(model.config, "num_hidden_layers", None):
        return None
    return longest[-1]


def _has(layer: nn.Module, name: str) -> bool:
    try:
        layer.get_submodule(name)
    except AttributeError:
        return False
    return True
