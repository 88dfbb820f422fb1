"""Layer groups of a model, and which of them are trained.

The groups are read off the model itself, not from a table of families: the longest list of
equal modules in the encoder is its layers, what comes before is the embeddings, what comes
after is the head. Every freeze is verified by count, because fast-bert froze nothing at all
for four families and said nothing. Knows no optimizer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import nn

from fastbert.errors import ConfigError, EncoderError


@dataclass(frozen=True)
class LayerGroup:
    """Parameters that are frozen, or given a learning rate, together.

    name: "embeddings", "layer 0" ... "layer n-1" or "head".
    named_parameters: pairs (name in the model, parameter).
    """

    name: str
    named_parameters: tuple[tuple[str, nn.Parameter], ...]

    @property
    def parameters(self) -> tuple[nn.Parameter, ...]:
        """Return the parameters without their names."""
        return tuple(parameter for _, parameter in self.named_parameters)

    @property
    def num_parameters(self) -> int:
        """Return the number of single weights."""
        return sum(parameter.numel() for parameter in self.parameters)


def layer_groups(model: nn.Module) -> list[LayerGroup]:
    """Return the groups from input to output: embeddings, each layer, head.

    Every parameter is in exactly one group; one that is shared (an output layer tied to the
    word embeddings) is in the lowest. Layers that share weights (ALBERT) are one group. Tables
    that all layers read (relative positions) are embeddings. A group may be empty.
    Raises EncoderError if the model has no list of layers.
    """
    layout = _find_layout(model)
    places: dict[int, tuple[int, str, nn.Parameter]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        index = layout.group_of(name)
        known = places.get(id(parameter))
        if known is None or index < known[0]:
            places[id(parameter)] = (index, name, parameter)
    members: list[list[tuple[str, nn.Parameter]]] = [[] for _ in range(layout.num_layers + 2)]
    for index, name, parameter in places.values():
        members[index].append((name, parameter))
    names = ["embeddings", *(f"layer {index}" for index in range(layout.num_layers)), "head"]
    return [LayerGroup(name, tuple(group)) for name, group in zip(names, members, strict=True)]


def layer_modules(model: nn.Module) -> list[nn.Module]:
    """Return the layers, lowest first; none if they cannot be found or do not each stand in one module of their own."""
    try:
        layout = _find_layout(model)
    except EncoderError:
        return []
    if len(layout.list_prefixes) != 1:
        return []
    layers = list(cast("nn.ModuleList", model.get_submodule(layout.list_prefixes[0].rstrip("."))))
    holder = next((module for module in model.modules() if hasattr(module, "config")), None)
    expected = getattr(getattr(holder, "config", None), "num_hidden_layers", len(layers))
    return layers if len(layers) == expected else []


def freeze_to(model: nn.Module, first_trained: int) -> int:
    """Freeze all groups below first_trained, train the others; return the frozen weights.

    first_trained: index into `layer_groups`; a negative one counts from the end, as in fastai:
        -1 trains the head alone, -2 the top layer too, 0 everything.
    Gradients of frozen parameters are dropped, so that no later step can still move them.
    Raises ConfigError if there is no such group, EncoderError if a freeze that was asked for
    would freeze nothing or leave nothing to train.
    """
    groups = layer_groups(model)
    if not -len(groups) <= first_trained < len(groups):
        raise ConfigError(
            f"Cannot freeze to group {first_trained}: this model has {len(groups)} groups "
            f"(embeddings, {len(groups) - 2} layers, head).",
            f"Use a number from {-len(groups)} to {len(groups) - 1}; -1 trains the head alone.",
        )
    split = first_trained % len(groups)
    frozen, trained = groups[:split], groups[split:]
    num_frozen = sum(group.num_parameters for group in frozen)
    if frozen and num_frozen == 0:
        raise _unusable(model, f"freezing {_span(frozen)} freezes nothing: no parameters are there.")
    if sum(group.num_parameters for group in trained) == 0:
        raise _unusable(model, f"freezing {_span(frozen)} leaves nothing to train.")
    for group in frozen:
        for parameter in group.parameters:
            parameter.requires_grad_(False)
            parameter.grad = None
    for group in trained:
        for parameter in group.parameters:
            parameter.requires_grad_(True)
    return num_frozen


def freeze(model: nn.Module) -> int:
    """Freeze all but the head; return the number of frozen weights. Raises as `freeze_to`."""
    return freeze_to(model, -1)


def unfreeze(model: nn.Module) -> int:
    """Train every parameter; return the number of frozen weights, which is 0.

    This includes parameters that an architecture holds fixed (sinusoidal positions).
    """
    model.requires_grad_(True)
    return 0


def trainable_count(model: nn.Module) -> tuple[int, int]:
    """Return (trained, all) weights, shared ones counted once."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return sum(size for size, trained in sizes if trained), sum(size for size, _ in sizes)


@dataclass(frozen=True)
class _Layout:
    """Where the layers of a model are, as prefixes of parameter names."""

    num_layers: int
    list_prefixes: tuple[str, ...]
    embedding_prefixes: tuple[str, ...]

    def group_of(self, name: str) -> int:
        for prefix in self.list_prefixes:
            if name.startswith(prefix):
                return 1 + int(name.removeprefix(prefix).split(".", 1)[0])
        return 0 if name.startswith(self.embedding_prefixes) else self.num_layers + 1


def _find_layout(model: nn.Module) -> _Layout:
    # transformers: `base_model` is a model without its head. A wrapper around one has none.
    holder = next((module for module in model.modules() if hasattr(module, "base_model")), None)
    encoder: nn.Module = model if holder is None else cast("nn.Module", holder.base_model)
    path = next(name for name, module in model.named_modules() if module is encoder)
    prefix = f"{path}." if path else ""
    paths, num_layers = _layer_lists(model, encoder)
    return _Layout(
        num_layers,
        tuple(f"{prefix}{beside}." for beside in paths),
        tuple(prefix + early for early in _embedding_prefixes(encoder, paths)),
    )


def _layer_lists(model: nn.Module, encoder: nn.Module) -> tuple[list[str], int]:
    lists: dict[str, int] = {}
    for name, module in encoder.named_modules():
        if not isinstance(module, nn.ModuleList) or len({type(part) for part in module}) != 1:
            continue
        if not any(name.startswith(f"{path}.") for path in lists):  # else: the experts of one layer
            lists[name] = len(module)
    if not lists:
        raise _unusable(model, "its layers cannot be found: no nn.ModuleList of equal modules.")
    longest = max(lists, key=lambda name: lists[name])
    # XLM and FlauBERT keep a layer in four lists side by side: attentions, norms, ffns, norms.
    beside = [name for name in lists if _parent(name) == _parent(longest) and lists[name] == lists[longest]]
    return beside, lists[longest]


def _embedding_prefixes(encoder: nn.Module, list_paths: list[str]) -> list[str]:
    """Return what lies before the layers, in order of registration, on the way down to them."""
    prefixes: list[str] = []
    module, path = encoder, ""
    for part in list_paths[0].split("."):
        prefixes += [path + name for name, _ in module.named_parameters(recurse=False)]
        children = [name for name, _ in module.named_children()]
        position = children.index(part)
        prefixes += [f"{path}{name}." for name in children[:position]]
        if path + part == list_paths[0]:
            beside = [name for name in children[position:] if path + name not in list_paths]
            # An embedding after the layers is a relative-position table, read by all of them, and
            # what stands with it serves it (DeBERTa, MPNet). Without one it is the final norm
            # (ModernBERT): that is head.
            if any(isinstance(module.get_submodule(name), nn.Embedding) for name in beside):
                prefixes += [f"{path}{name}." for name in beside]
        module, path = module.get_submodule(part), f"{path}{part}."
    return prefixes


def _parent(path: str) -> str:
    return path.rpartition(".")[0]


def _span(groups: list[LayerGroup]) -> str:
    return groups[0].name if len(groups) == 1 else f"{groups[0].name} to {groups[-1].name}"


def _unusable(model: nn.Module, what: str) -> EncoderError:
    return EncoderError(
        f"{type(model).__name__}: {what}",
        "Train the whole model (no freezing, layer_decay 1), or use another encoder.",
    )
