"""A new BERT on disk opens as any other, with weights that depend on the seed alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from fastbert.data.corpus import Corpus
from fastbert.data.vocabulary import train_vocabulary
from fastbert.errors import ConfigError
from fastbert.models.loading import open_encoder
from fastbert.models.masked_lm import load_masked_lm
from fastbert.models.new_encoder import SIZES, write_new_encoder


def vocabulary() -> Tokenizer:
    return train_vocabulary(Corpus((("The app works. The app crashes.",),) * 3), 60)


def write(folder: Path, seed: int = 0) -> Path:
    return write_new_encoder(folder, vocabulary(), "tiny", seed=seed, lowercase=True)


def test_it_opens_with_both_heads_and_its_tokenizer(tmp_path: Path) -> None:
    opened = open_encoder(str(write(tmp_path)))
    model = load_masked_lm(opened, next_sentence=True)

    assert (opened.config.num_hidden_layers, opened.config.hidden_size) == SIZES["tiny"]
    assert not model.new and not load_masked_lm(opened).new
    assert opened.tokenizer.max_tokens == 512 and opened.tokenizer.lowercases
    assert opened.tokenizer.tokens_of([opened.tokenizer.pad_id]) == ["[PAD]"]
    assert opened.fast_tokenizer.mask_token == "[MASK]"


def test_weights_are_a_function_of_the_seed_and_no_other_random_number_is_moved(tmp_path: Path) -> None:
    torch.manual_seed(7)
    models = [load_masked_lm(open_encoder(str(write(tmp_path / str(n), seed)))) for n, seed in enumerate((0, 0, 1))]
    drawn = torch.rand(1)
    torch.manual_seed(7)

    first, again, other = (model.model.get_input_embeddings().weight for model in models)
    assert torch.equal(torch.as_tensor(first), torch.as_tensor(again))
    assert not torch.equal(torch.as_tensor(first), torch.as_tensor(other))
    assert torch.equal(drawn, torch.rand(1))


def test_an_unknown_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="size is 'smal'; expected one of tiny, mini, small") as error:
        write_new_encoder(tmp_path, vocabulary(), "smal", seed=0, lowercase=True)
    assert error.value.hint == "Did you mean 'small'?"
