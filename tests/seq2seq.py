"""Tiny checkpoints with a decoder, T5 and BART, for tests: random but seeded, with a tokenizer of whole words.

Knows nothing of fastbert.
"""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from tests.helpers import DEFAULT_WORDS

LIMIT = 64
_SPECIAL = {"t5": ("<pad>", "</s>", "<unk>"), "bart": ("<s>", "<pad>", "</s>", "<unk>")}
_FRAME = {"t5": "$A </s>", "bart": "<s> $A </s>"}


def tiny_seq2seq(folder: Path, family: str = "t5", prefix: str = "") -> Path:
    """Write a checkpoint of 1 layer a side, width 32, with its tokenizer, and return the folder.

    prefix: what the configuration says must stand before a text to summarise.
    """
    import torch
    from transformers import AutoConfig, AutoModelForSeq2SeqLM, PreTrainedTokenizerFast

    tokenizer = _word_tokenizer(family)
    ids = tokenizer.get_vocab()
    shapes: dict[str, dict[str, object]] = {
        "t5": {"d_kv": 16, "d_ff": 64, "num_layers": 1, "num_heads": 2, "decoder_start_token_id": ids["<pad>"]},
        "bart": {
            **dict.fromkeys(["encoder_layers", "decoder_layers"], 1),
            **dict.fromkeys(["encoder_attention_heads", "decoder_attention_heads"], 2),
            **dict.fromkeys(["encoder_ffn_dim", "decoder_ffn_dim"], 64),
            **dict.fromkeys(["decoder_start_token_id", "forced_eos_token_id"], ids["</s>"]),
            "max_position_embeddings": LIMIT,
            "bos_token_id": 0,
            "init_std": 0.2,  # about 1/sqrt(32); its 0.02 leaves so narrow a model blind to its input
        },
    }
    if prefix:
        shapes[family]["task_specific_params"] = {"summarization": {"prefix": prefix}}
    config = AutoConfig.for_model(
        family, vocab_size=len(ids), d_model=32, pad_token_id=ids["<pad>"], eos_token_id=ids["</s>"], **shapes[family]
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        AutoModelForSeq2SeqLM.from_config(config).save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=LIMIT,
        model_input_names=["input_ids", "attention_mask"],
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        **({"bos_token": "<s>"} if family == "bart" else {}),
    ).save_pretrained(folder)
    return folder


def _word_tokenizer(family: str) -> Tokenizer:
    ids = {token: index for index, token in enumerate([*_SPECIAL[family], *DEFAULT_WORDS])}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    frame = [(token, ids[token]) for token in ("<s>", "</s>") if token in _FRAME[family]]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=_FRAME[family], pair=f"{_FRAME[family]} $B", special_tokens=frame
    )
    return tokenizer
