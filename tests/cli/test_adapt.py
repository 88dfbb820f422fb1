"""`fastbert adapt`, and that `fastbert train` starts from what it wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.training.callbacks import ProgressBar
from fastbert.training.state import RunState
from tests.cli.conftest import Outcome, Run
from tests.feedback import write_feedback
from tests.training.corpora import write_corpus

QUICK = ("--epochs", 1, "--max-tokens", 24, "--batch-size", 8)


def adapt(run: Run, encoder: str, folder: Path, *arguments: object) -> Outcome:
    corpus = write_corpus(folder / "corpus.txt")
    return run("adapt", corpus, "--encoder", encoder, "--out", folder / "adapted", *QUICK, *arguments)


def test_a_corpus_becomes_an_encoder_that_train_takes(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = adapt(run, encoder, tmp_path)
    table = write_feedback(tmp_path / "feedback.csv")
    trained = run("train", table, "--encoder", tmp_path / "adapted", "--out", tmp_path / "model", "--epochs", 1)

    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("Held-out text\n") and "perplexity" in outcome.out
    assert "15 % of the tokens masked" in outcome.err and "has no masked-LM head and gets a new one" in outcome.err
    assert f"use it   fastbert train TABLE --encoder {tmp_path / 'adapted'} --out MODEL" in outcome.err
    assert trained.code == 0, trained.err


def test_json_is_one_object(run: Run, encoder: str, tmp_path: Path) -> None:
    values = adapt(run, encoder, tmp_path, "--json", "--no-whole-word", "--mask-rate", 0.2).json

    assert values["encoder"] == str(tmp_path / "adapted")
    assert {"plan", "scores", "evaluations", "epochs", "tokens_per_second"} <= set(values)
    plan = values["plan"]
    assert isinstance(plan, dict) and plan["masking"] == "20 % of the tokens masked, token by token"


def test_a_plan_trains_nothing(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = adapt(run, encoder, tmp_path, "--plan")

    assert outcome.code == 0 and outcome.out.startswith("Plan\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--resume",), "there is no interrupted run to go on with"),
        (("--resume", "--overwrite"), "--resume and --overwrite are both given"),
        (("--set", "mask_rat=0.2"), "'mask_rat' is not an option"),
        (("--precision", "fp64"), "precision is 'fp64'"),
        (("--encoder", "./none"), "The encoder folder './none' does not exist"),
    ],
)
def test_wrong_use_is_explained(
    run: Run, arguments: tuple[str, ...], message: str, encoder: str, tmp_path: Path
) -> None:
    outcome = adapt(run, encoder, tmp_path, *arguments)

    assert outcome.code == 2 and message in outcome.err and "hint: " in outcome.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.txt"]


def test_an_interrupted_run_says_how_it_goes_on_and_does(
    run: Run, encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(bar: ProgressBar, state: RunState) -> None:
        if state.epoch > 1.5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ProgressBar, "on_step", interrupt)
        stopped = adapt(run, encoder, tmp_path, "--epochs", 2)
    resumed = adapt(run, encoder, tmp_path, "--epochs", 2, "--resume")

    assert stopped.code == 130 and "the same command with --resume goes on from the last whole epoch" in stopped.err
    assert resumed.code == 0, resumed.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapted", "corpus.txt"]


def test_a_corpus_of_one_line_is_refused(run: Run, encoder: str, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("the app works\n")
    outcome = run("adapt", tmp_path / "one.txt", "--encoder", encoder, "--out", tmp_path / "out")

    assert outcome.code == 2
    assert "The corpus holds 1 document, 1 line, 13 characters: nothing can be held out of it" in outcome.err
