"""Hyperparameters as SageMaker writes them, under FastBert's names and those of its predecessor."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fastbert.errors import ConfigError
from fastbert.sagemaker.hyperparameters import IGNORED, NAMES, TRANSLATED, JobConfig, decode, known_names, settings

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "guides" / "sagemaker.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("3", "3"),
        ("1e-4", "1e-4"),
        ('"1e-4"', "1e-4"),
        ('"adamw"', "adamw"),
        ("adamw", "adamw"),
        ("true", "true"),
        ('"True"', "True"),
        ('["bug", "praise"]', ["bug", "praise"]),
        ('"[\\"bug\\", \\"praise\\"]"', ["bug", "praise"]),
        ("[1, 2]", ["1", "2"]),
        ("bug,praise", "bug,praise"),
        ('"{not json"', "{not json"),
        ("null", None),
        ("Infinity", "Infinity"),
        ("007", "007"),
        (5, 5),
        (True, True),
    ],
)
def test_a_value_is_decoded(written: object, meant: object) -> None:
    assert decode({"name": written}) == ({} if meant is None else {"name": meant})


@pytest.mark.parametrize("name", ["_tuning_objective_metric", "sagemaker_program", "sagemaker_region"])
def test_what_sagemaker_adds_is_left_out(name: str) -> None:
    assert decode({name: '"x"', "lr": "1"}) == {"lr": "1"}


def test_dashes_in_names_are_underscores() -> None:
    assert decode({"batch-size": "4"}) == {"batch_size": "4"}


def test_an_object_is_refused() -> None:
    with pytest.raises(ConfigError, match="'lr' is a JSON object"):
        decode({"lr": '{"a": 1}'})


@pytest.mark.parametrize(
    ("name", "value", "option", "meant"),
    [
        ("epochs", "6", "epochs", 6.0),
        ("lr", "2e-5", "lr", 2e-5),
        ("learning_rate", "2e-5", "lr", 2e-5),
        ("max_seq_length", "128", "max_tokens", 128),
        ("train_batch_size", "8", "batch_size", 8),
        ("batch_size_per_gpu", "8", "batch_size", 8),
        ("lr_schedule", "warmup_cosine", "schedule", "warmup_cosine"),
        ("schedule_type", "None", "schedule", "none"),
        ("warmup_steps", "500", "warmup", 500.0),
        ("warmup_proportion", "0.1", "warmup", 0.1),
        ("optimizer_type", '"adamw"', "optimizer", "adamw"),
        ("max_grad_norm", "0.5", "clip_norm", 0.5),
        ("model_name", "bert-base-uncased", "encoder", "bert-base-uncased"),
        ("pretrained_path", "bert-base-uncased", "encoder", "bert-base-uncased"),
        ("text_col", "review", "text", ("review",)),
        ("label_col", "kind", "labels", ("kind",)),
        ("label_col", '["toxic", "insult"]', "labels", ("toxic", "insult")),
        ("label", "kind", "labels", ("kind",)),
        ("val_file", "val.csv", "valid_file", "val.csv"),
        ("label_file", "labels.csv", "labels_file", "labels.csv"),
        ("multi_label", "True", "task", "multi_label"),
        ("multi_label", "False", "task", "single_label"),
        ("fp16", "True", "precision", "auto"),
        ("fp16", "False", "precision", "fp32"),
        ("is_fp16", "false", "precision", "fp32"),
        ("grad_accumulation_steps", "2", "batch_size", 32),
        ("freeze_transformer_layers", "True", "freeze", "encoder"),
        ("freeze_transformer_layers", "False", "freeze", "none"),
        ("goal", "precision>=0.9", "goal", "precision>=0.9"),
        ("export", "onnx,onnx-int8", "export", ("onnx", "onnx-int8")),
        ("folds", "5", "folds", 5),
        ("baseline", "False", "baseline", False),
    ],
)
def test_a_hyperparameter_becomes_an_option(name: str, value: str, option: str, meant: object) -> None:
    found = settings(("hyperparameters.json", {name: value}))

    kinds = [kind for kind in (found.data, found.train, found.decide, found.job) if hasattr(kind, option)]
    assert [getattr(kind, option) for kind in kinds] == [meant]


@pytest.mark.parametrize("name", IGNORED)
def test_what_has_no_meaning_any_more_is_left_out_and_said(name: str) -> None:
    found = settings(("hyperparameters.json", {name: "x"}))

    assert found.notes == (f"hyperparameters.json: {name} is left out: {IGNORED[name]}.",)


def test_accumulated_steps_are_rows_of_one_step_wherever_they_are_given() -> None:
    found = settings(("training_config.json", {"grad_accumulation_steps": "4"}), ("h", {"train_batch_size": "8"}))

    assert found.train.batch_size == 32


def test_a_later_source_is_stronger() -> None:
    found = settings(("run.toml", {"lr": 1e-5, "seed": 7}), ("hyperparameters.json", {"learning_rate": "3e-5"}))

    assert (found.train.lr, found.train.seed) == (3e-5, 7)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epocs": "3"}, "'epocs' is not an option of FastBert.\n  Did you mean 'epochs'?"),
        ({"train_batchsize": "3"}, "Did you mean 'train_batch_size'?"),
        ({"zzzz": "3"}, "docs/guides/options.md"),
        ({"lr": "fast"}, "lr is 'fast'; expected a number or none"),
        ({"lr": "1e-4", "learning_rate": "1e-5"}, "'lr' and 'learning_rate' are names of one option"),
        ({"multi_label": "maybe"}, "multi_label is 'maybe'; expected True or False"),
        ({"export": "onx"}, "export is 'onx'; expected none, or of onnx.*\n  Did you mean 'onnx'?"),
        ({"folds": "1"}, "folds is 1; it must be at least 2"),
        ({"grad_accumulation_steps": "0"}, "expected a whole number from 1"),
        ({"schedule": ["a", "b"]}, "schedule is"),
    ],
)
def test_a_wrong_name_or_value_is_explained(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        settings(("hyperparameters.json", values))

    assert re.search(message, str(raised.value)), str(raised.value)


def test_no_export_is_made_where_none_is_asked_for() -> None:
    assert (JobConfig().exports, JobConfig(export=("none",)).exports) == (("onnx",), ())


@pytest.mark.parametrize("name", [*JobConfig().to_json(), *NAMES, *TRANSLATED, *IGNORED])
def test_the_guide_has_every_name_of_a_job_and_of_the_predecessor(name: str) -> None:
    assert f"`{name}`" in GUIDE


def test_no_name_is_known_twice() -> None:
    assert len(set(known_names())) == len(known_names())
