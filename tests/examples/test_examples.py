"""Every example runs from top to bottom, here with a tiny encoder and few epochs."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from fastbert import Predictor
from tests.helpers import tiny_encoder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_encoder(tmp_path_factory.mktemp("encoder")))


@pytest.mark.parametrize(
    "name", ["article_flow", "own_loss", "own_metric", "own_callback", "adapt_first", "grid_search"]
)
def test_example_leaves_a_bundle_that_answers(name: str, encoder: str, tmp_path: Path) -> None:
    importlib.import_module(f"examples.{name}").main(tmp_path / "model", encoder=encoder, epochs=1)

    assert set(Predictor.load(tmp_path / "model")(["The export does nothing"])[0].scores) >= {"Bugs", "Price"}


def test_own_head_is_saved_and_opened_again(encoder: str, tmp_path: Path) -> None:
    example = importlib.import_module("examples.own_head")
    learner = example.main(tmp_path / "model", encoder=encoder, epochs=1)
    texts = ["The export does nothing"]

    saved = Predictor.load(tmp_path / "model", head=example.AttentionPooling)

    assert saved(texts)[0].scores == pytest.approx(learner.predict(texts)[0].scores, abs=1e-6)


def test_own_metric_is_among_the_scores(encoder: str, tmp_path: Path) -> None:
    learner = importlib.import_module("examples.own_metric").main(tmp_path / "model", encoder=encoder, epochs=1)

    assert learner.evaluate("test")["cost_per_row"] > 0


def test_own_callback_stops_the_run(encoder: str, tmp_path: Path) -> None:
    example = importlib.import_module("examples.own_callback")

    learner = example.main(tmp_path / "model", encoder=encoder, epochs=5, seconds=0.0)

    assert (learner.last_run.step, "used up" in (learner.last_run.stop.reason or "")) == (1, True)


def test_cola_reads_the_raw_files_and_returns_both_correlations(encoder: str, tmp_path: Path) -> None:
    rows = [
        f'gj04\t{index % 2}\t{"*" if index % 2 else ""}\tThe "{index}" book {index * 7} was read.'
        for index in range(40)
    ]
    files = [tmp_path / name for name in ("in_domain_train.tsv", "in_domain_dev.tsv", "out_of_domain_dev.tsv")]
    for file in files:
        file.write_text("\n".join(rows) + "\n", encoding="utf-8")

    scores = importlib.import_module("examples.cola").main(*files, out=tmp_path / "model", encoder=encoder, epochs=1)

    assert set(scores) == {"in_domain_dev", "out_of_domain_dev"}
    assert (tmp_path / "model.png").is_file()
