"""How a job ends: its exit code, the failure file, and that no text of a user is told to anybody."""

from __future__ import annotations

import errno
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fastbert.sagemaker import job as jobs
from fastbert.sagemaker.failure import SHOWN
from fastbert.sagemaker.stopping import Stopped
from tests.feedback import feedback_rows
from tests.helpers import write_csv
from tests.sagemaker.made import Opt, opt_ml

CANARY = "zebra crossing number nine"
Change = Callable[[Opt], object]


def canary_job(root: Path, encoder: str, **hyperparameters: object) -> Opt:
    """Write a job in whose texts the canary sings."""
    made = opt_ml(root, encoder, hyperparameters)
    write_canary(made)
    return made


def write_canary(made: Opt, name: str = "train.csv", channel: str = "train", label: str | None = None) -> Path:
    rows = [[f"{row['text']} {CANARY}", label or row["label"]] for row in feedback_rows()]
    return write_csv(made.channel(channel) / name, ["text", "label"], rows)


def table(content: str | bytes, name: str = "train.csv", channel: str = "train", *, alone: bool = False) -> Change:
    """Return a change that writes a file, and declares its channel. alone: in place of the usual table."""

    def change(made: Opt) -> None:
        if alone:
            emptied(made)
        data = content if isinstance(content, bytes) else content.replace("CANARY", CANARY).encode()
        (made.channel(channel) / name).write_bytes(data)
        made.config("inputdataconfig.json", {path.name: {} for path in (made.root / "input" / "data").iterdir()})

    return change


def asked(**hyperparameters: object) -> Change:
    def change(made: Opt) -> None:
        made.hyperparameters(**hyperparameters)

    return change


def config(name: str, values: object) -> Change:
    return lambda made: made.config(name, values)


def emptied(made: Opt) -> None:
    (made.channel("train") / "train.csv").unlink()


def occupied(made: Opt) -> None:
    made.model.mkdir()
    (made.model / "notes.txt").write_text("mine", encoding="utf-8")


def blocked(made: Opt) -> None:
    made.model.write_text("a file", encoding="utf-8")


def beside_training(content: str) -> Change:
    """Return a change that writes the options of the predecessor."""

    def change(made: Opt) -> None:
        place = made.channel("train") / "config"
        place.mkdir()
        (place / "training_config.json").write_text(content, encoding="utf-8")

    return change


ROW = "the app is bad CANARY,bug\n"
GOOD = "text,label\n" + ROW + "the app is good CANARY,praise\n"
TAGGED = "we O\nlike O\nZanzibar B-LOC\n\n" * 4
ASKED = json.dumps(
    {"data": [{"paragraphs": [{"context": "We like it here.", "qas": [
        {"id": "1", "question": "What?", "answers": [{"text": "Zanzibar", "answer_start": 3}]}]}]}]}
)  # fmt: skip
WORD = "Zanzibar"  # a text of one word
FAULTS: dict[str, tuple[Change, str, str]] = {  # what is wrong, how the file begins, and what the fix says
    "unknown hyperparameter": (asked(epocs="3"), "hyperparameters.json: 'epocs' is not an option", "'epochs'"),
    "wrong value": (asked(epochs="many"), "epochs is 'many'; expected a number", "start the job again"),
    "out of range": (asked(batch_size="0"), "batch_size is 0; it must be at least 1", "start the job again"),
    "object": (asked(lr='{"a": 1}'), "The hyperparameter 'lr' is a JSON object", "hyperparameter of its own"),
    "two names of one option": (asked(lr="1", learning_rate="2"), "hyperparameters.json: 'lr' and", "Give one of them"),
    "unknown schedule": (asked(schedule="warmup_linea"), "Schedule 'warmup_linea' is not known", "'warmup_linear'"),
    "unknown optimizer": (asked(optimizer_type="adamx"), "Optimizer 'adamx' is not known", "'adamw'"),
    "unknown export": (asked(export="onxx"), "export is 'onxx'", "'onnx'"),
    "hyperparameters are no JSON": (config("hyperparameters.json", "{"), "", "names and values"),
    "channels are no JSON": (config("inputdataconfig.json", "[]"), "", "names and values"),
    "no channels": (config("inputdataconfig.json", {}), "No channel 'train'", "InputDataConfig"),
    "unknown channel": (table(GOOD, "a.csv", "trian"), "The channel 'trian' is none", "'train'"),
    "pipe": (
        config("inputdataconfig.json", {"train": {"TrainingInputMode": "Pipe"}}),
        "The channel 'train'",
        "FastFile",
    ),
    "several hosts": (
        config("resourceconfig.json", {"hosts": ["a", "b"]}),
        "The job has 2 hosts",
        "InstanceCount to 1",
    ),
    "empty channel": (emptied, "The channel 'train' holds no table", "Put one file into it"),
    "several tables": (table(GOOD, "train.tsv"), "The channel 'train' holds 2 files", "train_file"),
    "table that is not there": (asked(train_file="rows.csv"), "train_file is 'rows.csv'", "Name a file of the channel"),
    "empty table": (table(""), "train.csv is empty", "saved or copied whole"),
    "header alone": (table("text,label\n"), "train.csv", "hyperparameter header = false"),
    "binary": (table(b"\x00\xff\xfe\x00" * 50), "train.csv", ""),
    "web page": (table("<!DOCTYPE html><html><body>CANARY</body></html>"), "train.csv", ""),
    "missing field": (table(GOOD + "the app CANARY\n" + ROW), "train.csv, row 4", ""),
    "too many fields": (table(GOOD + "the app, CANARY and more,bug\n"), "train.csv, row 4", ""),
    "no label": (
        table(GOOD + "the page is slow CANARY,\n"),
        "train.csv: 1 of 3 rows cannot be used",
        "hyperparameter on_bad_row = skip",
    ),
    "no such column": (asked(text="review", labels="label"), "train.csv has no column 'review'", "text"),
    "one label": (
        table("text,label\n" + "".join(f"{n} {ROW}" for n in range(9))),
        "There is only one label, 'bug', in 9 rows",
        "hyperparameter label",
    ),
    "text for label": (asked(text="label", labels="text", task="regression"), "train.csv, column 'text'", "task"),
    "new label in validation": (
        table(GOOD + ROW.replace(",bug", ",bgu"), "v.csv", "val"),
        "v.csv, row 4: label 'bgu'",
        "bug",
    ),
    "labels file with a header": (table("label\nbug\n", "labels.csv"), "labels.csv, row 1", "remove that line"),
    "encoder that is not there": (asked(encoder="no/such-encoder"), "The encoder 'no/such-encoder'", ""),
    "encoder as a pickle": (
        table("x", "pytorch_model.bin", "model"),
        "The folder model/ of the encoder",
        "save_pretrained",
    ),
    "broken training_config.json": (
        beside_training("{"),
        "config/training_config.json cannot be read",
        "names and texts",
    ),
    "token without a tag": (table(TAGGED + "Zanzibar \n", "a.conll", alone=True), "a.conll, line", ""),
    "answer that is not there": (table(ASKED, "a.json", alone=True), "a.json", ""),
    "something else in the model's folder": (occupied, "", "empty folder"),
    "a file in the model's place": (blocked, "", "empty folder"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_wrong_input_ends_with_2_and_a_file_that_begins_with_cause_and_fix(
    fault: str, encoder: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    change, cause, fix = FAULTS[fault]
    made = canary_job(tmp_path, encoder)
    change(made)

    ended = made.run()

    failure, told = made.failure(), capfd.readouterr()
    begin = failure[:SHOWN].partition("\n\n")
    assert ended.code == 2, failure
    assert begin[1], "cause and fix do not end within what is shown"
    assert begin[0].startswith(cause)
    assert fix in begin[0]
    assert "\n" in begin[0]
    everything = failure + ended.cause + ended.hint + told.out + told.err + "".join([*made.views, *made.lines])
    assert CANARY not in everything and WORD not in everything
    assert not (made.root / "output" / "success").exists()
    assert not made.model.is_dir() or not (made.model / "bundle.json").exists()


def failing(error: BaseException) -> Callable[..., None]:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("place", "error", "cause", "fix"),
    [
        ("prepare", ValueError(CANARY), "FastBert failed with an unexpected ValueError at test_entry.py", "report it"),
        ("finish", RuntimeError(CANARY), "FastBert failed with an unexpected RuntimeError", "report it"),
        ("finish", MemoryError(), "There was not enough memory", "batch_tokens"),
        ("finish", OSError(errno.ENOSPC, "No space left on device"), "A file could not be", "VolumeSizeInGB"),
    ],
)
def test_a_failure_ends_with_1(
    place: str, error: Exception, cause: str, fix: str, encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = canary_job(tmp_path, encoder)
    monkeypatch.setattr(f"fastbert.api.{place}", failing(error))

    ended = made.run()

    failure = made.failure()
    assert (ended.code, ended.result) == (1, {})
    assert failure.startswith(cause)
    assert fix in failure[:SHOWN].partition("\n\n")[0]
    assert CANARY not in failure


def test_a_diverging_training_says_so(encoder: str, tmp_path: Path) -> None:
    made = canary_job(tmp_path, encoder, lr="1e8", clip_norm="1e9", optimizer="sgd", schedule="none", epochs="5")

    ended = made.run()

    assert ended.code == 1
    assert "loss" in made.failure()[:SHOWN].partition("\n\n")[0]
    assert CANARY not in made.failure()


def test_a_full_disk_while_the_model_is_placed_is_told(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = opt_ml(tmp_path, encoder)
    monkeypatch.setattr(jobs, "fill_folder", failing(OSError(errno.ENOSPC, "No space left on device")))

    assert made.run().code == 1
    assert made.failure().startswith("A file could not be read or written: No space left on device.\nRaise Volume")


def test_an_image_without_torch_names_what_to_install(encoder: str, tmp_path: Path) -> None:
    """In a process of its own, for this one has imported torch."""
    made = opt_ml(tmp_path, encoder)
    program = (
        "import sys; sys.modules['torch'] = None; from fastbert.cli import main;"
        f"sys.argv = ['fastbert', 'sagemaker', 'train', '--root', {str(tmp_path)!r}]; main()"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert ended.returncode == 2
    assert "error: Training needs the package torch, which is not installed.\nhint: Install it" in ended.stderr
    assert made.failure().startswith("Training needs the package torch, which is not installed.\nInstall it with `pip")


def test_a_good_job_tells_no_text_and_leaves_success(
    encoder: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    made = canary_job(tmp_path, encoder)
    (made.root / "output").mkdir()
    (made.root / "output" / "failure").write_text("of a run before", encoding="utf-8")

    with caplog.at_level(logging.DEBUG):
        ended = made.run()

    told = capfd.readouterr()
    output = "".join(file.read_text(encoding="utf-8") for file in (made.root / "output" / "data").iterdir())
    assert (ended.code, ended.cause) == (0, "")
    assert sorted(path.name for path in (made.root / "output").iterdir()) == ["data", "success"]
    assert CANARY not in told.out + told.err + caplog.text + output + "".join([*made.views, *made.lines])


def test_a_stop_before_training_leaves_neither_model_nor_failure(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = opt_ml(tmp_path, encoder)
    monkeypatch.setattr("fastbert.api.prepare", failing(Stopped()))

    ended = made.run()

    assert (ended.code, ended.result, ended.cause) == (143, {}, "")
    assert not (made.root / "output" / "failure").exists()
    assert list(made.model.iterdir()) == []
