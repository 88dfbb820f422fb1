"""One call from a table to a model, and nothing left behind where it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars
import pytest

import fastbert
from fastbert import api
from fastbert.config import DataConfig, DecisionConfig, TrainConfig
from fastbert.data.sources import Source
from fastbert.errors import BundleError, ConfigError, DataError, EncoderError, FastBertError, TrainingError
from fastbert.inference.evaluation import evaluate_table
from fastbert.inference.predictor import Predictor
from fastbert.training.state import RunState
from tests.feedback import Recorder, feedback_rows, tagged_rows, write_feedback


def quick_fit(table: Source, encoder: str, **options: object) -> Predictor:
    chosen = {"encoder": encoder, "epochs": 1, "lr": 1e-3, "progress": False, **options}
    return fastbert.fit(table, **chosen)  # type: ignore[arg-type]  # each fits its parameter


def quick_config(encoder: str, **options: object) -> TrainConfig:
    return TrainConfig().changed(encoder=encoder, epochs=1, lr=1e-3, batch_size=8, **options)


# --- fit ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [list, pd.DataFrame, polars.DataFrame], ids=["dicts", "pandas", "polars"])
def test_a_table_in_memory_becomes_a_model(frame: Callable[[object], Source], encoder: str, tmp_path: Path) -> None:
    model = quick_fit(frame(feedback_rows()), encoder, out=tmp_path / "model")

    answers = model(["the app is great", "the app is slow"])

    assert model.labels == ("bug", "praise")
    assert [sum(answer.scores.values()) for answer in answers] == pytest.approx([1.0, 1.0])
    assert {answer.labels[0] for answer in answers} <= {"bug", "praise"}


def test_a_file_becomes_a_model(encoder: str, tmp_path: Path) -> None:
    model = quick_fit(write_feedback(tmp_path / "feedback.csv"), encoder, out=tmp_path / "model")

    assert model.bundle.folder == tmp_path / "model"


def test_a_multi_label_table_becomes_a_model(encoder: str, tmp_path: Path) -> None:
    assert quick_fit(tagged_rows(), encoder, out=tmp_path / "model").labels == ("bug", "praise", "long")


def test_the_linear_baseline_is_fitted_for_the_goal_of_the_run(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[DecisionConfig] = []
    monkeypatch.setattr("fastbert.api.LinearCheck.of", lambda data, seed, deciding: given.append(deciding))

    quick_fit(feedback_rows(), encoder, out=tmp_path / "model", goal="recall>=0.95@bug")

    assert [one.goal for one in given] == ["recall>=0.95@bug"]


def test_without_a_folder_the_model_lies_in_a_temporary_one(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    model = quick_fit(feedback_rows(), encoder)

    assert (model.bundle.folder / "bundle.json").is_file()
    assert model.bundle.folder.is_relative_to(tmp_path)


def test_options_of_data_and_training_may_be_mixed(encoder: str, tmp_path: Path) -> None:
    rows = [{"note": row["text"], "tag": row["label"]} for row in feedback_rows()]

    model = quick_fit(rows, encoder, out=tmp_path / "model", text="note", label="tag", valid_share=0.5, seed=7)

    plan = model.bundle.facts["plan"]
    assert isinstance(plan, dict)
    assert (plan["rows"], plan["options"]["seed"]) == ({"train": 20, "valid": 20}, 7)


def test_labels_may_be_a_file_of_names(encoder: str, tmp_path: Path) -> None:
    names = tmp_path / "labels.txt"
    names.write_text("praise\nbug\n", encoding="utf-8")

    assert quick_fit(feedback_rows(), encoder, out=tmp_path / "model", labels=names).labels == ("praise", "bug")


def test_without_progress_nothing_is_written(encoder: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    quick_fit(feedback_rows(), encoder, out=tmp_path / "model", progress=False)

    assert tuple(capfd.readouterr()) == ("", "")


def test_plan_and_progress_go_to_standard_error(
    encoder: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    quick_fit(feedback_rows(), encoder, out=tmp_path / "model", progress=True)

    captured = capfd.readouterr()

    assert captured.out == ""
    assert "single_label, 2 labels" in captured.err and "f1_macro" in captured.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epoch": 3}, "'epoch' is not an option.\n  Did you mean 'epochs'?"),
        ({"lr": "fast"}, "lr is 'fast'; expected a number or none."),
        ({"schedule": "warmup_linaer"}, "Did you mean 'warmup_linear'?"),
        ({"task": "multilabel"}, "Did you mean 'multi_label'?"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, object], message: str, encoder: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        quick_fit(feedback_rows(), encoder, out=tmp_path / "model", **options)

    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


# --- train --------------------------------------------------------------------------------------------


def test_a_result_has_the_documented_keys(encoder: str, tmp_path: Path) -> None:
    result = api.train(api.Tables(feedback_rows()), tmp_path / "model", config=quick_config(encoder))

    values = json.loads(json.dumps(result.to_json(), allow_nan=False))

    assert {
        "bundle", "plan", "scores", "epochs", "seconds", "examples_per_second", "tokens_per_second",
    } <= set(values)  # fmt: skip
    assert (values["epochs"], values["steps"], values["stopped"]) == (1.0, 5, None)
    assert values["tokens_per_second"] > values["examples_per_second"] > 0


def test_saved_scores_equal_an_evaluation_of_the_bundle(encoder: str, tmp_path: Path) -> None:
    rows = feedback_rows(48)
    tables = api.Tables(rows[:24], rows[24:36], rows[36:])
    folder = api.train(tables, tmp_path / "model", config=quick_config(encoder)).bundle.folder

    model = Predictor.load(folder)

    saved = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))["scores"]
    assert evaluate_table(model, rows[24:36], DataConfig()).scores == pytest.approx(saved["valid"], abs=1e-6)
    assert evaluate_table(model, rows[36:], DataConfig()).scores == pytest.approx(saved["test"], abs=1e-6)


def test_the_plan_is_shown_before_training(encoder: str, tmp_path: Path) -> None:
    recorder = Recorder()
    seen: list[tuple[str, int]] = []

    result = api.train(
        api.Tables(feedback_rows()), tmp_path / "model", config=quick_config(encoder), callbacks=[recorder],
        on_view=lambda view: seen.append((repr(view), len(recorder.events))),
    )  # fmt: skip

    assert seen == [(repr(result.plan.view()), 0)]


def test_the_seed_decides_the_split_and_the_weights(encoder: str, tmp_path: Path) -> None:
    first = quick_fit(feedback_rows(), encoder, out=tmp_path / "first", seed=1)
    again = quick_fit(feedback_rows(), encoder, out=tmp_path / "again", seed=1)
    other = quick_fit(feedback_rows(), encoder, out=tmp_path / "other", seed=2)

    files = [(model.bundle.folder / "model.safetensors").read_bytes() for model in (first, again, other)]
    assert files[0] == files[1] != files[2]


def test_prepare_reads_everything_and_trains_nothing(encoder: str) -> None:
    learner = api.prepare(api.Tables(feedback_rows()), config=quick_config(encoder))

    assert learner.history.steps == []
    assert learner.plan().steps == 5


# --- nothing is left behind ---------------------------------------------------------------------------


def test_a_folder_that_exists_is_refused_before_anything_is_read(encoder: str, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()

    with pytest.raises(BundleError, match="model exists already"):
        quick_fit(tmp_path / "there is no such table.csv", encoder, out=tmp_path / "model")


def test_a_bundle_can_be_replaced_if_that_is_allowed(encoder: str, tmp_path: Path) -> None:
    quick_fit(feedback_rows(), encoder, out=tmp_path / "model")

    model = quick_fit(tagged_rows(), encoder, out=tmp_path / "model", overwrite=True)

    assert model.labels == ("bug", "praise", "long")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_is_no_bundle_is_never_replaced(encoder: str, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").touch()

    with pytest.raises(BundleError, match="thesis exists and is not a bundle"):
        quick_fit(feedback_rows(), encoder, out=tmp_path / "thesis", overwrite=True)

    assert (tmp_path / "thesis" / "chapter1.tex").exists()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"table": []}, DataError),
        ({"table": [{"text": "the app", "label": "bug"}] * 9}, DataError),
        ({"encoder": "./missing"}, EncoderError),
        ({"max_tokens": 65}, EncoderError),
        ({"warmup": 99}, ConfigError),
        ({"lr": 1e9, "epochs": 3, "schedule": "none"}, TrainingError),
        ({"lr": 1e9, "epochs": 0.1, "schedule": "none"}, TrainingError),
    ],
    ids=[
        "no rows",
        "one label",
        "no encoder",
        "too many tokens",
        "long warm-up",
        "divergence",
        "divergence at the end",
    ],
)
def test_an_error_leaves_nothing_in_the_parent_folder(
    changes: dict[str, object], error: type[FastBertError], encoder: str, tmp_path: Path
) -> None:
    options: dict[str, object] = {"table": feedback_rows(), "encoder": encoder, "batch_size": 8, **changes}

    with pytest.raises(error):
        quick_fit(out=tmp_path / "runs" / "model", **options)  # type: ignore[arg-type]  # each fits its parameter

    assert list(tmp_path.iterdir()) == []


def test_a_failed_overwrite_keeps_the_old_bundle(encoder: str, tmp_path: Path) -> None:
    quick_fit(feedback_rows(), encoder, out=tmp_path / "model")

    with pytest.raises(DataError):
        quick_fit([], encoder, out=tmp_path / "model", overwrite=True)

    assert Predictor.load(tmp_path / "model").labels == ("bug", "praise")


def test_a_callback_that_fails_leaves_nothing(encoder: str, tmp_path: Path) -> None:
    class Failing(Recorder):
        def on_step(self, state: object) -> None:
            raise RuntimeError("of the user")

    with pytest.raises(RuntimeError, match="of the user"):
        api.train(api.Tables(feedback_rows()), tmp_path / "model", config=quick_config(encoder), callbacks=[Failing()])

    assert list(tmp_path.iterdir()) == []


def test_folds_may_be_asked_for_in_one_call(encoder: str, tmp_path: Path) -> None:
    model = quick_fit(feedback_rows(30), encoder, out=tmp_path / "model", folds=2, valid_share=0.2)

    found = model.bundle.facts["cross_validation"]
    assert isinstance(found, dict) and found["folds"] == 2
    assert len((tmp_path / "model-oof.csv").read_text(encoding="utf-8").splitlines()) == 31


def test_folds_decide_by_the_rule_of_the_model(encoder: str, tmp_path: Path) -> None:
    model = quick_fit(
        feedback_rows(30), encoder, out=tmp_path / "model", folds=2, valid_share=0.2, goal="f1", abstain="0.95"
    )

    found = model.bundle.facts["cross_validation"]
    assert isinstance(found, dict)
    assert [rule["goal"] for rule in found["decisions"]] == ["f1", "f1"]
    assert [rule["abstention"]["confidence"] for rule in found["decisions"]] == [0.95, 0.95]
    assert model.bundle.decisions.goal == "f1"


def test_a_run_that_ends_in_its_last_training_goes_on_from_its_folds(encoder: str, tmp_path: Path) -> None:
    class Failing(Recorder):
        parts: tuple[str, ...] = ()

        def on_part(self, name: str) -> None:
            self.parts += (name,)

        def on_step(self, state: RunState) -> None:
            if self.parts[-1:] == ("all rows",):
                raise TrainingError("the machine was switched off")

    config = TrainConfig(encoder=encoder, epochs=1)
    tables = api.Tables(feedback_rows(30), folds=2)
    with pytest.raises(TrainingError, match="switched off"):
        api.train(tables, tmp_path / "model", config=config, callbacks=[Failing()])
    left = sorted(path.name for path in tmp_path.iterdir())
    again = Failing()
    again.on_step = lambda state: None  # type: ignore[method-assign]  # nothing fails now

    api.train(tables, tmp_path / "model", config=config, callbacks=[again])

    assert left == [".model.folds", "model-oof.csv"]
    assert again.parts == ("all rows",)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "model-oof.csv"]
