"""Windows of a batch packed into one row without padding, between an encoder's first layer and its last.

Embeddings and head see the padded batch as ever; so positions start anew in each window and a head finds its tokens
where they were. In between, layers work on the real tokens alone. Attention never looks beyond a window: on CUDA
torch's attention for variable lengths knows the boundaries; elsewhere, and in layers with a sliding window, queries
and keys are spread out to the padded form, whose mask keeps windows apart, and gathered again. Whether an encoder
allows it is found by trying. Knows no task and no data.

Axes: W windows, L tokens of the longest, T real tokens of all, H heads, D width.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from fastbert.models.attention import FIRST_ONLY, attend, is_plain
from fastbert.models.freezing import layer_modules
from fastbert.models.probing import answers_alike, probe

NAME = "fastbert_packed_attention"  # among the implementations of transformers; never written into a checkpoint
_PACKING = "packed_by"  # set on the modules of layers that are packed
_HALVES = (torch.bfloat16, torch.float16)  # what the attention for variable lengths takes
_WIDEST_HEAD, _AMPERE = 256, 8  # of flash attention: the width of a head, the major number of a capability

Arguments = tuple[object, ...]
Options = dict[str, object]


def _find_varlen() -> Callable[..., torch.Tensor] | None:
    """Return torch's attention for variable lengths, or None for a torch without it or without its `scale`."""
    try:
        found = importlib.import_module("torch.nn.attention.varlen").varlen_attn
    except (ImportError, AttributeError):
        return None
    return cast("Callable[..., torch.Tensor]", found) if "scale" in inspect.signature(found).parameters else None


varlen_attn = _find_varlen()


@contextlib.contextmanager
def packing(model: nn.Module, *, only_training: bool = False) -> Iterator[bool]:
    """Pack every padded batch during a block; yield whether the model allows it.

    only_training: leave batches in evaluation mode padded, so that their answers are those of before to the last bit.
    Answers and gradients are the same but for rounding; dropout draws other masks. A model with other attention than
    transformers' own, with layers that share weights, or of the user's own making is left as it is.
    """
    encoder = model.base_model if isinstance(model, PreTrainedModel) else None
    layers = layer_modules(model)
    if layers and getattr(layers[-1], FIRST_ONLY, False):
        layers = layers[:-1]  # the last one cuts rows off itself, and needs windows to cut them from
    if not layers or not isinstance(encoder, PreTrainedModel) or encoder.config._attn_implementation == "eager":
        yield False
        return
    implementation = encoder.config._attn_implementation
    before = probe(model)
    with contextlib.ExitStack() as stack:
        packed_by = _Packing(model)
        _install(packed_by, encoder, layers, stack)
        stack.callback(encoder.set_attn_implementation, implementation)
        encoder.set_attn_implementation(NAME)
        if before is not None and answers_alike(model, before):
            packed_by.only_training = only_training
            yield True
            return
    yield False


@dataclass(frozen=True)
class _Places:
    """Where the real tokens of a padded batch lie. index_T: into its W * L places, in order."""

    index_T: torch.Tensor
    lengths_W: torch.Tensor
    shape: tuple[int, int]

    @classmethod
    def of(cls, mask_WL: torch.Tensor) -> _Places:
        real_WL = mask_WL.bool()
        return cls(real_WL.flatten().nonzero().squeeze(1), real_WL.sum(1), (mask_WL.shape[0], mask_WL.shape[1]))

    def gather(self, padded: torch.Tensor) -> torch.Tensor:
        """Return (1, T, ...) of (W, L, ...), or of (1, L, ...) that is the same for every window."""
        return padded.expand(self.shape[0], *padded.shape[1:]).flatten(0, 1)[self.index_T][None]

    def spread(self, packed: torch.Tensor) -> torch.Tensor:
        """Return (W, L, ...) of (1, T, ...), with zeros for padding."""
        rows = packed.new_zeros(self.shape[0] * self.shape[1], *packed.shape[2:])
        return rows.index_put((self.index_T,), packed[0]).view(*self.shape, *packed.shape[2:])


class _Packing:
    """The hooks of one encoder. places: of the batch that is passing through it, if it has padding.

    model: the whole one, whose mode is that of a step; an encoder that is frozen rests in the other.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.places: _Places | None = None
        self.only_training = False

    def enter(self, module: nn.Module, inputs: Arguments, options: Options) -> None:
        mask = options.get("attention_mask", inputs[1] if len(inputs) > 1 else None)
        wanted = self.model.training or not self.only_training
        padded = wanted and isinstance(mask, torch.Tensor) and mask.dim() == 2 and not bool(mask.all())
        self.places = _Places.of(cast("torch.Tensor", mask)) if padded else None

    def leave(self, module: nn.Module, inputs: object, output: object) -> None:
        self.places = None

    def pack(self, module: nn.Module, inputs: Arguments, options: Options) -> tuple[Arguments, Options] | None:
        """Gather the hidden states that the first layer gets."""
        if self.places is None:
            return None
        if inputs:
            return (self.places.gather(cast("torch.Tensor", inputs[0])), *inputs[1:]), options
        return inputs, options | {"hidden_states": self.places.gather(cast("torch.Tensor", options["hidden_states"]))}

    def turn(self, module: nn.Module, inputs: Arguments, options: Options) -> tuple[Arguments, Options] | None:
        """Gather the rotations of positions that any layer may get."""
        rotations = options.get("position_embeddings")
        if self.places is None or rotations is None:
            return None
        gathered = tuple(self.places.gather(part) for part in cast("tuple[torch.Tensor, ...]", rotations))
        return inputs, options | {"position_embeddings": gathered}

    def unpack(self, module: nn.Module, inputs: object, output: object) -> object:
        """Spread out what the last layer says."""
        if self.places is None:
            return None
        if isinstance(output, tuple):
            return (self.places.spread(output[0]), *output[1:])
        return self.places.spread(cast("torch.Tensor", output))


def _install(packing: _Packing, encoder: nn.Module, layers: list[nn.Module], stack: contextlib.ExitStack) -> None:
    handles = [
        encoder.register_forward_pre_hook(packing.enter, with_kwargs=True),
        encoder.register_forward_hook(packing.leave, always_call=True),
        layers[0].register_forward_pre_hook(packing.pack, with_kwargs=True),
        *(layer.register_forward_pre_hook(packing.turn, with_kwargs=True) for layer in layers),
        layers[-1].register_forward_hook(packing.unpack),
    ]
    for handle in handles:
        stack.callback(handle.remove)
    for module in [module for layer in layers for module in layer.modules()]:
        setattr(module, _PACKING, packing)
        stack.callback(delattr, module, _PACKING)


def attend_packed(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: object,
) -> tuple[torch.Tensor, None]:
    """Return what transformers' own function returns: (1, T, H, D) of packed heads (1, H, T, D), else (W, L, H, D).

    attention_mask: of the padded batch, True or 0 where a token may be seen.
    """
    packed_by = getattr(module, _PACKING, None)
    places = None if packed_by is None else packed_by.places
    if places is None:
        return _attend_padded(module, query, key, value, attention_mask, options), None
    if _varlen_fits(module, query, options):
        return _attend_varlen(query, key, value, places, options.get("scaling")), None
    wide_query, wide_key, wide_value = (
        places.spread(part.transpose(1, 2)).transpose(1, 2) for part in (query, key, value)
    )
    return places.gather(_attend_padded(module, wide_query, wide_key, wide_value, attention_mask, options)), None


def _attend_padded(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    options: Mapping[str, object],
) -> torch.Tensor:
    inner = attend if query.device.type == "cpu" else sdpa_attention_forward
    attended, _ = inner(module, query, key, value, mask, **options)  # type: ignore[arg-type]
    return attended


def _varlen_fits(module: nn.Module, query: torch.Tensor, options: Mapping[str, object]) -> bool:
    """Return whether torch's attention for variable lengths computes this: over whole windows, nothing added to scores.

    It is flash attention and nothing else: on CUDA from Ampere on, in halves, for heads of a width that it has.
    """
    if varlen_attn is None or not query.is_cuda or query.dtype not in _HALVES:
        return False
    plain = is_plain(module, options) and options.get("sliding_window") is None
    fits = query.shape[-1] % 8 == 0 and query.shape[-1] <= _WIDEST_HEAD
    return plain and fits and torch.cuda.get_device_capability(query.device)[0] >= _AMPERE


def _attend_varlen(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, places: _Places, scaling: object
) -> torch.Tensor:
    """Return (1, T, H, D): softmax(query key^T) value within each window. query, key, value: (1, H, T, D)."""
    assert varlen_attn is not None  # `_varlen_fits` has asked
    ends_W = nn.functional.pad(places.lengths_W.cumsum(0), (1, 0)).to(torch.int32)
    longest = places.shape[1]
    query_THD, key_THD, value_THD = (part[0].transpose(0, 1) for part in (query, key, value))
    scale = scaling if isinstance(scaling, float) else None
    return varlen_attn(query_THD, key_THD, value_THD, ends_W, ends_W, longest, longest, scale=scale)[None]


AttentionInterface.register(NAME, attend_packed)
AttentionMaskInterface.register(NAME, sdpa_mask)
