"""A masked language model whose head is computed only where something is predicted.

The head (dense, norm, and a product with every word of the vocabulary) costs a small encoder more than all its
layers, and six of seven tokens are not predicted; so hidden states are gathered before it. The heads are those of
transformers' own classes, whatever the family. Knows nothing of text, masks or training.

Axes: W sequences, L tokens, D width, M masked tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    save_tokenizer,
    unreadable_weights,
)

Inputs = Mapping[str, torch.Tensor]


class MaskedOutputs(NamedTuple):
    """logits_MV: of the masked tokens.    next_W2: whether the second text follows (0) or not (1); None without it."""

    logits_MV: torch.Tensor
    next_W2: torch.Tensor | None


class MaskedLanguageModel(nn.Module):
    """An encoder with the head of a masked language model.

    model: as transformers has it.    is_new_head: True where the checkpoint had no head and it is random.
    kept: weights of the checkpoint that the model has no use for, such as a pooler; they are saved again as they were.
    """

    def __init__(
        self, model: PreTrainedModel, *, is_new_head: bool = False, kept: Mapping[str, torch.Tensor] | None = None
    ) -> None:
        super().__init__()
        self.model = model
        self.is_new_head = is_new_head
        self.kept = dict(kept or {})
        self._places_M: torch.Tensor | None = None
        model.base_model.register_forward_hook(self._gather)

    def forward(self, inputs: Inputs, places_M: torch.Tensor) -> MaskedOutputs:
        """Return what is predicted at some places. inputs: of the encoder, (W, L).

        places_M: int64, into the W * L tokens in order.
        """
        self._places_M = places_M
        try:
            outputs = self.model(**inputs)
        finally:
            self._places_M = None
        logits = outputs.get("logits", outputs.get("prediction_logits"))
        return MaskedOutputs(logits[0], outputs.get("seq_relationship_logits"))

    def head_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of the head that are not the encoder's; a tied decoder is the encoder's."""
        encoder = {id(parameter) for parameter in self.model.base_model.parameters()}
        return [parameter for parameter in self.model.parameters() if id(parameter) not in encoder]

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
            options = attention_dropout(encoder.config)
            model, found = auto.from_pretrained(encoder.source, output_loading_info=True, **options)
            bare, found_bare = transformers.AutoModel.from_pretrained(encoder.source, output_loading_info=True)
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
    trained = MaskedLanguageModel(opened)
    head = {id(parameter) for parameter in trained.head_parameters()}
    missing = {str(name) for name in found["missing_keys"]}
    is_new = any(id(parameter) in head and name in missing for name, parameter in opened.named_parameters())
    return MaskedLanguageModel(opened, is_new_head=is_new, kept=_unused(opened, bare, found_bare))


def _unused(model: PreTrainedModel, bare: PreTrainedModel, found: Mapping[str, object]) -> dict[str, torch.Tensor]:
    """Return the weights of the bare encoder that the model lacks, under the names of a whole checkpoint."""
    missing = cast("set[str]", found["missing_keys"])
    has = set(model.base_model.state_dict())
    return {
        f"{model.base_model_prefix}.{name}": value.float()
        for name, value in bare.state_dict().items()
        if name not in has and name not in missing
    }
