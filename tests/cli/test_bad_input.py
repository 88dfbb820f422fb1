"""Whatever is wrong with the input: exit code 2, a message with place and advice, and nothing written.

Each case is a small folder of files and a command. What the message must say is spelt out:
file, row or column where there is one, what was found, and a hint.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.feedback import feedback_rows

GOOD = "text,label\n" + "".join(f'"{row["text"]}",{row["label"]}\n' for row in feedback_rows(20))
TRAIN = ("train", "train.csv", "--out", "runs/model", "--encoder", "ENCODER", "--epochs", "1")


@dataclass(frozen=True)
class Case:
    """One mistake. table: train.csv.    extra: options behind TRAIN.    says: parts of the message.

    files: further files by name.    hint: part of the hint, None if there is none.
    """

    name: str
    says: tuple[str, ...]
    hint: str | None
    table: str | bytes | None = GOOD
    extra: tuple[str, ...] = ()
    files: dict[str, str | bytes] = field(default_factory=dict)


TABLES = [
    Case("no such file", ("train.csv", "does not exist"), "", table=None),
    Case("a folder for a table", ("train.csv", "folder"), "", table=None, files={"train.csv/a.txt": "x"}),
    Case("empty file", ("train.csv is empty",), "saved or copied whole", table=""),
    Case("blank lines only", ("train.csv is empty",), "", table="\n\n\n"),
    Case("header only", ("train.csv holds only a header row (2 columns)",), "Add rows", table="text,label\n"),
    Case("one class only", ("There is only one label, 'bug', in 3 rows",), "at least two labels",
         table="text,label\nthe app,bug\nthe page,bug\nthe bill,bug\n"),
    Case("no labels at all", ("train.csv has text but no other column",), "Add a column",
         table="text\nthe app is bad\nthe page is good\n"),
    Case("ragged rows", ("train.csv: 2 rows cannot be read", "row 3: 3 cells found, the header has 2",
         "row 4: 1 cell found"), "double quotes", table="text,label\nthe app,bug\none, two,praise\nthe page\nx,bug\n"),
    Case("open quote", ("train.csv, row 4", "quote"), "",
         table='text,label\n"a, one",bug\n"a, two",praise\n"a, three,bug\nx,bug\n'),
    Case("NUL bytes", ("train.csv, row 3: a NUL character",), "UTF-8", table=b"text,label\nok,bug\na\0b,praise\n"),
    Case("unreadable encoding", ("train.csv, byte", "is not UTF-8, but most of the file is"), "iconv",
         table=b"text,label\n" + "schön größer,bug\n".encode() * 5 + b"caf\xe9,praise\n"),
    Case("cut UTF-16", ("train.csv, byte", "utf-16"), "UTF-8", table=GOOD.encode("utf-16")[:-1]),
    Case("duplicate column names", ("train.csv", "'text'"), "", table="text,text,label\na,b,bug\nc,d,praise\n"),
    Case("empty texts", ("train.csv: 2 of 4 rows cannot be used", "column 'text' is empty (rows 3, 5)"),
         "--on-bad-row skip", table="text,label\nthe app,bug\n,bug\nthe page,praise\n  ,praise\n"),
    Case("empty labels", ("train.csv: 1 of 3 rows cannot be used", "column 'label' is empty (row 3)"),
         "--on-bad-row skip", table="text,label\nthe app,bug\nthe bill,\nthe page,praise\n"),
    Case("an old Excel file", ("train.csv is an old Excel file",), ".xlsx", table=b"\xd0\xcf\x11\xe0" + b"x" * 99),
    Case("damaged gzip", ("train.csv", "gzip"), "", table=b"\x1f\x8b\x08\x00damaged"),
    Case("numbers as classes", ("train.csv, column 'label' holds 20 different numbers",), "--task regression",
         extra=("--task", "single_label"),
         table="text,label\n" + "".join(f"the app {n},{n}.5\n" for n in range(20))),
    Case("a word among numbers", ("train.csv, row 4: column 'label' holds 'high', expected a number",), "such as 3.5",
         table="text,label\na,1.5\nb,2.5\nc,high\n", extra=("--task", "regression")),
    Case("a number of 400 digits", ("train.jsonl, row 2: column 'label' holds 1111", "expected a number"),
         "such as 3.5",
         files={"train.jsonl": '{"text": "the app", "label": 1.5}\n{"text": "it", "label": ' + "1" * 400 + "}\n"},
         extra=("OTHER", "train.jsonl", "--task", "regression")),
    Case("one number everywhere", ("All 3 rows have the same number in column 'label'",), "--label",
         table="text,label\na,1\nb,1\nc,1\n", extra=("--task", "regression")),
    Case("labels that never repeat", ("column 'label' has a different value in each of 30 rows",), "--label",
         table="text,label\n" + "".join(f"the app {n},name{n}\n" for n in range(30))),
    Case("mixed lists and plain labels", ("train.csv, column 'label': 1 label cells are lists and 2 are not",),
         "all of them as lists", table='text,label\nthe app,"[""bug""]"\nthe page,bug\nthe bill,praise\n'),
    Case("0/1 columns that hold 2", ("train.csv, row 3: column 'praise' holds '2', expected 0 or 1",), "--labels",
         table="text,bug,praise\na app,1,0\na page,0,2\na bill,0,1\n", extra=("--labels", "bug,praise")),
    Case("empty 0/1 cell", ("train.csv, row 3: column 'praise' is empty, expected 0 or 1",), "--labels",
         table="text,bug,praise\na app,1,0\na page,0,\na bill,0,1\n", extra=("--labels", "bug,praise")),
    Case("an unclear label column", ("train.csv", "'kind'", "'tone'"), "--label",
         table="text,kind,tone\n" + "".join(f"the app is number {n},k{n % 2},t{n % 3}\n" for n in range(24))),
    Case("broken JSON lines", ("train.jsonl, row 2: no valid JSON at column",), "one object a line",
         files={"train.jsonl": '{"text": "the app", "label": "bug"}\n{"text": \n'}, extra=("OTHER", "train.jsonl")),
]  # fmt: skip

COLUMNS = [
    Case("misspelt text column", ("train.csv has no column 'texts'. Its columns are: 'text', 'label'.",),
         "Did you mean 'text'?", extra=("--text", "texts")),
    Case("misspelt label column", ("train.csv has no column 'lable'.",), "Did you mean 'label'?",
         extra=("--label", "lable")),
    Case("column number too large", ("train.csv has no column '2'",), "--text", extra=("--text", "2")),
    Case("three text columns", ("text names 3 columns",), None, extra=("--text", "a,b,c")),
    Case("text and label the same", ("train.csv: column 'text' is a label and is named a second time",), "",
         extra=("--text", "text", "--label", "text")),
    Case("label and labels", ("--label and --labels are both given",), "--labels for several",
         extra=("--label", "label", "--labels", "a,b")),
    Case("no such group column", ("train.csv has no column 'customer'",), "--group", extra=("--group", "customer")),
    Case("no such file of names", ("names.txt",), "", extra=("--labels-file", "names.txt")),
    Case("a name twice", ("names.txt, row 3", "'bug'"), "", files={"names.txt": "bug\npraise\nbug\n"},
         extra=("--labels-file", "names.txt")),
    Case("a label that is not in the file of names", ("label 'praise' is not one of the 2 labels (bug, prase)",),
         "Did you mean 'prase'?", files={"names.txt": "bug\nprase\n"}, extra=("--labels-file", "names.txt")),
]  # fmt: skip

SPLITS = [
    Case("unseen label in valid", ("valid.csv, row 3: label 'bugs' is not one of the 2 labels (bug, praise).",),
         "Did you mean 'bug'?", files={"valid.csv": "text,label\nthe app,bug\nthe page,bugs\n"},
         extra=("--valid", "valid.csv")),
    Case("unseen label in test", ("test.csv, row 2: label 'question' is not one of the 2 labels",), "",
         files={"test.csv": "text,label\nthe app,question\n"}, extra=("--test", "test.csv")),
    Case("valid without the column", ("valid.csv has no column 'text'",), "",
         files={"valid.csv": "body,label\nthe app,bug\nthe page,praise\n"},
         extra=("--valid", "valid.csv", "--text", "text")),
    Case("valid without labels", ("valid.csv has no column 'label'",), "--label",
         files={"valid.csv": "text,other\nthe app,1\nthe page,2\n"},
         extra=("--valid", "valid.csv", "--label", "label")),
    Case("one text alone", ("cannot be split",), "", table="text,label\nthe app,bug\nthe app,praise\n"),
]  # fmt: skip

OPTIONS = [
    Case("wrong type", ("Invalid value for '--epochs'",), None, extra=("--epochs", "many")),
    Case("unknown option", ("No such option: --epoch",), None, extra=("--epoch", "3")),
    Case("epochs out of range", ("epochs is", "must be above 0"), None, extra=("--epochs", "0")),
    Case("unknown schedule", ("Schedule 'cosine' is not known",), "", extra=("--schedule", "cosine")),
    Case("unknown optimizer", ("Optimizer 'adamv' is not known",), "Did you mean 'adamw'?",
         extra=("--set", "optimizer=adamv")),
    Case("unknown task", ("task is 'multi'; expected auto, single_label, multi_label",), "multi_label",
         extra=("--task", "multi")),
    Case("fp16 on a processor", ("precision is fp16, which needs a GPU",), "--precision auto",
         extra=("--precision", "fp16")),
    Case("unknown key of --set", ("'learning' is not an option",), "", extra=("--set", "learning=1")),
    Case("--set without a value", ("'lr' is not of the form key=value",), "--set lr=1e-4", extra=("--set", "lr")),
    Case("no such configuration", ("run.toml", "cannot be read"), None, extra=("--config", "run.toml")),
    Case("broken configuration", ("run.toml: not valid TOML",), None, files={"run.toml": "lr = \n"},
         extra=("--config", "run.toml")),
    Case("unknown key of the configuration", ("'epoch' is not an option",), "Did you mean 'epochs'?",
         files={"run.toml": "epoch = 3\n"}, extra=("--config", "run.toml")),
    Case("warm-up longer than the run", ("warmup=99 is too long",), "Shorten it", extra=("--set", "warmup=99")),
    Case("more tokens than the encoder takes", ("max_tokens is 65; this encoder takes at most 64",), "--max-tokens 64",
         extra=("--max-tokens", "65")),
    Case("no such encoder", ("The encoder folder './encoder' does not exist",), "Check the path",
         extra=("--encoder", "./encoder")),
    Case("an encoder folder without a model", ("encoder is not an encoder: it has no config.json",), "checkpoint",
         files={"encoder/notes.txt": "x"}, extra=("--encoder", "encoder")),
    Case("an encoder that is broken", ("The encoder './encoder' cannot be opened",), "",
         files={"encoder/config.json": "{}"}, extra=("--encoder", "./encoder")),
    Case("a log without a folder", ("logs/run.jsonl: the log cannot be written there",), "folder that exists",
         extra=("--log", "logs/run.jsonl")),
]  # fmt: skip

TARGETS = [
    Case("existing folder", ("runs/model exists already",), "--overwrite", files={"runs/model/bundle.json": "{}"}),
    Case("existing folder that is no bundle", ("runs/model exists and is not a bundle",), "remove it yourself",
         files={"runs/model/thesis.tex": "x"}, extra=("--overwrite",)),
    Case("a file in the way", ("runs", "not a folder that can be written to"), None, files={"runs": "x"}),
]  # fmt: skip


def snapshot(folder: Path) -> dict[str, str]:
    """Return every file and folder with a checksum of what it holds."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in folder.rglob("*")
    }


def write_files(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def command_of(case: Case, encoder: str) -> list[str]:
    """Return the arguments; OTHER in front of a name replaces the table."""
    extra = list(case.extra)
    arguments = [encoder if part == "ENCODER" else part for part in TRAIN]
    if extra[:1] == ["OTHER"]:
        arguments[1] = extra[1]
        extra = extra[2:]
    return [*arguments, *extra]


@pytest.mark.parametrize("case", [*TABLES, *COLUMNS, *SPLITS, *OPTIONS, *TARGETS], ids=lambda case: case.name)
def test_bad_input_is_explained_and_leaves_nothing(
    case: Case, run: Run, encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, ({} if case.table is None else {"train.csv": case.table}) | case.files)
    before = snapshot(tmp_path)

    outcome = run(*command_of(case, encoder))

    assert (outcome.code, outcome.out) == (2, ""), outcome.err
    error, _, hint = outcome.err.partition("\nhint: ")
    assert "error: " in error.lower() and "Traceback" not in error
    assert [part for part in case.says if part not in error] == [], outcome.err
    assert (case.hint is not None) == bool(hint), outcome.err
    assert (case.hint or "") in hint
    assert snapshot(tmp_path) == before


# --- bundles ------------------------------------------------------------------------------------------


def changed_manifest(folder: Path, **changes: object) -> None:
    file = folder / "bundle.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def make_newer(folder: Path) -> None:
    changed_manifest(folder, format=99)


def tamper(folder: Path) -> None:
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(bytes(weights))


def remove_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def make_plain(folder: Path) -> None:
    (folder / "bundle.json").unlink()


def break_manifest(folder: Path) -> None:
    (folder / "bundle.json").write_text("{", encoding="utf-8")


def remove(folder: Path) -> None:
    shutil.rmtree(folder)


BUNDLES: list[tuple[Callable[[Path], None], str, str]] = [
    (remove, "model does not exist", "fastbert train"),
    (make_plain, "model is not a bundle: it has no bundle.json", "plain Hugging Face checkpoint"),
    (make_newer, "model/bundle.json has format 99", "pip install -U fastbert-nlp"),
    (tamper, "model/model.safetensors was changed after it was saved", "Copy the bundle again"),
    (remove_weights, "model.safetensors is missing", "Copy the bundle again"),
    (break_manifest, "model/bundle.json cannot be read as JSON", "Copy the bundle again"),
]
COMMANDS = [["inspect", "model"], ["predict", "model", "new.csv", "--out", "answers.csv"]]


@pytest.fixture
def copied(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder, which is the current one, with a copy of the bundle and a table."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(bundle, tmp_path / "model")
    write_files(tmp_path, {"new.csv": GOOD})
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=["inspect", "predict"])
@pytest.mark.parametrize(("change", "says", "hint"), BUNDLES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_bad_bundle_is_explained_and_nothing_is_written(
    change: Callable[[Path], None], says: str, hint: str, command: list[str], run: Run, copied: Path
) -> None:
    change(copied / "model")
    before = snapshot(copied)

    outcome = run(*command)

    error, _, found_hint = outcome.err.partition("\nhint: ")
    assert (outcome.code, outcome.out) == (2, "")
    assert error.startswith("error: ") and says in error
    assert hint in found_hint
    assert snapshot(copied) == before
