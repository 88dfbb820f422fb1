"""A training job from /opt/ml to /opt/ml, with a tiny encoder."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from fastbert.bundle import read_bundle
from fastbert.errors import BundleError, MissingExtraError
from fastbert.inference.predictor import Predictor
from fastbert.sagemaker import job as jobs
from fastbert.sagemaker.job import prepare_folder, read_job
from fastbert.sagemaker.metrics import MetricLines
from fastbert.training.state import RunState
from tests.feedback import feedback_rows, tagged_rows, write_feedback
from tests.helpers import write_csv
from tests.sagemaker.made import Opt, opt_ml


def test_the_folder_of_the_model_is_an_ordinary_bundle(encoder: str, tmp_path: Path) -> None:
    made = opt_ml(tmp_path, encoder)
    made.model.mkdir()  # as SageMaker makes it
    before = made.model.stat().st_ino

    assert made.run().code == 0

    assert Predictor.load(made.model).labels == ("bug", "praise")
    assert made.model.stat().st_ino == before
    assert not [path for path in tmp_path.iterdir() if path.name not in ("input", "model", "output")]


def test_a_model_can_be_served_without_torch_by_default(encoder: str, tmp_path: Path) -> None:
    made = opt_ml(tmp_path, encoder, {"export": "onnx"})

    assert made.run().code == 0

    assert Predictor.load(made.model).backend.name == "onnx"
    check = read_bundle(made.model).exports["onnx"].check
    assert (check.data, check.rows) == ("rows of the validation data", 8)


def test_report_numbers_and_history_are_output_data(encoder: str, tmp_path: Path) -> None:
    made = opt_ml(tmp_path, encoder)

    ended = made.run()

    data = made.root / "output" / "data"
    assert sorted(path.name for path in data.iterdir()) == ["history.json", "metrics.json", "report.html"]
    assert (data / "report.html").read_bytes() == (made.model / "report.html").read_bytes()
    assert made.numbers()["scores"] == ended.result["scores"]
    assert len(json.loads((data / "history.json").read_text(encoding="utf-8"))["evaluations"]) == 1


def test_validation_and_test_channels_are_scored(encoder: str, tmp_path: Path) -> None:
    made = opt_ml(tmp_path, encoder)
    write_feedback(made.channel("validation") / "part.csv", 12)
    write_feedback(made.channel("test") / "part.csv", 8)
    made.config("inputdataconfig.json", {"train": {}, "validation": {}, "test": {}})

    assert made.run().code == 0

    last = made.lines[-1]
    assert [list(read_bundle(made.model).scores)] == [["valid", "test"]]
    assert "valid_accuracy=" in last and "test_accuracy=" in last


def test_numbers_name_the_job(encoder: str, tmp_path: Path) -> None:
    made = opt_ml(tmp_path, encoder)

    assert made.run().result["job"] is None
    assert made.numbers()["bundle"] == str(made.model)


def test_out_of_fold_predictions_are_output_data(encoder: str, tmp_path: Path) -> None:
    made = opt_ml(tmp_path, encoder, {"folds": "2"})

    assert made.run().code == 0

    assert (made.root / "output" / "data" / "model-oof.csv").is_file()
    assert len(made.lines) == 2  # one evaluation of the model on all rows, and the saved model


def test_few_rows_are_folded_and_only_the_model_itself_is_told(encoder: str, tmp_path: Path) -> None:
    made = opt_ml(tmp_path, encoder, {"valid_share": "0.1", "valid_folds": "2"})

    assert made.run().code == 0

    assert [line.split("=")[0] for line in made.lines] == ["train_loss", "valid_accuracy"]


def test_what_comes_before_the_training_has_no_lines(encoder: str, tmp_path: Path) -> None:
    made = opt_ml(tmp_path, encoder, {"start": "probe"})

    assert made.run().code == 0

    assert [line.split("=")[0] for line in made.lines] == ["eval_accuracy", "valid_accuracy"]


def test_unlabelled_text_is_adapted_to_and_its_encoders_are_not_left_behind(encoder: str, tmp_path: Path) -> None:
    made = opt_ml(tmp_path, encoder)
    text = "\n\n".join(f"the app is slow {number} .\nthis export is bad {number} ." for number in range(20))
    (made.channel("unlabelled") / "reviews.txt").write_text(text, encoding="utf-8")
    write_feedback(made.channel("validation") / "val.csv", 12)
    made.config("inputdataconfig.json", {"train": {}, "validation": {}, "unlabelled": {}})

    ended = made.run()

    assert ended.code == 0, made.failure()
    assert "adaptation" in ended.result
    assert [line.split("=")[0] for line in made.lines] == ["valid_accuracy"]  # the better of two is saved
    assert sorted(path.name for path in tmp_path.iterdir()) == ["input", "model", "output"]


def test_a_job_again_replaces_its_model(encoder: str, tmp_path: Path) -> None:
    made = opt_ml(tmp_path, encoder)

    assert [made.run().code, made.run().code] == [0, 0]


# --- the predecessor ----------------------------------------------------------------------------------

OLD = {
    "run_text": "a run of mine",
    "finetuned_model": None,
    "do_lower_case": "True",
    "train_file": "train.csv",
    "val_file": "val.csv",
    "label_file": "labels.csv",
    "text_col": "text",
    "label_col": "label",
    "multi_label": "False",
    "grad_accumulation_steps": "2",
    "fp16": "True",
    "fp16_opt_level": "O1",
    "model_type": "bert",
    "logging_steps": "300",
}
OLD_HYPERPARAMETERS = {
    "epochs": "1",
    "lr": "1e-3",
    "max_seq_length": "32",
    "train_batch_size": "4",
    "lr_schedule": "warmup_cosine",
    "warmup_steps": "2",
    "optimizer_type": "adamw",
}


def old_layout(root: Path, encoder: str, rows: list[dict[str, object]], labels: str, **options: object) -> Opt:
    """Write a job as fast-bert's container reads it: one channel, with its options beside the tables."""
    made = Opt(root)
    folder = made.channel("training")
    cells = [list(row.values()) for row in rows]
    write_csv(folder / "train.csv", list(rows[0]), cells[:32])
    write_csv(folder / "val.csv", list(rows[0]), cells[32:])
    (folder / "labels.csv").write_text(labels, encoding="utf-8")
    (folder / "config").mkdir()
    values = {**OLD, "model_name": encoder, **options}
    (folder / "config" / "training_config.json").write_text(json.dumps(values), encoding="utf-8")
    made.config("inputdataconfig.json", {"training": {"TrainingInputMode": "File"}})
    made.hyperparameters(**OLD_HYPERPARAMETERS)
    return made


def test_the_layout_of_the_predecessor_trains_single_labels(encoder: str, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [dict(row) for row in feedback_rows()]
    made = old_layout(tmp_path, encoder, rows, "praise\nbug\n")

    ended = made.run()

    assert ended.code == 0, made.failure()
    predictor = Predictor.load(made.model)
    assert (predictor.task.name, predictor.labels) == ("single_label", ("praise", "bug"))  # in the order of labels.csv
    plan = made.numbers()["plan"]
    assert isinstance(plan, dict)
    options = plan["options"]
    shown = {name: options[name] for name in ("batch_size", "max_tokens", "schedule", "warmup", "optimizer", "lr")}
    assert shown == {
        "batch_size": 8, "max_tokens": 32, "schedule": "warmup_cosine", "warmup": 2.0, "optimizer": "adamw", "lr": 1e-3,
    }  # fmt: skip
    assert plan["rows"] == {"train": 32, "valid": 8}


def test_the_layout_of_the_predecessor_trains_several_labels(encoder: str, tmp_path: Path) -> None:
    made = old_layout(
        tmp_path,
        encoder,
        tagged_rows(),
        "bug\npraise\nlong\n",
        multi_label="True",
        label_col='["bug", "praise", "long"]',
    )

    ended = made.run()

    assert ended.code == 0, made.failure()
    task = Predictor.load(made.model).task
    assert (task.name, task.label_names) == ("multi_label", ("bug", "praise", "long"))


def test_what_the_predecessor_had_is_left_out_aloud(encoder: str, tmp_path: Path) -> None:
    made = old_layout(tmp_path, encoder, [dict(row) for row in feedback_rows()], "bug\npraise\n")

    job = read_job(made.container)

    said = "\n".join(job.settings.notes)
    assert [name for name in ("run_text", "do_lower_case", "fp16_opt_level", "logging_steps") if name not in said] == []
    assert job.settings.train.precision == "auto"


def test_a_finetuned_encoder_wins_over_the_name_of_a_model(encoder: str, tmp_path: Path) -> None:
    made = old_layout(tmp_path, "bert-base-uncased", [dict(row) for row in feedback_rows()], "bug\npraise\n")
    (made.channel("training") / "finetuned").symlink_to(encoder)

    job = read_job(made.container)

    assert job.settings.train.encoder == str(made.channel("training") / "finetuned")
    assert job.settings.notes[-1] == "The encoder is that of the folder finetuned/, not bert-base-uncased."


# --- exports ------------------------------------------------------------------------------------------


def without(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(engine: str) -> None:
        raise MissingExtraError("onnxruntime", "onnx", f"The backend '{engine}'")

    monkeypatch.setattr(jobs, "check_packages", missing)


def test_an_image_without_onnx_trains_without_an_export(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = opt_ml(tmp_path, encoder)
    made.hyperparameters(encoder=encoder)
    without(monkeypatch)

    job = read_job(made.container)

    assert job.exports == ()
    assert job.settings.notes[-1].startswith("No export is made: The backend 'onnx' needs the package onnxruntime")


def test_an_export_that_was_asked_for_must_be_possible(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = opt_ml(tmp_path, encoder, {"export": "openvino"})
    without(monkeypatch)

    assert made.run().code == 2
    assert made.failure().startswith("The backend 'openvino' needs the package")


def test_a_failed_export_does_not_lose_the_model(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = opt_ml(tmp_path, encoder, {"export": "onnx"})

    def fail(*arguments: object, **options: object) -> None:
        raise RuntimeError("of the engine")

    monkeypatch.setattr(jobs, "export_bundle", fail)

    ended = made.run()

    assert ended.code == 0
    assert list(made.numbers()["exports_failed"]) == ["onnx"]  # type: ignore[call-overload]
    assert "The export 'onnx' was not made, the model is whole without it" in caplog.text
    assert read_bundle(made.model).exports == {}


# --- the folder of the model --------------------------------------------------------------------------


def test_a_folder_that_cannot_be_written_to_is_found_before_training(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file", encoding="utf-8")

    with pytest.raises(BundleError, match="cannot be written to"):
        prepare_folder(tmp_path / "a" / "model")


def test_a_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "deep" / "model")

    assert list((tmp_path / "deep" / "model").iterdir()) == []


# --- a stop -------------------------------------------------------------------------------------------


class SignalAt:
    """Sends SIGTERM to this process at an evaluation, in place of SageMaker."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, evaluation: int) -> None:
        self.left = evaluation
        usual = MetricLines.on_evaluate

        def on_evaluate(lines: MetricLines, state: RunState) -> None:
            usual(lines, state)
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGTERM)

        monkeypatch.setattr(MetricLines, "on_evaluate", on_evaluate)


def test_a_stopped_job_saves_the_best_so_far_and_ends_with_143(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = opt_ml(tmp_path, encoder, {"epochs": "50", "export": "onnx"})
    SignalAt(monkeypatch, 2)

    ended = made.run()

    assert ended.code == 143
    assert ended.result["epochs"] == 2.0
    assert made.numbers()["stopped"] == "the job was asked to stop (SIGTERM)"
    assert Predictor.load(made.model).backend.name == "onnx"
    assert [path.name for path in (made.root / "output").iterdir()] == ["data"]


def test_a_job_that_is_stopped_in_a_fold_saves_nothing(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = opt_ml(tmp_path, encoder, {"folds": "2", "epochs": "50"})
    SignalAt(monkeypatch, 1)

    ended = made.run()

    assert (ended.code, ended.result) == (143, {})
    assert list(made.model.iterdir()) == []
