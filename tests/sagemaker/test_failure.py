"""What the failure file says: cause, what to do, and nothing of a user's texts."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from fastbert.errors import ConfigError, DataError, TrainingError
from fastbert.sagemaker.failure import SHOWN, explain, failure_text, write_failure

CANARY = "the zebra of our client crashed"


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "cause", "hint", "code"),
    [
        (ConfigError("lr is 'x'.", "Write a number."), "lr is 'x'.", "Write a number.", 2),
        (DataError("a.csv is empty."), "a.csv is empty.", "Correct it and start the job again.", 2),
        (TrainingError("The loss is NaN.", "Lower lr."), "The loss is NaN.", "Lower lr.", 1),
        (MemoryError(), "There was not enough memory for the training.", "Lower batch_tokens", 1),
        (ModuleNotFoundError(name="torch"), "Training needs the package torch", "pip install", 2),
        (OSError(errno.ENOSPC, "No space left on device", "/x/a"), "(a): No space left", "Raise VolumeSizeInGB", 1),
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied", "volumes of the container", 1),
        (ValueError(CANARY), "FastBert failed with an unexpected ValueError at test_failure.py, line", "report it", 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_has_a_cause_a_fix_and_a_code(error: BaseException, cause: str, hint: str, code: int) -> None:
    found = explain(raised(error))

    assert cause in found[0]
    assert hint in found[1]
    assert found[2] == code


def test_the_file_begins_with_cause_and_fix_and_ends_with_the_traceback() -> None:
    text = failure_text(raised(ConfigError("lr is 'x'; expected a number.", "Write lr=1e-4.")))

    assert text.startswith("lr is 'x'; expected a number.\nWrite lr=1e-4.\n\n  File ")
    assert text.endswith("ConfigError\n")


def test_a_long_cause_leaves_room_for_the_fix() -> None:
    text = failure_text(raised(DataError("row 1 is bad, " * 500, "Correct the rows. " * 100)))

    assert "Correct the rows." in text[:SHOWN]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"label '{CANARY}' is not one of the 2 labels", "label '…' is not one of the 2 labels"),
        (f'label "{CANARY}" is not one', "label '…' is not one"),
        ("token 'Zoe' has no tag", "token '…' has no tag"),
        ("the answer 'Zoe' is not at 3, where 'Leo' stands", "the answer '…' is not at 3, where '…' stands"),
        ("span 'PER' 1-4 covers 'oe', but its own text is 'Zoe'", "span 'PER' 1-4 covers '…', but its own text is '…'"),
        ("label 'postive' is not one of 2", "label 'postive' is not one of 2"),
        ("column 'Review Text' is missing", "column 'Review Text' is missing"),
        ("the encoder's own kind and the user's own word", "the encoder's own kind and the user's own word"),
        (
            "there is no column 'x'. Its columns are 'a', 'b', 'c'",
            "there is no column 'x'. Its columns are 'a', 'b', 'c'",
        ),
    ],
)
def test_quoted_cells_of_several_words_are_left_out(said: str, shown: str) -> None:
    assert explain(DataError(said))[0] == shown


def test_the_message_of_an_unexpected_error_is_nowhere() -> None:
    error = raised(RuntimeError(f"cannot use {CANARY}"), raised(ValueError(CANARY)))

    text = failure_text(error)

    assert CANARY not in text
    assert "ValueError\n\nwhich led to:\n" in text
    assert text.rstrip().endswith("RuntimeError")


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        ("Name it with --labels-file.", "Name it with hyperparameter labels_file."),
        ("Allow it with --overwrite.", "Allow it with --overwrite."),
        ("Leave them out with `--on-bad-row skip`.", "Leave them out with hyperparameter on_bad_row = skip."),
        ("If the first row is data, use --no-header.", "If the first row is data, use hyperparameter header = false."),
    ],
)
def test_options_of_the_command_line_are_called_hyperparameters(hint: str, shown: str) -> None:
    assert explain(DataError("It is wrong.", hint), ["labels_file", "on_bad_row"])[1] == shown


def test_a_file_that_cannot_be_written_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("a file", encoding="utf-8")

    write_failure(tmp_path / "output" / "failure", ConfigError("x"))

    assert not (tmp_path / "output" / "failure").exists()
