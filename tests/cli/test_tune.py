"""`fastbert tune`: the plan, a line a trial, where the model lies, and what wrong use is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.bundle import read_bundle
from tests.cli.conftest import Outcome, Run
from tests.feedback import write_feedback

QUICK = ("--splits", 1, "--set", "epochs=1", "--set", "valid_share=0.4", "--precision", "fp32")


def tune(run: Run, encoder: str, folder: Path, *arguments: object) -> Outcome:
    (folder / "space.toml").write_text("lr = {times = [0.5, 8], log = true}\nbatch_size = [4, 8]\n")
    table = write_feedback(folder / "feedback.csv")
    space = () if "--space" in arguments else ("--space", folder / "space.toml")
    return run("tune", table, "--encoder", encoder, "--out", folder / "model", *QUICK, *space, *arguments)


def test_a_table_becomes_the_best_model_and_its_options_train_it_again(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = tune(run, encoder, tmp_path, "--trials", 2)
    best = tmp_path / "model-tune" / "best.toml"
    again = run("train", tmp_path / "feedback.csv", "--config", best, "--out", tmp_path / "again")

    assert outcome.code == 0, outcome.err
    assert "Search\n" in outcome.err and "trial   0" in outcome.err
    assert outcome.out.startswith("Result\n") and "Best trials" in outcome.out
    assert f"again    fastbert train TABLE --config {best} --out MODEL" in outcome.err
    assert again.code == 0, again.err


def test_json_is_one_object_and_the_same_command_goes_on(run: Run, encoder: str, tmp_path: Path) -> None:
    first = tune(run, encoder, tmp_path, "--trials", 1, "--json").json
    second = tune(run, encoder, tmp_path, "--trials", 2, "--json").json

    assert (len(first["trials"]), len(second["trials"])) == (1, 2)  # type: ignore[arg-type]
    assert second["bundle"] == str(tmp_path / "model")


def test_options_of_the_decision_rule_come_from_a_file_and_the_command(run: Run, encoder: str, tmp_path: Path) -> None:
    (tmp_path / "options.toml").write_text('[decide]\nabstain = "0.7"\ngoal = "f1_micro"\n')
    options = ("--config", tmp_path / "options.toml", "--goal", "f1", "--set", "calibrate=none")
    outcome = tune(run, encoder, tmp_path, *options, "--trials", 1)
    best = (tmp_path / "model-tune" / "best.toml").read_text()

    assert outcome.code == 0, outcome.err
    assert best.endswith('\n[decide]\ngoal = "f1"\ncalibrate = "none"\nabstain = "0.7"\n')
    assert read_bundle(tmp_path / "model").decisions.goal == "f1"


def test_a_plan_trains_nothing(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = tune(run, encoder, tmp_path, "--plan", "--timeout", "20m")

    assert outcome.code == 0 and "in 20 min 0 s" in outcome.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["feedback.csv", "space.toml"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--timeout", "soon"), "timeout is 'soon', which is no time"),
        (("--trials", 0), "trials is 0"),
        (("--space", "none.toml"), "none.toml: the space cannot be read"),
        (("--storage", "postgres"), "storage is no URL of a database"),
        (("--backend", "onnx"), "backend is for a search with a latency"),
        (("--test", "none.csv"), "none.csv does not exist"),
        (("--set", "epoch=3"), "'epoch' is not an option"),
    ],
)
def test_wrong_use_is_explained(
    run: Run, arguments: tuple[str, ...], message: str, encoder: str, tmp_path: Path
) -> None:
    outcome = tune(run, encoder, tmp_path, *arguments)

    assert outcome.code == 2 and message in outcome.err
    assert not (tmp_path / "model-tune").exists()


def test_an_interrupted_search_says_that_it_goes_on(
    run: Run, encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*arguments: object, **more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("fastbert.tuning.objective.Attempt.run", interrupt)
        stopped = tune(run, encoder, tmp_path, "--trials", 1)
    resumed = tune(run, encoder, tmp_path, "--trials", 1)

    assert stopped.code == 130 and "the same command goes on with the trials that are done" in stopped.err
    assert resumed.code == 0, resumed.err
