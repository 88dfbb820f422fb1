"""`fastbert train`, from a table to a bundle."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from fastbert.bundle import read_bundle
from fastbert.inference.predictor import Predictor
from fastbert.training import trackers
from fastbert.training.trackers import Tracker
from tests.cli.conftest import Outcome, Run
from tests.feedback import feedback_rows, write_feedback
from tests.helpers import write_csv


def train(run: Run, encoder: str, folder: Path, *arguments: object) -> Outcome:
    """Train on a small file in a folder, quickly, with further arguments."""
    table = write_feedback(folder / "feedback.csv")
    return run("train", table, "--out", folder / "model", "--encoder", encoder, "--epochs", 1, *arguments)


def plan_of(run: Run, encoder: str, folder: Path, *arguments: object) -> dict[str, object]:
    return train(run, encoder, folder, "--plan", "--json", *arguments).json


def options_of(run: Run, encoder: str, folder: Path, *arguments: object) -> dict[str, object]:
    options = plan_of(run, encoder, folder, *arguments)["options"]
    assert isinstance(options, dict)
    return options


def test_a_table_becomes_a_bundle(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = train(run, encoder, tmp_path)

    assert outcome.code == 0
    assert Predictor.load(tmp_path / "model").labels == ("bug", "praise")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["feedback.csv", "model"]


def test_plan_and_progress_are_messages_and_scores_are_the_result(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = train(run, encoder, tmp_path)

    assert outcome.out.startswith("Scores\n")
    assert "accuracy" in outcome.out and "valid" in outcome.out
    assert "single_label, 2 labels" in outcome.err
    assert re.search(r"\nspeed    [\d,]+ tokens/s, \d+\.\d % padding, MFU \d+ % \(of the \d", outcome.err)
    assert f"model    {tmp_path / 'model'}" in outcome.err


def test_the_command_to_try_is_one_that_the_model_takes(run: Run, encoder: str, tmp_path: Path) -> None:
    rows = [[row["text"], f"about {row['text']}", row["label"]] for row in feedback_rows(40)]
    pairs = write_csv(tmp_path / "pairs.csv", ["sentence1", "sentence2", "label"], rows)

    single = train(run, encoder, tmp_path)
    pair = run("train", pairs, "--out", tmp_path / "p", "--encoder", encoder, "--epochs", 1)

    assert f'try it   echo "your text" | fastbert predict {tmp_path / "model"} -' in single.err
    assert f"try it   fastbert predict {tmp_path / 'p'} TABLE" in pair.err


def test_json_is_one_object_with_the_documented_keys(run: Run, encoder: str, tmp_path: Path) -> None:
    values = train(run, encoder, tmp_path, "--json").json

    assert {
        "bundle", "plan", "scores", "epochs", "seconds", "examples_per_second", "tokens_per_second",
        "padding_share", "mfu",
    } <= set(values)  # fmt: skip
    assert values["bundle"] == str(tmp_path / "model")
    assert values["epochs"] == 1.0
    assert values["scores"] == {"valid": dict(read_bundle(tmp_path / "model").scores["valid"])}


def test_validation_and_test_tables_are_scored(run: Run, encoder: str, tmp_path: Path) -> None:
    valid = write_feedback(tmp_path / "valid.csv", 8)
    test = write_feedback(tmp_path / "test.csv", 10)

    values = train(run, encoder, tmp_path, "--valid", valid, "--test", test, "--json").json

    scores, plan = values["scores"], values["plan"]
    assert isinstance(scores, dict) and isinstance(plan, dict)
    assert list(scores) == ["valid", "test"]
    assert plan["rows"] == {"train": 40, "valid": 8, "test": 10}


# --- the plan -----------------------------------------------------------------------------------------


def test_a_plan_trains_nothing(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = train(run, encoder, tmp_path, "--plan")

    assert outcome.code == 0
    assert outcome.out.startswith("Plan\n")
    assert not (tmp_path / "model").exists()


def test_a_plan_as_json_is_one_object(run: Run, encoder: str, tmp_path: Path) -> None:
    values = plan_of(run, encoder, tmp_path, "--batch-size", 32)

    assert (values["task"], values["labels"], values["steps"]) == ("single_label", ["bug", "praise"], 2)


# --- options ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (["--lr", "3e-4"], "lr", 3e-4),
        (["--schedule", "wsd"], "schedule", "wsd"),
        (["--batch-size", "5"], "batch_size", 5),
        (["--max-tokens", "16"], "max_tokens", 16),
        (["--precision", "fp32"], "precision", "fp32"),
        (["--seed", "7"], "seed", 7),
        (["--text", "text"], "text", ["text"]),
        (["--label", "label"], "labels", ["label"]),
        (["--task", "single_label"], "task", "single_label"),
        (["--on-bad-row", "skip"], "on_bad_row", "skip"),
        (["--set", "patience=3"], "patience", 3),
        (["--set", "layer_decay=0.9", "--set", "optimizer=lion"], "optimizer", "lion"),
    ],
)
def test_an_option_reaches_the_plan(
    arguments: list[str], name: str, value: object, run: Run, encoder: str, tmp_path: Path
) -> None:
    assert options_of(run, encoder, tmp_path, *arguments)[name] == value


@pytest.mark.parametrize(
    ("arguments", "rate"),
    [([], 1e-5), (["--set", "lr=2e-5"], 2e-5), (["--set", "lr=2e-5", "--lr", "3e-5"], 3e-5)],
    ids=["file", "set", "option"],
)
def test_options_win_over_set_and_set_over_the_file(
    arguments: list[str], rate: float, run: Run, encoder: str, tmp_path: Path
) -> None:
    config = tmp_path / "run.toml"
    config.write_text("lr = 1e-5\n", encoding="utf-8")

    assert options_of(run, encoder, tmp_path, "--config", config, *arguments)["lr"] == rate


def test_columns_can_be_given_by_number(run: Run, encoder: str, tmp_path: Path) -> None:
    table = tmp_path / "raw.tsv"
    lines = [f"{number}\t{row['label']}\t{row['text']}\n" for number, row in enumerate(feedback_rows())]
    table.write_text("".join(lines), encoding="utf-8")
    arguments = ["--no-header", "--text", 2, "--label", 1, "--encoder", encoder, "--epochs", 1, "--json"]

    plan = run("train", table, "--out", tmp_path / "model", *arguments).json["plan"]

    assert isinstance(plan, dict)
    assert (plan["layout"]["text"], plan["layout"]["label_columns"]) == ("2", ["1"])
    assert sum(plan["rows"].values()) == 40


def test_several_label_columns_make_a_multi_label_model(run: Run, encoder: str, tmp_path: Path) -> None:
    rows = [[row["text"], int(row["label"] == "bug"), int("app" in row["text"])] for row in feedback_rows()]
    table = write_csv(tmp_path / "tags.csv", ["text", "bug", "app"], rows)

    outcome = run(
        "train", table, "--out", tmp_path / "model", "--labels", "bug,app", "--encoder", encoder, "--epochs", 1
    )

    assert outcome.code == 0
    assert Predictor.load(tmp_path / "model").task.name == "multi_label"


def test_labels_in_one_cell_are_separated(run: Run, encoder: str, tmp_path: Path) -> None:
    rows = [[row["text"], row["label"] + ("/long" if "app" in row["text"] else "")] for row in feedback_rows()]
    table = write_csv(tmp_path / "tags.csv", ["text", "label"], rows)

    outcome = run("train", table, "--out", tmp_path / "model", "--delimiter", "/", "--encoder", encoder, "--epochs", 1)

    assert outcome.code == 0
    assert Predictor.load(tmp_path / "model").labels == ("bug", "long", "praise")


def test_rows_without_text_can_be_left_out(run: Run, encoder: str, tmp_path: Path) -> None:
    rows = [[row["text"], row["label"]] for row in feedback_rows()]
    table = write_csv(tmp_path / "gaps.csv", ["text", "label"], [*rows, ["", "bug"]])

    outcome = run(
        "train", table, "--out", tmp_path / "model", "--on-bad-row", "skip", "--encoder", encoder, "--epochs", 1
    )

    assert outcome.code == 0
    assert "train: 1 of 41 rows of gaps.csv left out: column 'text' is empty (row 42)." in outcome.err


def test_a_table_may_come_through_a_pipe(run: Run, encoder: str, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "feedback.csv").read_bytes()

    outcome = run("train", "-", "--out", tmp_path / "model", "--encoder", encoder, "--epochs", 1, stdin=table)

    assert outcome.code == 0


def test_a_model_can_be_replaced_if_that_is_allowed(run: Run, encoder: str, tmp_path: Path) -> None:
    train(run, encoder, tmp_path)

    refused, allowed = train(run, encoder, tmp_path), train(run, encoder, tmp_path, "--overwrite")

    assert (refused.code, allowed.code) == (2, 0)
    assert "error: " in refused.err and "exists already" in refused.err and "--overwrite" in refused.err


# --- logs ---------------------------------------------------------------------------------------------


def test_a_log_has_steps_an_evaluation_and_the_end(run: Run, encoder: str, tmp_path: Path) -> None:
    train(run, encoder, tmp_path, "--log", tmp_path / "run.jsonl")

    lines = (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert (events[0], events[-2:]) == ("step", ["evaluate", "finish"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports
def test_tensorboard_files_are_written(run: Run, encoder: str, tmp_path: Path) -> None:
    train(run, encoder, tmp_path, "--tensorboard", tmp_path / "board")

    assert [path.name[:6] for path in (tmp_path / "board").iterdir()] == ["events"]


def test_no_text_of_a_row_is_in_messages_or_log(run: Run, encoder: str, tmp_path: Path) -> None:
    outcome = train(run, encoder, tmp_path, "--log", tmp_path / "run.jsonl")

    written = outcome.out + outcome.err + (tmp_path / "run.jsonl").read_text(encoding="utf-8")
    assert not [row["text"] for row in feedback_rows() if row["text"] in written]


def test_a_run_is_tracked(run: Run, encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, object]] = []

    class Told(Tracker):
        package, title = "json", "Told"

        def _open(self, name: str | None, group: str | None, options: Mapping[str, object]) -> None:
            told.append(("open", self.project))

        def _log(self, values: Mapping[str, float], step: int) -> None: ...

        def _summarize(self, values: Mapping[str, float]) -> None: ...

        def _upload(self, folder: Path) -> None:
            told.append(("upload", folder))

        def _end(self, end: str) -> None:
            told.append(("end", end))

    monkeypatch.setitem(trackers.TRACKERS, "mlflow", Told)

    outcome = train(run, encoder, tmp_path, "--track", "mlflow:reviews", "--track-model")

    assert outcome.code == 0, outcome.err
    assert told == [("open", "reviews"), ("upload", tmp_path / "model"), ("end", "finished")]


def test_a_plan_opens_no_tracker(run: Run, encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "TRACKERS", {})

    assert train(run, encoder, tmp_path, "--plan", "--track", "mlflow").code == 0
