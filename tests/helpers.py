"""Doubles for tests: tiny encoders on disk, tokenizers in memory, and tables as files.

Everything is random but seeded, small and offline. A tiny encoder has the shape of its family (special
tokens, pad id, position offset, token types), for that is where families differ; its words mean nothing.
Knows nothing of fastbert.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

MAX_TOKENS = 64
VOCABULARY = 80  # rows of the embedding, more than the words need, as in real checkpoints

# Any word of a test that is not here becomes the unknown token.
DEFAULT_WORDS = tuple(
    "the a this it is not and to of in on for my i you we app page button export login price bill invoice "
    "crash error bug nothing does works fast slow good great bad love hate please thanks new old help "
    "berlin paris anna who where . , ! ? '".split()
)


@dataclass(frozen=True)
class _Family:
    """What sets one family apart from BERT.

    first, last: special tokens before and after the words in the vocabulary; ids follow that order.
    roles: the token of each role.    pair: template of a pair of texts with its type ids.
    config: options of the Hugging Face configuration.    has_types: the model reads token type ids.
    roles_in_config: token ids that the configuration stores, besides the pad id.
    """

    first: tuple[str, ...]
    roles: dict[str, str]
    pair: str
    config: Mapping[str, object]
    last: tuple[str, ...] = ()
    has_types: bool = False
    roles_in_config: dict[str, str] = field(default_factory=dict)

    @property
    def single(self) -> str:
        return f"{self.roles['cls']}:0 $A:0 {self.roles['sep']}:0"


_BERT_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_BERT_ROLES = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
_BERT_PAIR = "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1"
_ALBERT_ROLES = _BERT_ROLES | {"pad": "<pad>", "unk": "<unk>"}
_ROBERTA_TOKENS = ("<s>", "<pad>", "</s>", "<unk>")
_ROBERTA_ROLES = {"pad": "<pad>", "unk": "<unk>", "cls": "<s>", "sep": "</s>", "mask": "<mask>"}
_ROBERTA_PAIR = "<s>:0 $A:0 </s>:0 </s>:0 $B:0 </s>:0"

_LENGTH = {"max_position_embeddings": MAX_TOKENS}
# Positions count from pad id + 1 in RoBERTa and its heirs, so two rows of the table are never reached.
_OFFSET_LENGTH = {"max_position_embeddings": MAX_TOKENS + 2}
_WIDTH = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
_DISTILBERT = {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 2}
_DEBERTA = {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "pooler_hidden_size": 32,
}
_DEBERTA_V2 = _DEBERTA | {"position_buckets": 16, "share_att_key": True, "norm_rel_ebd": "layer_norm"}
_DEBERTA_TOKENS = ("[PAD]", "[CLS]", "[SEP]", "[UNK]")
_MODERNBERT = {
    "layer_types": ["full_attention", "sliding_attention"],
    "local_attention": 16,
    "classifier_pooling": "mean",
}

_ROBERTA = _Family(
    _ROBERTA_TOKENS,
    _ROBERTA_ROLES,
    _ROBERTA_PAIR,
    _WIDTH | _OFFSET_LENGTH | {"type_vocab_size": 1},
    last=("<mask>",),
    roles_in_config={"bos": "cls", "eos": "sep"},
)
_FAMILIES = {
    "bert": _Family(_BERT_TOKENS, _BERT_ROLES, _BERT_PAIR, _WIDTH | _LENGTH, has_types=True),
    "distilbert": _Family(_BERT_TOKENS, _BERT_ROLES, _BERT_PAIR, _DISTILBERT | _LENGTH),
    "electra": _Family(
        _BERT_TOKENS, _BERT_ROLES, _BERT_PAIR, _WIDTH | _LENGTH | {"embedding_size": 16}, has_types=True
    ),
    "albert": _Family(
        ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"),
        _ALBERT_ROLES,
        _BERT_PAIR,
        _WIDTH | _LENGTH | {"embedding_size": 16},
        has_types=True,
        roles_in_config={"bos": "cls", "eos": "sep"},
    ),
    "deberta": _Family(
        _DEBERTA_TOKENS, _BERT_ROLES, _BERT_PAIR, _WIDTH | _LENGTH | _DEBERTA, last=("[MASK]",), has_types=True
    ),
    "deberta-v2": _Family(
        _DEBERTA_TOKENS,
        _BERT_ROLES,
        _BERT_PAIR,
        _WIDTH | _LENGTH | _DEBERTA_V2,
        last=("[MASK]",),
        has_types=True,
    ),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "mpnet": _Family(
        ("<s>", "<pad>", "</s>", "[UNK]"),
        _ROBERTA_ROLES | {"unk": "[UNK]"},
        _ROBERTA_PAIR,
        _WIDTH | _OFFSET_LENGTH,
        last=("<mask>",),
        roles_in_config={"bos": "cls", "eos": "sep"},
    ),
    "modernbert": _Family(
        (),
        _BERT_ROLES,
        _BERT_PAIR,
        _WIDTH | _LENGTH | _MODERNBERT,
        last=("[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"),
        roles_in_config={"bos": "cls", "eos": "sep", "cls": "cls", "sep": "sep"},
    ),
}
# The first DeBERTa does not compute in bfloat16 and has tests of its own.
FAMILIES = tuple(name for name in _FAMILIES if name != "deberta")


def word_tokenizer(words: Sequence[str] = DEFAULT_WORDS, family: str = "bert") -> Tokenizer:
    """Build a tokenizer with one token a word: lower case, split at spaces and punctuation.

    Frames one text or two the way the family does, and neither pads nor truncates.
    """
    shape = _FAMILIES[family]
    ordered = dict.fromkeys([*shape.first, *words, *shape.last])
    ids = {token: index for index, token in enumerate(ordered)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token=shape.roles["unk"]))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    frame = [shape.roles["cls"], shape.roles["sep"]]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=shape.single, pair=shape.pair, special_tokens=[(token, ids[token]) for token in frame]
    )
    # The mask of RoBERTa and its heirs swallows the space before it.
    tokenizer.add_special_tokens(
        [AddedToken(token, lstrip=token == "<mask>", special=True) for token in shape.first + shape.last]
    )
    return tokenizer


def tiny_encoder(folder: Path, family: str = "bert", words: Sequence[str] = DEFAULT_WORDS) -> Path:
    """Write a complete Hugging Face checkpoint with its tokenizer, and return the folder.

    2 layers, width 32, 2 heads, at most 64 tokens; the same weights each time. `AutoModel`,
    `AutoModelFor...` and `AutoTokenizer` open it; a task head is new, as in any pretrained encoder.
    """
    import torch  # here: most tests that use this file need no torch
    from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

    shape = _FAMILIES[family]
    tokenizer = word_tokenizer(words, family)
    ids = tokenizer.get_vocab()
    config_ids = {
        f"{key}_token_id": ids[shape.roles[role]] for key, role in {"pad": "pad", **shape.roles_in_config}.items()
    }
    config = AutoConfig.for_model(
        family,
        vocab_size=max(VOCABULARY, len(ids)),
        initializer_range=0.2,  # about 1/sqrt(32); BERT's 0.02 leaves so narrow a model blind to its input
        **shape.config,
        **config_ids,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        AutoModel.from_config(config).save_pretrained(folder)
    input_names = ["input_ids", *(["token_type_ids"] if shape.has_types else []), "attention_mask"]
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=MAX_TOKENS,
        model_input_names=input_names,
        **{f"{role}_token": token for role, token in shape.roles.items()},
    ).save_pretrained(folder)
    return folder


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]], delimiter: str = ",") -> Path:
    """Write a delimited UTF-8 file with one header row, and return its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path
