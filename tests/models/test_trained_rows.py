"""Embeddings trained on the rows that occur: the same weights as with all rows, which are there all the time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fastbert.models.loading import load_model
from fastbert.models.trained_rows import occurring_rows_trained
from tests.bundles import SINGLE, open_tiny
from tests.helpers import FAMILIES

IDS = torch.tensor([[2, 10, 11, 12, 3], [2, 13, 3, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
OTHERS = torch.tensor([[2, 20, 21, 22, 3], [2, 30, 3, 0, 0]])  # rows that the training texts do not have


def open_model(folder: Path, family: str = "bert") -> nn.Module:
    """Return a model without dropout, so that two runs are equal."""
    torch.manual_seed(0)  # the head is drawn
    model = load_model(open_tiny(folder, family), SINGLE)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


def optimizer_of(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0, fused=True)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 3) -> None:
    """Take some steps on two rows."""
    model.train()
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        model(input_ids=IDS, attention_mask=MASK)["logits"].square().sum().backward()
        optimizer.step()


def word_weights(model: nn.Module) -> torch.Tensor:
    """Return the table of the word embeddings."""
    table: torch.Tensor = model.get_input_embeddings().weight  # type: ignore[operator]
    return table


def logits(model: nn.Module, ids: torch.Tensor) -> torch.Tensor:
    model.eval()
    with torch.inference_mode():
        found: torch.Tensor = model(input_ids=ids, attention_mask=MASK)["logits"]
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_are_those_of_training_all_rows(family: str, tmp_path: Path) -> None:
    """Without decay: it reaches the rows that occur alone."""
    plain, short = open_model(tmp_path / "plain", family), open_model(tmp_path / "short", family)

    train(plain, optimizer_of(plain))
    with occurring_rows_trained(short, IDS.numpy()) as done:
        assert done
        assert len(word_weights(short)) == len(np.unique(IDS))
        train(short, optimizer_of(short))

    for (name, mine), theirs in zip(short.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0, msg=name)


def test_an_optimizer_goes_on_over_two_blocks(tmp_path: Path) -> None:
    plain, short = open_model(tmp_path / "plain"), open_model(tmp_path / "short")
    optimizers = optimizer_of(plain), optimizer_of(short)

    train(plain, optimizers[0], 4)
    for _ in range(2):
        with occurring_rows_trained(short, IDS.numpy()):
            train(short, optimizers[1], 2)

    torch.testing.assert_close(word_weights(short), word_weights(plain), rtol=0, atol=0)


def test_a_graph_from_before_that_is_still_alive_does_no_harm(tmp_path: Path) -> None:
    model = open_model(tmp_path / "encoder")
    before = model(input_ids=IDS, attention_mask=MASK)["logits"]
    with occurring_rows_trained(model, IDS.numpy()):
        inside = model(input_ids=IDS, attention_mask=MASK)["logits"]
        train(model, optimizer_of(model))

    train(model, optimizer_of(model))

    assert before.requires_grad
    assert inside.requires_grad


def test_evaluation_sees_every_row_as_trained_so_far(tmp_path: Path) -> None:
    model = open_model(tmp_path / "encoder")
    with occurring_rows_trained(model, IDS.numpy()):
        train(model, optimizer_of(model))
        inside = logits(model, IDS), logits(model, OTHERS)

    assert torch.equal(inside[0], logits(model, IDS))
    assert torch.equal(inside[1], logits(model, OTHERS))


def test_state_dict_has_every_row_and_can_be_loaded(tmp_path: Path) -> None:
    model = open_model(tmp_path / "encoder")
    with occurring_rows_trained(model, IDS.numpy()):
        start = {name: value.clone() for name, value in model.state_dict().items()}
        train(model, optimizer_of(model))
        trained = {name: value.clone() for name, value in model.state_dict().items()}
        model.load_state_dict(start)
        back = logits(model, IDS)
        model.load_state_dict(trained)

    name = next(name for name, value in model.named_parameters() if value is word_weights(model))
    assert start[name].shape == word_weights(model).shape
    assert not torch.equal(start[name], trained[name])
    torch.testing.assert_close(word_weights(model), trained[name], rtol=0, atol=0)
    assert not torch.equal(back, logits(model, IDS))


def test_an_error_in_the_block_leaves_a_whole_model(tmp_path: Path) -> None:
    model = open_model(tmp_path / "encoder")
    size, before = len(word_weights(model)), logits(model, OTHERS)

    with pytest.raises(KeyError), occurring_rows_trained(model, IDS.numpy()):
        raise KeyError

    assert len(word_weights(model)) == size
    assert torch.equal(logits(model, OTHERS), before)


def test_weights_of_rows_that_do_not_occur_keep_every_bit(tmp_path: Path) -> None:
    model = open_model(tmp_path / "encoder")
    before = word_weights(model).detach().clone()
    with occurring_rows_trained(model, IDS.numpy()):
        train(model, torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.5, fused=True))

    unused = np.setdiff1d(np.arange(len(before)), IDS.numpy())
    assert torch.equal(word_weights(model)[unused], before[unused])


@pytest.mark.parametrize("why", ["frozen", "most rows occur", "shared"])
def test_nothing_is_done_where_nothing_is_gained(why: str, tmp_path: Path) -> None:
    model = open_model(tmp_path / "encoder")
    ids, size = IDS.numpy(), len(word_weights(model))
    if why == "frozen":
        word_weights(model).requires_grad_(False)
    elif why == "most rows occur":
        ids = np.arange(size)
    else:
        model.decoder = nn.Linear(32, size)
        model.decoder.weight = word_weights(model)

    with occurring_rows_trained(model, ids) as done:
        assert not done
        assert len(word_weights(model)) == size
