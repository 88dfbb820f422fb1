"""Word embeddings trained on the rows that occur, not on the whole vocabulary.

A table of texts uses a part of a vocabulary (CoLA 5,000 of 30,522 words). The other rows have no gradient, yet
gradient, moments, clipping and update pass over all of them at every step: half of a small encoder's weights.
Here they are set aside for the length of a run and put back after it; until then they are only read. Knows no
optimizer but that its rule must treat each weight by itself.

Axes: V rows of the vocabulary, U rows that occur, D width.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial  # torch marks a hook with an attribute, which a method does not take

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn
from transformers import PreTrainedModel

LARGEST_SHARE = 0.8  # of the vocabulary: with more of it in use, nothing is gained


@contextlib.contextmanager
def occurring_rows_trained(model: nn.Module, token_ids: npt.NDArray[np.integer]) -> Iterator[bool]:
    """Shrink the word embeddings to the rows of token_ids during a block; yield whether it was done.

    The parameter stays the same object, smaller: optimizers made before go on with it. In evaluation mode, and in
    `state_dict` and `load_state_dict`, every row of the vocabulary is there, as trained so far. Rows that do not
    occur keep their values: weight decay does not reach them. Nothing is done if the embeddings are frozen, or
    shared with another module.
    """
    embedding = _word_embeddings(model)
    used_U = np.unique(token_ids)
    if embedding is None or len(used_U) > LARGEST_SHARE * embedding.num_embeddings:
        yield False
        return
    table = _Table(embedding, torch.from_numpy(used_U.astype(np.int64)))
    embedding.forward = table.look_up  # type: ignore[method-assign]  # names and hooks of the module stay
    handles = (
        embedding.register_state_dict_post_hook(partial(table.save_whole)),  # type: ignore[no-untyped-call]
        embedding.register_load_state_dict_pre_hook(partial(table.load_whole)),  # type: ignore[no-untyped-call]
    )
    try:
        yield True
    finally:
        for handle in handles:
            handle.remove()
        del embedding.forward
        table.put_back()


class _Table:
    """The whole table of an embedding, and its rows that are trained. place_V: row in the small one, or -1."""

    def __init__(self, embedding: nn.Embedding, used_U: torch.Tensor) -> None:
        weight = embedding.weight
        self.embedding = embedding
        self.used_U = used_U.to(weight.device)
        self.all_VD = weight.data
        self.place_V = torch.full((len(self.all_VD),), -1, device=weight.device)
        self.place_V[self.used_U] = torch.arange(len(used_U), device=weight.device)
        _give(weight, self.all_VD[self.used_U])

    def look_up(self, input: torch.Tensor) -> torch.Tensor:
        if not self.embedding.training:
            self._write()
            return F.embedding(input, self.all_VD)
        pad = self.embedding.padding_idx
        place = None if pad is None else int(self.place_V[pad])
        return F.embedding(self.place_V[input], self.embedding.weight, padding_idx=None if place == -1 else place)

    def save_whole(self, module: nn.Module, state: dict[str, torch.Tensor], prefix: str, metadata: object) -> None:
        self._write()
        state[f"{prefix}weight"] = self.all_VD

    def load_whole(self, module: nn.Module, state: dict[str, torch.Tensor], prefix: str, *rest: object) -> None:
        whole_VD = state.get(f"{prefix}weight")
        if whole_VD is not None and whole_VD.shape == self.all_VD.shape:
            self.all_VD.copy_(whole_VD)
            state[f"{prefix}weight"] = self.all_VD[self.used_U]

    def put_back(self) -> None:
        self._write()
        _give(self.embedding.weight, self.all_VD)

    def _write(self) -> None:
        """Copy the trained rows into the whole table: each time, for a fused optimizer leaves no sign of its update."""
        self.all_VD[self.used_U] = self.embedding.weight.detach()


def _give(weight: torch.Tensor, values: torch.Tensor) -> None:
    """Give a parameter values of another shape, and drop its gradient.

    An earlier graph that is still alive keeps the place where gradients of the parameter arrive, with the shape of
    before; torch makes a new one where the type changes.
    """
    weight.grad = None
    weight.data = torch.empty(0, dtype=torch.float64, device=values.device)
    weight.data = values


def _word_embeddings(model: nn.Module) -> nn.Embedding | None:
    """Return the trained embedding of the input ids, if it is a plain one and nothing else reads it."""
    encoder = next((module for module in model.modules() if isinstance(module, PreTrainedModel)), None)
    embedding = None if encoder is None else encoder.get_input_embeddings()
    if type(embedding) is not nn.Embedding or not embedding.weight.requires_grad:
        return None
    if embedding.max_norm is not None or embedding.sparse or embedding.scale_grad_by_freq:
        return None
    owners = sum(
        parameter is embedding.weight for module in model.modules() for parameter in module.parameters(recurse=False)
    )
    return embedding if owners == 1 else None
