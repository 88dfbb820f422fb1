"""Vectors of texts from encoders and bundles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from fastbert.errors import ConfigError, DataError, EncoderError
from fastbert.inference.embedder import Embedder
from tests.feedback import make_learner

TEXTS = ["the app is slow", "i love the app", "the page the page the page the page the page"]


def test_vectors_are_the_mean_of_the_last_hidden_states(encoder: str) -> None:
    """Against transformers' own model and tokenizer, one text at a time."""
    tokenizer, model = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder).eval()

    vectors_ND = Embedder.open(encoder, pooling="mean")(TEXTS)

    with torch.inference_mode():
        hidden = [model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0) for text in TEXTS]
    expected = torch.nn.functional.normalize(torch.stack(hidden), dim=1).numpy()
    np.testing.assert_allclose(vectors_ND, expected, atol=1e-5)


def test_vectors_have_length_one_unless_they_are_raw(encoder: str) -> None:
    embed = Embedder.open(encoder)
    unit = embed(TEXTS)
    embed.normalized = False
    raw = embed(TEXTS)

    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(raw / np.linalg.norm(raw, axis=1, keepdims=True), unit, atol=1e-6)


def test_a_bundle_embeds_with_its_own_encoder(encoder: str, tmp_path: Path) -> None:
    bundle = make_learner(encoder).fit(epochs=1, lr=0.01).save(tmp_path / "model")

    trained, before = Embedder.open(bundle)(TEXTS), Embedder.open(encoder)(TEXTS)

    assert trained.shape == before.shape
    assert not np.allclose(trained, before, atol=1e-3)


def test_texts_that_are_too_long_are_counted(encoder: str) -> None:
    embed = Embedder.open(encoder, max_tokens=8)

    assert [cut for _, cut in embed.stream(TEXTS)] == [1]


def test_windows_read_all_of_a_text(encoder: str) -> None:
    embed = Embedder.open(encoder, max_tokens=8)
    embed.truncation = "windows"

    ((vectors_ND, cut),) = embed.stream(TEXTS)

    assert (vectors_ND.shape[0], cut) == (3, 0)


def test_no_texts_give_no_vectors(encoder: str) -> None:
    assert Embedder.open(encoder)([]).shape[0] == 0


def test_more_tokens_than_the_encoder_takes_are_refused(encoder: str) -> None:
    with pytest.raises(EncoderError, match="this encoder takes at most"):
        Embedder.open(encoder, max_tokens=100_000)
    with pytest.raises(EncoderError, match="max_tokens is 0; special tokens alone take"):
        Embedder.open(encoder, max_tokens=0)


def test_windows_read_all_of_a_pair_whichever_is_long(encoder: str) -> None:
    embedder = Embedder.open(encoder, max_tokens=16)
    embedder.truncation = "windows"
    pairs = [("the app", "the app is slow " * 9), ("the app is slow " * 9, "the app")]

    assert [cut for _, cut in embedder.stream(pairs)] == [0]


def test_what_no_one_could_mean_is_refused(encoder: str) -> None:
    embed = Embedder.open(encoder)

    with pytest.raises(ConfigError, match="pooling is 'max'; expected one of auto, mean, cls"):
        Embedder.open(encoder, pooling="max")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="truncation is 'window'; expected one of head, tail"):
        embed.truncation = "window"  # type: ignore[assignment]
    with pytest.raises(DataError, match="a single text was given"):
        list(embed.stream("hello there"))
