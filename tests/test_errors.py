"""Texts, hints and exit codes of the exception tree."""

from __future__ import annotations

import copy

import pytest

from fastbert.errors import (
    BundleError,
    ConfigError,
    DataError,
    EncoderError,
    FastBertError,
    MissingExtraError,
    ServerError,
    TrainingError,
    UsageError,
    did_you_mean,
    missing_extra,
)


def test_the_hint_stands_on_a_line_of_its_own() -> None:
    assert str(DataError("The table is empty.", "Save it again.")) == "The table is empty.\n  Save it again."


def test_an_error_without_hint_is_one_line() -> None:
    assert str(DataError("The table is empty.")) == "The table is empty."


def test_message_and_hint_can_be_read_apart() -> None:
    error = ConfigError("'x' is not an option.", "Did you mean 'y'?")

    assert (error.message, error.hint) == ("'x' is not an option.", "Did you mean 'y'?")


@pytest.mark.parametrize("kind", [ConfigError, DataError, BundleError, EncoderError, MissingExtraError])
def test_wrong_use_ends_with_exit_code_2(kind: type[FastBertError]) -> None:
    assert issubclass(kind, UsageError)
    assert kind.exit_code == 2


def test_a_failure_of_training_ends_with_exit_code_1() -> None:
    assert not issubclass(TrainingError, UsageError)
    assert TrainingError("The loss is nan.").exit_code == 1


def test_a_copy_of_an_error_of_a_server_says_the_same() -> None:
    error = ServerError("No.", "Ask later.", status=422, code="invalid_value", field="top_k", request_id="r")

    assert vars(copy.copy(error)) == vars(error)
    assert (error.exit_code, ServerError("No.").exit_code) == (2, 1)


def test_a_missing_extra_names_the_command_that_installs_it() -> None:
    error = MissingExtraError("onnxruntime", "serve", "The backend 'onnx'")

    assert str(error) == (
        "The backend 'onnx' needs the package onnxruntime, which is not installed.\n"
        '  Install it with `pip install "fastbert-nlp[serve]"`.'
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("postive", "Did you mean 'Positive'?"), ("NEGATIVE", "Did you mean 'negative'?"), ("zebra", None), ("", None)],
)
def test_the_closest_name_is_offered_whatever_its_case(name: str, sentence: str | None) -> None:
    assert did_you_mean(name, ["negative", "Positive"]) == sentence


@pytest.mark.parametrize(("module", "package"), [("torch", "torch"), ("transformers.models", "transformers")])
def test_a_module_that_fails_to_import_names_its_extra(module: str, package: str) -> None:
    error = missing_extra(ModuleNotFoundError(name=module), "Training")

    assert error is not None
    assert error.message == f"Training needs the package {package}, which is not installed."
    assert error.hint == 'Install it with `pip install "fastbert-nlp[train]"`.'


@pytest.mark.parametrize("module", ["zebra", None])
def test_a_module_of_no_extra_is_left_to_python(module: str | None) -> None:
    assert missing_extra(ModuleNotFoundError(name=module), "Training") is None
