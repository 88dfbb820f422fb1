"""A BERT that knows nothing yet, of a usual size, written as a checkpoint with its tokenizer.

Knows nothing of corpora or training.
"""

from __future__ import annotations

from pathlib import Path

import tokenizers
import torch
from transformers import BertConfig, BertForPreTraining, PreTrainedTokenizerFast

from fastbert.errors import ConfigError, did_you_mean
from fastbert.models.loading import disk_errors, quiet

MAX_POSITIONS = 512
# (layers, width): Turc et al. 2019, arXiv 1908.08962, table 1; base of Devlin et al. 2019. A head is 64 wide.
SIZES: dict[str, tuple[int, int]] = {
    "tiny": (2, 128),
    "mini": (4, 256),
    "small": (4, 512),
    "medium": (8, 512),
    "base": (12, 768),
}
HEAD_WIDTH = 64


def check_size(size: str) -> None:
    """Raise ConfigError for a size that is not known."""
    if size not in SIZES:
        hint = did_you_mean(size, SIZES) or "`small` is a good start for some millions of words."
        raise ConfigError(f"size is '{size}'; expected one of {', '.join(SIZES)}.", hint)


def write_new_encoder(folder: Path, tokenizer: tokenizers.Tokenizer, size: str, *, seed: int, lowercase: bool) -> Path:
    """Write a random BERT with the heads of its pretraining, and its tokenizer; return the folder.

    tokenizer: with the special tokens of BERT.    seed: of the weights.
    Raises ConfigError for an unknown size, OSError if the disk fails.
    """
    check_size(size)
    layers, width = SIZES[size]
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // HEAD_WIDTH,
        intermediate_size=4 * width,
        max_position_embeddings=MAX_POSITIONS,
        pad_token_id=tokenizer.token_to_id("[PAD]"),
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=MAX_POSITIONS,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        do_lower_case=lowercase,
        **{f"{role}_token": f"[{role.upper()}]" for role in ("pad", "unk", "cls", "sep", "mask")},
    )
    with torch.random.fork_rng(devices=[]), quiet(), disk_errors():
        torch.manual_seed(seed)
        BertForPreTraining(config).save_pretrained(str(folder))
        fast.save_pretrained(str(folder))
    return folder
