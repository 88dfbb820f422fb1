"""A bundle is written whole or not at all, and read only if it is whole."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fastbert.bundle import MANIFEST, Bundle, check_target, read_bundle, seal_of, write_bundle
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError, TrainingError
from tests.bundles import MULTI


def bundle_at(folder: Path) -> Bundle:
    return Bundle(
        folder=folder,
        task=MULTI,
        decisions=Decisions(0.3),
        max_tokens=32,
        tokenizer={"pad_id": 1, "max_tokens": 64, "input_names": ["input_ids"]},
        head="my.package:Head",
        pooling="mean",
        scores={"valid": {"f1_macro": 0.75}},
        facts={"plan": {"encoder": "minilm", "größe": [1, None, True]}},
    )


def files_saying(content: str) -> Callable[[Path], None]:
    """Return a function that fills a folder with two files."""

    def write(working: Path) -> None:
        (working / "model.safetensors").write_text(content)
        (working / "onnx").mkdir()
        (working / "onnx" / "model.onnx").write_text(content * 2)

    return write


def failing_write(working: Path) -> None:
    (working / "model.safetensors").write_text("half")
    raise OSError(28, "No space left on device")


def written(tmp_path: Path, content: str = "weights") -> Path:
    return write_bundle(bundle_at(tmp_path / "model"), files_saying(content))


def edit_manifest(folder: Path, **changes: object) -> None:
    """Change values of a manifest and seal it again, as another version would have written it."""
    values = json.loads((folder / MANIFEST).read_text(encoding="utf-8")) | changes
    (folder / MANIFEST).write_text(json.dumps(values | {"sha256": seal_of(values)}), encoding="utf-8")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refusal(folder: Path, *, verify: bool = True) -> str:
    with pytest.raises(BundleError) as caught:
        read_bundle(folder, verify=verify)
    return str(caught.value)


# --- written and read -------------------------------------------------------------------------------


def test_everything_that_was_written_is_read(tmp_path: Path) -> None:
    bundle = bundle_at(tmp_path / "model")
    write_bundle(bundle, files_saying("weights"))

    assert read_bundle(tmp_path / "model") == bundle


def test_writing_returns_the_folder_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    assert written(tmp_path) == tmp_path / "model"
    assert names_in(tmp_path) == ["model"]
    assert names_in(tmp_path / "model") == [MANIFEST, "model.safetensors", "onnx"]


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    write_bundle(bundle_at(tmp_path / "a" / "b"), files_saying("weights"))

    assert read_bundle(tmp_path / "a" / "b").max_tokens == 32


def test_a_relative_folder_is_written_where_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_bundle(bundle_at(Path("model")), files_saying("weights"))

    assert read_bundle("model").folder == Path("model")


def test_the_manifest_names_every_other_file_with_its_checksum(tmp_path: Path) -> None:
    """sha256 of "weights" by `printf weights | sha256sum`."""
    files = json.loads((written(tmp_path) / MANIFEST).read_text())["files"]

    assert sorted(files) == ["model.safetensors", "onnx/model.onnx"]
    assert files["model.safetensors"] == "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"


def test_the_manifest_is_text_that_people_can_read(tmp_path: Path) -> None:
    text = (written(tmp_path) / MANIFEST).read_text(encoding="utf-8")

    assert '"größe"' in text
    assert text.startswith('{\n  "format": 1,\n')


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_score_that_is_not_a_number_is_null(number: float, tmp_path: Path) -> None:
    bundle = dataclasses.replace(bundle_at(tmp_path / "model"), scores={"valid": {"own_metric": number}})

    folder = write_bundle(bundle, files_saying("weights"))

    assert '"own_metric": null' in (folder / MANIFEST).read_text(encoding="utf-8")
    assert read_bundle(folder).scores["valid"] == {"own_metric": None}


# --- whole or not at all ----------------------------------------------------------------------------


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        write_bundle(bundle_at(tmp_path / "model"), failing_write)

    assert names_in(tmp_path) == []
    assert str(caught.value) == (
        f"{tmp_path / 'model'}: the bundle could not be written (No space left on device). Nothing was left there.\n"
        "  Free some space or choose another folder, and save again."
    )


def test_a_full_disk_leaves_the_old_bundle(tmp_path: Path) -> None:
    folder = written(tmp_path, "old")

    with pytest.raises(TrainingError):
        write_bundle(bundle_at(folder), failing_write, overwrite=True)

    assert (folder / "model.safetensors").read_text() == "old"
    assert read_bundle(folder).max_tokens == 32
    assert names_in(tmp_path) == ["model"]


def test_an_interruption_leaves_the_old_bundle(tmp_path: Path) -> None:
    folder = written(tmp_path, "old")

    def interrupted(working: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_bundle(bundle_at(folder), interrupted, overwrite=True)

    assert read_bundle(folder).max_tokens == 32
    assert names_in(tmp_path) == ["model"]


def test_a_failing_last_move_puts_the_old_bundle_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path, "old")
    rename = Path.rename

    def fail_for_new(self: Path, target: Path) -> Path:
        if self.name.endswith(".part"):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_new)
    with pytest.raises(TrainingError, match="Input/output error"):
        write_bundle(bundle_at(folder), files_saying("new"), overwrite=True)

    assert (folder / "model.safetensors").read_text() == "old"
    assert names_in(tmp_path) == ["model"]


def test_a_bundle_in_the_making_has_another_name(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    write_bundle(bundle_at(tmp_path / "model"), lambda working: seen.append(names_in(tmp_path)))

    assert "model" not in seen[0]
    assert len(seen[0]) == 1


def test_overwriting_replaces_all_files(tmp_path: Path) -> None:
    folder = written(tmp_path, "old")

    write_bundle(bundle_at(folder), files_saying("new"), overwrite=True)

    assert (folder / "model.safetensors").read_text() == "new"
    assert names_in(folder) == [MANIFEST, "model.safetensors", "onnx"]
    assert names_in(tmp_path) == ["model"]


def test_a_file_of_the_users_own_is_not_overwritten(tmp_path: Path) -> None:
    folder = written(tmp_path, "old")
    (folder / "notes.txt").write_text("mine")

    with pytest.raises(BundleError, match=r"holds files that are no part of the bundle, such as notes.txt"):
        write_bundle(bundle_at(folder), files_saying("new"), overwrite=True)
    assert (folder / "notes.txt").read_text() == "mine"


def test_overwriting_through_a_link_replaces_what_it_points_to(tmp_path: Path) -> None:
    folder = written(tmp_path, "old")
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "current"
    link.symlink_to(folder)

    write_bundle(bundle_at(link), files_saying("new"), overwrite=True)

    assert link.is_symlink()
    assert (folder / "model.safetensors").read_text() == "new"
    assert names_in(tmp_path) == ["links", "model"]


# --- targets ----------------------------------------------------------------------------------------


def test_an_existing_bundle_is_not_replaced_unasked(tmp_path: Path) -> None:
    folder = written(tmp_path)

    with pytest.raises(BundleError) as caught:
        write_bundle(bundle_at(folder), files_saying("new"))

    assert str(caught.value) == (
        f"{folder} exists already.\n  Choose another folder, or allow it with --overwrite."
    )  # fmt: skip


def test_a_folder_that_is_no_bundle_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(BundleError) as caught:
        check_target(tmp_path, overwrite=True)

    assert str(caught.value) == (
        f"{tmp_path} exists and is not a bundle; it is not replaced, not even with --overwrite.\n"
        "  Choose another folder, or remove it yourself."
    )


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("")

    with pytest.raises(BundleError, match="exists and is not a bundle"):
        check_target(tmp_path / "model", overwrite=True)


def test_an_empty_folder_may_be_overwritten(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()

    write_bundle(bundle_at(tmp_path / "model"), files_saying("new"), overwrite=True)

    assert read_bundle(tmp_path / "model").max_tokens == 32


def test_a_target_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(BundleError, match="file is not a folder that can be written to"):
        check_target(tmp_path / "file" / "model", overwrite=False)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(BundleError, match="is not a folder that can be written to"):
        check_target(tmp_path / "model", overwrite=False)


def test_permission_is_asked_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "mkdir", refuse)

    with pytest.raises(BundleError, match=r"is not a folder that can be written to \(Permission denied\)"):
        check_target(tmp_path / "deep" / "model", overwrite=False)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_a_folder_that_only_looks_writable_is_refused_before_any_work() -> None:
    """Found with `fastbert train ok.csv --out /proc/x` as root: it trained first."""
    with pytest.raises(BundleError, match=r"/proc is not a folder that can be written to"):
        check_target(Path("/proc/model"), overwrite=False)


def test_the_check_leaves_nothing_behind(tmp_path: Path) -> None:
    check_target(tmp_path / "deep" / "model", overwrite=False)

    assert list(tmp_path.iterdir()) == []


# --- what is no whole bundle ------------------------------------------------------------------------


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "onnx" / "model.onnx").write_text("other")

    assert refusal(folder) == (
        f"{folder / 'onnx' / 'model.onnx'} was changed after it was saved: its sha256 is not the one in bundle.json.\n"
        "  Copy the bundle again. If you changed it on purpose, open it with verify=False."
    )


def test_a_changed_file_can_be_read_on_purpose(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "model.safetensors").write_text("other")

    assert read_bundle(folder, verify=False).max_tokens == 32


def test_a_file_that_was_added_does_no_harm(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "notes.txt").write_text("ours")

    assert read_bundle(folder).max_tokens == 32


def test_missing_files_are_named(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "model.safetensors").unlink()

    assert refusal(folder) == (f"{folder}: model.safetensors is missing.\n  Copy the bundle again, or save it anew.")


def test_a_newer_format_asks_for_an_upgrade(tmp_path: Path) -> None:
    folder = written(tmp_path)
    edit_manifest(folder, format=2)

    text = refusal(folder)

    assert f"{folder / MANIFEST} has format 2; this version (" in text
    assert text.endswith(") reads formats up to 1.\n  Upgrade with `pip install -U fastbert-nlp`.")


def test_a_folder_that_is_not_there_tells_how_to_make_one(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no") == (
        f"{tmp_path / 'no'} does not exist.\n  Train a model with `fastbert train TABLE --out FOLDER`."
    )


def test_an_empty_folder_is_no_bundle(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path} is not a bundle: it has no bundle.json."


def test_a_plain_checkpoint_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")

    assert refusal(tmp_path).endswith(
        "is not a bundle: it has no bundle.json.\n  It looks like a plain Hugging Face checkpoint."
    )


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe"])
def test_a_manifest_that_is_no_json_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(content)

    assert "bundle.json cannot be read as JSON (" in refusal(tmp_path)


@pytest.mark.parametrize("content", ["[]", "{}", '{"format": "1"}', "3"])
def test_a_manifest_of_something_else_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(content)

    assert "has no format number; it was not written by FastBert." in refusal(tmp_path)


@pytest.mark.parametrize("name", ["task", "max_tokens", "tokenizer"])
def test_a_manifest_that_lacks_a_value_is_refused(name: str, tmp_path: Path) -> None:
    folder = written(tmp_path)
    edit_manifest(folder, **{name: None})

    assert refusal(folder).endswith("task, max_tokens or tokenizer is missing.\n  Save the model again.")


def test_a_manifest_of_an_unknown_task_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path)
    edit_manifest(folder, task={"name": "zebra"})

    assert "The bundle holds the task 'zebra'" in refusal(folder)


def test_a_manifest_that_was_changed_is_refused(tmp_path: Path) -> None:
    folder = write_bundle(bundle_at(tmp_path / "model"), files_saying("weights"))
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["task"]["labels"].reverse()
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")

    with pytest.raises(BundleError, match=r"bundle.json was changed after it was saved: its own sha256 does not fit"):
        read_bundle(folder)
    assert read_bundle(folder, verify=False).task.to_json()["labels"] == manifest["task"]["labels"]
