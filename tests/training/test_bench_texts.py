"""Made-up texts have the length asked for, and a bundle says how it was trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fastbert.bundle import read_bundle
from fastbert.errors import ConfigError
from fastbert.models.loading import open_encoder
from fastbert.training import bench_texts
from fastbert.training.bench_texts import bundle_options, made_up_rows


def test_made_up_texts_have_the_mean_length_and_a_spread(encoder: str) -> None:
    rows = made_up_rows(encoder, 24, 40, seed=1)

    lengths = [len(open_encoder(encoder).fast_tokenizer(str(row["text"]))["input_ids"]) for row in rows]
    assert np.mean(lengths) == pytest.approx(24, abs=0.5)
    assert (min(lengths), max(lengths)) == (12, 36)
    assert {row["label"] for row in rows} == {"yes", "no"}


def test_the_same_seed_makes_the_same_texts(encoder: str) -> None:
    assert made_up_rows(encoder, 12, 8, seed=1) == made_up_rows(encoder, 12, 8, seed=1)
    assert made_up_rows(encoder, 12, 8, seed=1) != made_up_rows(encoder, 12, 8, seed=2)


def test_no_text_is_longer_than_the_encoder_takes(encoder: str) -> None:
    rows = made_up_rows(encoder, 64, 8, seed=1)

    assert max(len(str(row["text"]).split()) for row in rows) == 62


def test_the_options_of_a_bundle_are_its_folder_its_longest_input_and_its_pooling(bundle: Path) -> None:
    assert bundle_options(bundle) == {"encoder": str(bundle), "max_tokens": 64, "pooling": "default"}


def test_a_model_with_a_head_of_its_own_is_refused(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = replace(read_bundle(bundle), head="my:Head")
    monkeypatch.setattr(bench_texts, "read_bundle", lambda folder: own)

    with pytest.raises(ConfigError, match="the model has a head of its own, my:Head, which the bench cannot build"):
        bundle_options(bundle)
