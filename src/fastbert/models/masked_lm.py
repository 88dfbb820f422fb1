"""A masked language model whose head is computed only where something is predicted.

The head (dense, norm, and a product with every word of the vocabulary) costs a small encoder more than all its
layers, and six of seven tokens are not predicted; so hidden states are gathered before it. The heads are those of
transformers' own classes, whatever the family. Knows nothing of text, masks or training.

Axes: W sequences, L tokens, D width, M masked tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple, cast

import torch
import transformers
from safetensors import SafetensorError
from torch import nn
from transformers import PreTrainedModel
from transformers.utils.generic import ModelOutput

from fastbert.errors import EncoderError
from fastbert.models.loading import (
    Encoder,
    attention_dropout,
    check_weights,
    disk_errors,
    quiet,
    reshaped_weights,
    save_tokenizer,
    unreadable_weights,
)
from fastbert.models.pooling import copy_pooling

Inputs = Mapping[str, torch.Tensor]


class MaskedOutputs(NamedTuple):
    """logits_MV: of the masked tokens.    next_W2: whether the second text follows (0) or not (1); None without it."""

    logits_MV: torch.Tensor
    next_W2: torch.Tensor | None


class MaskedLanguageModel(nn.Module):
    """An encoder with the head of a masked language model.

    model: as transformers has it.    new: names of the parameters that the checkpoint did not have, which are random.
    kept: weights of the checkpoint that the model has no use for, such as a pooler; they are saved again as they were.
    """

    def __init__(
        self, model: PreTrainedModel, *, new: Collection[str] = (), kept: Mapping[str, torch.Tensor] | None = None
    ) -> None:
        super().__init__()
        self.model = model
        self.new = frozenset(new)
        self.kept = dict(kept or {})
        self._places_M: torch.Tensor | None = None
        model.base_model.register_forward_hook(self._gather)

    def forward(self, inputs: Inputs, places_M: torch.Tensor) -> MaskedOutputs:
        """Return what is predicted at some places. inputs: of the encoder, (W, L).

        places_M: int64, into the W * L tokens in order.
        """
        self._places_M = places_M
        try:
            outputs = self.model(**inputs, return_dict=True)  # some checkpoints ask for tuples
        finally:
            self._places_M = None
        logits = outputs.get("logits", outputs.get("prediction_logits"))
        return MaskedOutputs(logits[0], outputs.get("seq_relationship_logits"))

    @property
    def is_tied(self) -> bool:
        """Return whether the decoder is the word embeddings."""
        decoder = self.model.get_output_embeddings()
        return decoder is not None and decoder.weight is self.model.get_input_embeddings().weight

    @property
    def new_parts(self) -> tuple[str, ...]:
        """Return what the checkpoint did not have, as nouns."""
        nouns = (("seq_relationship", "next-sentence head"), ("pooler", "pooler"), ("", "masked-LM head"))
        found = {next(noun for mark, noun in nouns if mark in name) for name in self.new}
        return tuple(noun for _, noun in reversed(nouns) if noun in found)

    def new_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that the checkpoint did not have."""
        return [parameter for name, parameter in self.model.named_parameters() if name in self.new]

    def save(self, encoder: Encoder, folder: Path) -> None:
        """Write checkpoint and tokenizer so that transformers' own Auto classes open the folder.

        Raises OSError if the disk fails.
        """
        config = self.model.config
        changed = {name: getattr(config, name) for name in attention_dropout(config)}
        for name in changed:  # training alone goes without; see `load_masked_lm`
            setattr(config, name, getattr(encoder.config, name))
        try:
            with quiet(), disk_errors():
                self.model.save_pretrained(str(folder), state_dict={**self.model.state_dict(), **self.kept})
        finally:
            for name, value in changed.items():
                setattr(config, name, value)
        save_tokenizer(encoder, folder, encoder.tokenizer.max_tokens)
        copy_pooling(Path(encoder.source), folder)

    def _gather(self, module: nn.Module, inputs: object, output: object) -> object:
        """Leave only the hidden states of masked tokens, as one sequence (1, M, D)."""
        if self._places_M is None:
            return None
        if isinstance(output, tuple):
            return (self._gathered(output[0]), *output[1:])
        found = cast("ModelOutput", output)
        found["last_hidden_state"] = self._gathered(found["last_hidden_state"])
        return found

    def _gathered(self, hidden_WLD: torch.Tensor) -> torch.Tensor:
        return hidden_WLD.flatten(0, 1)[self._places_M][None]


def load_masked_lm(encoder: Encoder, *, next_sentence: bool = False) -> MaskedLanguageModel:
    """Load the weights of an encoder with its masked-LM head, or with a new one where it has none.

    A new head's decoder is tied to the word embeddings, as the family has it. Attention weights have no dropout, as in
    fine-tuning (`loading.load_model`).
    next_sentence: with a head for next-sentence prediction too.
    Raises EncoderError for a family without such heads, or if the weights are missing or of another model.
    """
    auto = transformers.AutoModelForPreTraining if next_sentence else transformers.AutoModelForMaskedLM
    try:
        with quiet():
            # A shape that does not fit is then reported, and refused below, instead of a RuntimeError.
            report = {"output_loading_info": True, "ignore_mismatched_sizes": True}
            model, found = auto.from_pretrained(encoder.source, **report, **attention_dropout(encoder.config))
            bare, found_bare = transformers.AutoModel.from_pretrained(encoder.source, **report)
    except (OSError, SafetensorError) as error:
        raise unreadable_weights(encoder, error) from error
    except ValueError as error:
        raise EncoderError(
            f"'{encoder.name}' ({encoder.model_type}) has no masked language model in transformers.",
            "Choose an encoder of a family that is pretrained by masking, such as BERT or RoBERTa.",
        ) from error
    if next_sentence and not hasattr(getattr(model, "cls", None), "seq_relationship"):
        raise EncoderError(
            f"'{encoder.name}' ({encoder.model_type}) has no head for next-sentence prediction.",
            "Leave out --next-sentence, or choose an encoder of the BERT family.",
        )
    check_weights(encoder.source, model, found, fresh=True)
    opened = cast("PreTrainedModel", model).float()
    encoder_ids = {id(parameter) for parameter in opened.base_model.parameters()}
    missing = {str(name) for name in found["missing_keys"]} | reshaped_weights(found)
    new = [
        name
        for name, parameter in opened.named_parameters()  # a tied decoder is the encoder's
        if name in missing and (id(parameter) not in encoder_ids or (next_sentence and "pooler" in name))
    ]
    _clear_biases(opened, new)
    _check_vocabulary(encoder, opened)
    return MaskedLanguageModel(opened, new=new, kept=_unused(opened, bare, found_bare))


def _clear_biases(model: PreTrainedModel, new: Collection[str]) -> None:
    """Start new biases at 0: transformers leaves those of some heads as the memory was (Longformer, Data2Vec, FNet)."""
    with torch.no_grad():
        for name in new:
            if name.endswith("bias"):
                model.get_parameter(name).zero_()


def _check_vocabulary(encoder: Encoder, model: PreTrainedModel) -> None:
    largest = max(encoder.tokenizer.backend.get_vocab().values())
    known = cast("torch.Tensor", model.get_input_embeddings().weight).shape[0]
    if largest >= known:
        raise EncoderError(
            f"'{encoder.name}': its tokenizer has tokens up to number {largest}, its embeddings end at {known - 1}.",
            "Save the encoder again with both of one size: `model.resize_token_embeddings(len(tokenizer))`.",
        )


def _unused(model: PreTrainedModel, bare: PreTrainedModel, found: Mapping[str, object]) -> dict[str, torch.Tensor]:
    """Return the weights of the bare encoder that the model lacks, under the names of a whole checkpoint."""
    missing = cast("set[str]", found["missing_keys"])
    has = set(model.base_model.state_dict())
    return {
        f"{model.base_model_prefix}.{name}": value.float()
        for name, value in bare.state_dict().items()
        if name not in has and name not in missing
    }
