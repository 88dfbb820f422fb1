"""`fastbert pretrain`, from a corpus to an encoder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.models.loading import open_encoder
from tests.cli.conftest import Outcome, Run
from tests.training.corpora import write_corpus


def pretrain(run: Run, folder: Path, *arguments: object) -> Outcome:
    corpus = write_corpus(folder / "corpus.txt")
    quick = ("--size", "tiny", "--vocab-size", 300, "--epochs", 1, "--max-tokens", 24)
    return run("pretrain", corpus, "--out", folder / "new", *quick, *arguments)


@pytest.mark.parametrize("vocabulary", ["wordpiece", "bpe"])
def test_a_corpus_becomes_an_encoder(run: Run, vocabulary: str, tmp_path: Path) -> None:
    outcome = pretrain(run, tmp_path, "--vocabulary", vocabulary)

    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("Held-out text\n")
    assert "new, tiny: bert, 2 layers x 128" in outcome.err
    assert open_encoder(str(tmp_path / "new")).tokenizer.max_tokens == 512


def test_a_plan_trains_nothing(run: Run, tmp_path: Path) -> None:
    outcome = pretrain(run, tmp_path, "--plan", "--cased")

    assert outcome.code == 0 and "cased" in outcome.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--size", "huge"), "size is 'huge'; expected one of tiny, mini, small, medium, base"),
        (("--vocab-size", "3"), "vocab_size is 3; wordpiece needs at least 6"),
        (("--vocabulary", "bp"), "vocabulary is 'bp'; expected wordpiece or bpe"),
    ],
)
def test_wrong_use_is_explained(run: Run, arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    outcome = pretrain(run, tmp_path, *arguments)

    assert outcome.code == 2 and message in outcome.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.txt"]
