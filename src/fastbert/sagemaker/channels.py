"""The channels of a job, made into the tables of a training.

A channel is a folder. Its table is the one in it, or the one that is named after it (train.csv). A channel `training`
that also holds val.csv, labels.csv, config/training_config.json and finetuned/ is the layout of fast-bert, the
predecessor. Knows nothing of what the options in a file mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastbert.config import read_options
from fastbert.data.parallel_tokens import TAG_FILE, TOKEN_FILE
from fastbert.errors import ConfigError, DataError, did_you_mean
from fastbert.sagemaker.hyperparameters import JobConfig

ROLES = {  # role -> names of its channel
    "train": ("train", "training"),
    "valid": ("validation", "valid", "val"),
    "test": ("test",),
    "unlabelled": ("unlabelled",),
    "config": ("config",),
    "encoder": ("encoder", "model", "finetuned"),
}
STEMS = {"train": ("train", "training"), "valid": ("validation", "valid", "val", "dev"), "test": ("test",)}
LABELS_STEM = "labels"
PREDECESSOR = "config/training_config.json"  # in the channel of the training table
FINETUNED = "finetuned"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")


@dataclass(frozen=True)
class Inputs:
    """What the channels hold. labels_file, encoder: where one was found, whatever the options say."""

    train: Path
    valid: Path | None = None
    test: Path | None = None
    unlabelled: tuple[Path, ...] = ()
    labels_file: Path | None = None
    encoder: Path | None = None


def by_role(channels: Mapping[str, Path]) -> dict[str, Path]:
    """Return the folder of each role. Raises ConfigError for an unknown channel, two of one role, or none to train on.

    >>> by_role({"training": Path("a"), "val": Path("b")})
    {'train': PosixPath('a'), 'valid': PosixPath('b')}
    """
    found: dict[str, Path] = {}
    names: dict[str, str] = {}
    for name, folder in channels.items():
        role = next((role for role, known in ROLES.items() if name.casefold() in known), None)
        if role is None:
            known = [name for names in ROLES.values() for name in names]
            raise ConfigError(
                f"The channel '{name}' is none that FastBert reads.",
                did_you_mean(name, known) or f"It reads {_known()}.",
            )
        if role in found:
            raise ConfigError(f"The channels '{names[role]}' and '{name}' are for the same.", "Leave one of them out.")
        found[role], names[role] = folder, name
    if "train" not in found:
        given = f"; there are only {', '.join(sorted(channels))}" if channels else "; the job has no channels at all"
        raise ConfigError(f"No channel 'train' with the training table{given}.", "Add one to InputDataConfig.")
    return found


def _known() -> str:
    return ", ".join("/".join(names) for names in ROLES.values())


def written_options(roles: Mapping[str, Path]) -> list[tuple[str, dict[str, object]]]:
    """Return the options that lie in channels, each with its file's name; the later are the stronger.

    Raises ConfigError for a file that cannot be read.
    """
    found = []
    if "config" in roles:
        files = [file for file in visible(roles["config"]) if file.suffix == ".toml"]
        if len(files) != 1:
            raise ConfigError(
                f"The channel 'config' holds {len(files)} TOML files; expected one.", "Put one file of options into it."
            )
        found.append((files[0].name, read_options(files[0])))
    old = roles["train"] / PREDECESSOR
    if old.is_file():
        try:
            values = json.loads(old.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigError(
                f"{PREDECESSOR} cannot be read as JSON ({reason}).", "Write an object of names and texts."
            ) from error
        if not isinstance(values, dict):
            raise ConfigError(f"{PREDECESSOR} holds no JSON object.", "Write an object of names and texts.")
        found.append((PREDECESSOR, values))
    return found


def find_inputs(roles: Mapping[str, Path], job: JobConfig, labels_file: str | None = None) -> Inputs:
    """Return the tables of the channels, and what lies beside them.

    labels_file: as it was asked for.    Raises DataError where a channel holds no table, or several.
    """
    folder = _inner(roles["train"])
    valid, test = (
        _table(roles[role], role, asked) if role in roles else _beside(folder, role, asked)
        for role, asked in (("valid", job.valid_file), ("test", job.test_file))
    )
    return Inputs(
        train=_table(folder, "train", job.train_file),
        valid=valid,
        test=test,
        unlabelled=(roles["unlabelled"],) if "unlabelled" in roles else (),
        labels_file=_labels(folder, labels_file),
        encoder=_encoder(roles),
    )


def visible(folder: Path) -> list[Path]:
    """Return the files of a folder that are somebody's data: no _SUCCESS, no .DS_Store."""
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name[0] not in "._")


def _inner(folder: Path) -> Path:
    """Return the folder that has files: itself, or the only one inside, as the prefix of an S3 address leaves it."""
    while not visible(folder):
        inside = [path for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._"]
        if len(inside) != 1:
            break
        folder = inside[0]
    return folder


def _table(channel: Path, role: str, asked: str | None) -> Path:
    """Return the table of a channel, or the channel itself where its files are one input (BRAT, parallel files)."""
    folder, name = _inner(channel), ROLES[role][0]
    if asked is not None:
        return _asked(folder, f"{role}_file", asked)
    files = visible(folder)
    if any(file.suffix == ".ann" for file in files) or {TOKEN_FILE, TAG_FILE} <= {file.name for file in files}:
        return folder
    named = [file for file in files if _stem(file) in STEMS[role]]
    others = [file for file in files if _stem(file) not in {LABELS_STEM, *_other_stems(role)}]
    for found in (named, others):
        if len(found) == 1:
            return found[0]
        if found:
            break
    if not files or not (named or others):
        raise DataError(
            f"The channel '{name}' holds no table.", "Put one file into it: CSV, TSV, JSON lines, Parquet, XLSX."
        )
    shown = ", ".join(file.name for file in (named or others)[:3])
    raise DataError(
        f"The channel '{name}' holds {len(named or others)} files ({shown}); one table is read.",
        f"Join them, or name the one to read with the hyperparameter {role}_file.",
    )


def _beside(folder: Path, role: str, asked: str | None) -> Path | None:
    """Return the table of another role in the training channel, None where there is none."""
    if asked is not None:
        return _asked(folder, f"{role}_file", asked)
    found = [file for file in visible(folder) if _stem(file) in STEMS[role]]
    if len(found) > 1:
        shown = ", ".join(file.name for file in found)
        raise DataError(f"The channel 'train' holds {shown}; one of them is read.", f"Name it with {role}_file.")
    return found[0] if found else None


def _asked(folder: Path, option: str, name: str) -> Path:
    if not (folder / name).is_file():
        names = [file.name for file in visible(folder)]
        shown = ", ".join(names[:5]) or "no files"
        raise DataError(
            f"{option} is '{name}', which is not in its channel; there is {shown}.",
            did_you_mean(name, names) or "Name a file of the channel.",
        )
    return folder / name


def _labels(folder: Path, asked: str | None) -> Path | None:
    if asked is not None:
        return _asked(folder, "labels_file", asked)
    return next((file for file in visible(folder) if _stem(file) == LABELS_STEM), None)


def _encoder(roles: Mapping[str, Path]) -> Path | None:
    """Return the folder of a checkpoint to start from, None where there is none."""
    beside = roles["train"] / FINETUNED
    if "encoder" not in roles and not (beside.is_dir() and visible(_inner(beside))):
        return None
    folder = _inner(roles["encoder"] if "encoder" in roles else beside)
    if (folder / "config.json").is_file():
        return folder
    names = [file.name for file in visible(folder)]
    what = f"The folder {folder.name}/ of the encoder has no config.json"
    if any(name.endswith((".tar.gz", ".tgz")) for name in names):
        raise DataError(f"{what}, but an archive ({names[0]}).", "Unpack it, and give the channel the unpacked folder.")
    if any(name.endswith(PICKLES) for name in names):
        raise DataError(
            f"{what}; {names[0]} alone is a pickle, which is not opened.",
            "Save the model with `save_pretrained(folder)` and put all files of that folder there.",
        )
    raise DataError(f"{what}; expected a Hugging Face checkpoint.", "Put config.json, weights and tokenizer into it.")


def _stem(file: Path) -> str:
    return file.name.split(".")[0].casefold()


def _other_stems(role: str) -> set[str]:
    return {stem for other, stems in STEMS.items() if other != role for stem in stems}
