"""Tables, labels, options and encoders in the folders of channels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fastbert.errors import ConfigError, DataError, FastBertError
from fastbert.sagemaker.channels import by_role, find_inputs, visible, written_options
from fastbert.sagemaker.hyperparameters import JobConfig


def laid_out(root: Path, *names: str) -> dict[str, Path]:
    """Write empty files such as "train/a.csv"; return the folders of the channels."""
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return {path.name: path for path in sorted(root.iterdir())}


@pytest.mark.parametrize(
    ("channel", "role"),
    [
        ("train", "train"),
        ("training", "train"),
        ("Training", "train"),
        ("validation", "valid"),
        ("valid", "valid"),
        ("val", "valid"),
        ("test", "test"),
        ("unlabelled", "unlabelled"),
        ("config", "config"),
        ("encoder", "encoder"),
        ("model", "encoder"),
        ("finetuned", "encoder"),
    ],
)
def test_a_channel_is_known_by_its_name(channel: str, role: str, tmp_path: Path) -> None:
    roles = by_role({"train": tmp_path, channel: tmp_path / "x"} if role != "train" else {channel: tmp_path / "x"})

    assert roles[role] == tmp_path / "x"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["train", "validate"], "The channel 'validate' is none that FastBert reads.\n  Did you mean 'validation'?"),
        (["train", "zzzz"], "It reads train/training, validation/valid/val"),
        (["train", "training"], "The channels 'train' and 'training' are for the same"),
        (["test"], "No channel 'train' with the training table; there are only test"),
        ([], "the job has no channels at all"),
    ],
)
def test_channels_that_do_not_fit_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        by_role({name: Path(name) for name in names})

    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["train/a.csv"], ("train/a.csv", None, None, None)),
        (["train/a.csv", "train/_SUCCESS", "train/.DS_Store"], ("train/a.csv", None, None, None)),
        (["train/prefix/deep/a.parquet"], ("train/prefix/deep/a.parquet", None, None, None)),
        (["train/a.csv", "train/labels.txt"], ("train/a.csv", None, None, "train/labels.txt")),
        (
            ["training/train.csv", "training/val.csv", "training/labels.csv", "training/config/training_config.json"],
            ("training/train.csv", "training/val.csv", None, "training/labels.csv"),
        ),
        (["train/train.csv", "train/test.csv"], ("train/train.csv", None, "train/test.csv", None)),
        (["train/train.csv.gz", "train/dev.csv.gz"], ("train/train.csv.gz", "train/dev.csv.gz", None, None)),
        (["train/rows.jsonl", "train/valid.jsonl"], ("train/rows.jsonl", "train/valid.jsonl", None, None)),
        (["train/train.csv", "train/notes.csv"], ("train/train.csv", None, None, None)),
        (["train/a.csv", "validation/b.csv", "test/c.csv"], ("train/a.csv", "validation/b.csv", "test/c.csv", None)),
        (["train/train.csv", "train/val.csv", "val/b.csv"], ("train/train.csv", "val/b.csv", None, None)),
        (["train/a.txt", "train/a.ann", "train/b.txt", "train/b.ann"], ("train", None, None, None)),
        (["train/seq.in", "train/seq.out"], ("train", None, None, None)),
    ],
)
def test_tables_are_found(files: list[str], expected: tuple[str | None, ...], tmp_path: Path) -> None:
    found = find_inputs(by_role(laid_out(tmp_path, *files)), JobConfig())

    places = (found.train, found.valid, found.test, found.labels_file)
    assert tuple(None if path is None else path.relative_to(tmp_path).as_posix() for path in places) == expected


def test_a_table_can_be_named(tmp_path: Path) -> None:
    roles = by_role(laid_out(tmp_path, "train/a.csv", "train/b.csv", "train/c.csv", "train/names.txt", "test/d.csv"))

    found = find_inputs(roles, JobConfig(train_file="b.csv", valid_file="c.csv"), "names.txt")

    names = [path.name for path in (found.train, found.valid, found.test, found.labels_file) if path is not None]
    assert names == ["b.csv", "c.csv", "d.csv", "names.txt"]


@pytest.mark.parametrize(
    ("files", "job", "message"),
    [
        (["train/_SUCCESS"], {}, "The channel 'train' holds no table.\n  Put one file into it"),
        (["train/labels.csv"], {}, "The channel 'train' holds no table"),
        (
            ["train/part-0.csv", "train/part-1.csv"],
            {},
            "holds 2 files (part-0.csv, part-1.csv); one table is read.\n  Join them, or name the one to read with the "
            "hyperparameter train_file.",
        ),
        (["train/train.csv", "train/train.tsv"], {}, "holds 2 files (train.csv, train.tsv)"),
        (["train/a.csv", "train/val.csv", "train/dev.csv"], {}, "holds dev.csv, val.csv; one of them is read"),
        (["train/a.csv", "test/a.csv", "test/b.csv"], {}, "The channel 'test' holds 2 files"),
        (["train/rows.csv"], {"train_file": "row.csv"}, "train_file is 'row.csv'.*\n  Did you mean 'rows.csv'?"),
        (["train/rows.csv"], {"valid_file": "val.csv"}, "valid_file is 'val.csv', which is not in its channel"),
    ],
)
def test_a_channel_without_one_table_is_refused(
    files: list[str], job: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as raised:
        find_inputs(by_role(laid_out(tmp_path, *files)), JobConfig().changed(**job))

    first, _, last = message.partition(".*")
    assert first in str(raised.value) and last in str(raised.value)


def test_a_folder_of_unlabelled_text_is_given_whole(tmp_path: Path) -> None:
    roles = by_role(laid_out(tmp_path, "train/a.csv", "unlabelled/x.txt", "unlabelled/y.txt"))

    assert find_inputs(roles, JobConfig()).unlabelled == (tmp_path / "unlabelled",)


# --- encoders -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "folder"),
    [
        (["model/config.json", "model/model.safetensors"], "model"),
        (["encoder/prefix/config.json"], "encoder/prefix"),
        (["train/finetuned/config.json", "train/finetuned/model.safetensors"], "train/finetuned"),
        ([], None),
    ],
)
def test_an_encoder_is_found(files: list[str], folder: str | None, tmp_path: Path) -> None:
    (tmp_path / "train" / "finetuned").mkdir(parents=True)  # as fast-bert leaves it, empty

    found = find_inputs(by_role(laid_out(tmp_path, "train/a.csv", *files)), JobConfig()).encoder

    assert found == (None if folder is None else tmp_path / folder)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["model/model.tar.gz"], "but an archive (model.tar.gz).\n  Unpack it"),
        (["train/finetuned/pytorch_model.bin"], "pytorch_model.bin alone is a pickle, which is not opened"),
        (["model/weights.h5"], "has no config.json; expected a Hugging Face checkpoint"),
    ],
)
def test_a_folder_that_is_no_encoder_is_explained(files: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        find_inputs(by_role(laid_out(tmp_path, "train/a.csv", *files)), JobConfig())

    assert message in str(raised.value)


# --- options in files ---------------------------------------------------------------------------------


def test_options_come_from_a_channel_and_from_the_predecessors_file(tmp_path: Path) -> None:
    roles = by_role(laid_out(tmp_path, "train/a.csv", "train/config/training_config.json", "config/run.toml"))
    (tmp_path / "config" / "run.toml").write_text("[train]\nlr = 1e-5\n", encoding="utf-8")
    (tmp_path / "train" / "config" / "training_config.json").write_text(json.dumps({"fp16": "True"}), encoding="utf-8")

    assert written_options(roles) == [("run.toml", {"lr": 1e-5}), ("config/training_config.json", {"fp16": "True"})]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config/notes.md", "", "holds 0 TOML files; expected one"),
        ("config/run.toml", "lr = ", "not valid TOML"),
        ("train/config/training_config.json", "{", "cannot be read as JSON"),
        ("train/config/training_config.json", "[]", "holds no JSON object"),
    ],
)
def test_options_that_cannot_be_read_are_refused(file: str, content: str, message: str, tmp_path: Path) -> None:
    channels = laid_out(tmp_path, "train/a.csv", file)
    (tmp_path / file).write_text(content, encoding="utf-8")

    with pytest.raises(FastBertError, match=message):
        written_options(by_role(channels))


def test_hidden_files_are_nobodys_data(tmp_path: Path) -> None:
    laid_out(tmp_path, "a/.x.csv", "a/_metadata", "a/rows.csv", "a/deep/b.csv")

    assert [path.name for path in visible(tmp_path / "a")] == ["rows.csv"]
