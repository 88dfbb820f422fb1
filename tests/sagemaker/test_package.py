"""A bundle as model.tar.gz: its files alone, the same bytes each time, and it answers when it is unpacked."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from fastbert.bundle import MANIFEST, read_bundle
from fastbert.errors import BundleError, ConfigError, FastBertError, TrainingError
from fastbert.export.exporting import export_bundle
from fastbert.inference.predictor import Predictor
from fastbert.placing import files_of
from fastbert.sagemaker.package import pack
from tests.bundles import tiny_bundle

TEXTS = ["the export button does nothing", "good app"]


def unpacked(package: Path, folder: Path) -> Path:
    with tarfile.open(package) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    folder = tiny_bundle(tmp_path / "model")
    export_bundle(folder, "onnx")
    return folder


def test_what_is_unpacked_answers_as_before(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")

    made = pack(folder, tmp_path / "model.tar.gz")

    again = Predictor.load(unpacked(made.path, tmp_path / "again"))
    assert again(TEXTS) == Predictor.load(folder)(TEXTS)


def test_the_archive_has_the_files_of_the_bundle_and_no_folder_around_them(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")
    made = pack(folder, tmp_path / "model.tar.gz")

    with tarfile.open(made.path) as archive:
        names = archive.getnames()

    assert names == list(made.files) == sorted(files_of(folder))
    assert made.size_bytes == made.path.stat().st_size


def test_files_that_are_no_part_of_the_bundle_stay_out(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")
    (folder / "notes.txt").write_text("mine", encoding="utf-8")

    assert "notes.txt" not in pack(folder, tmp_path / "model.tar.gz").files


def test_the_same_bundle_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")
    first = pack(folder, tmp_path / "a.tar.gz").path.read_bytes()
    for file in folder.iterdir():
        os.utime(file, (1, 1))
        file.chmod(0o600)

    assert pack(folder, tmp_path / "other.tgz").path.read_bytes() == first


def test_nothing_tells_when_or_by_whom_it_was_packed(tmp_path: Path) -> None:
    made = pack(tiny_bundle(tmp_path / "model"), tmp_path / "model.tar.gz")

    with tarfile.open(made.path) as archive:
        facts = {(one.mtime, one.uid, one.gid, one.uname, one.gname, one.mode, one.isreg()) for one in archive}

    assert facts == {(0, 0, 0, "", "", 0o644, True)}
    assert made.path.read_bytes()[3:8] == b"\0" * 5  # no name and no time in the header of gzip either
    assert gzip.decompress(made.path.read_bytes())


# --- for serving alone --------------------------------------------------------------------------------


def test_a_package_for_serving_leaves_out_what_exports_do_not_need(exported: Path, tmp_path: Path) -> None:
    made = pack(exported, tmp_path / "model.tar.gz", serving_only=True)

    folder = unpacked(made.path, tmp_path / "again")
    assert made.files == ("bundle.json", "onnx/model.onnx", "tokenizer.json")
    assert read_bundle(folder).exports.keys() == {"onnx"}  # and it verifies
    expected = [one.scores for one in Predictor.load(exported, "onnx")(TEXTS)]
    assert [one.scores for one in Predictor.load(folder)(TEXTS)] == expected


def test_a_package_for_serving_answers_without_torch(exported: Path, tmp_path: Path) -> None:
    folder = unpacked(pack(exported, tmp_path / "m.tar.gz", serving_only=True).path, tmp_path / "again")
    program = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        f"from fastbert import Predictor; print(Predictor.load({str(folder)!r})(['the app'])[0].answer)"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert ended.returncode == 0, ended.stderr


def test_torch_does_not_answer_for_a_package_without_its_checkpoint(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = unpacked(pack(exported, tmp_path / "m.tar.gz", serving_only=True).path, tmp_path / "again")
    monkeypatch.setattr("fastbert.inference.backends._gpu_likely", lambda: True)

    assert Predictor.load(folder).backend.name == "onnx"
    with pytest.raises(BundleError, match="has no checkpoint"):
        Predictor.load(folder, "torch")


def test_without_an_export_nothing_would_answer(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")

    with pytest.raises(BundleError, match="(?s)has no exports.*fastbert export"):
        pack(folder, tmp_path / "model.tar.gz", serving_only=True)

    assert not (tmp_path / "model.tar.gz").exists()


# --- refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("model.zip", "does not end in .tar.gz"),
        ("missing/model.tar.gz", "no file can be written there"),
        ("folder.tar.gz", "no file can be written there"),
        ("model/model.tar.gz", "lies in the bundle"),
        ("there.tar.gz", "exists already"),
    ],
)
def test_a_place_that_will_not_do_is_refused(out: str, message: str, tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")
    (tmp_path / "folder.tar.gz").mkdir()
    (tmp_path / "there.tar.gz").touch()

    with pytest.raises(ConfigError, match=message):
        pack(folder, tmp_path / out)


def test_a_package_can_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").touch()

    assert pack(tiny_bundle(tmp_path / "model"), tmp_path / "model.tar.gz", overwrite=True).size_bytes > 0


def test_a_damaged_bundle_is_not_packed(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")

    with pytest.raises(FastBertError, match="was changed after it was saved"):
        pack(folder, tmp_path / "model.tar.gz")


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_bundle(tmp_path / "model")
    before = sorted(path.name for path in tmp_path.iterdir())

    def fail(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", fail)

    with pytest.raises(TrainingError, match="No space left on device"):
        pack(folder, tmp_path / "model.tar.gz")

    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_the_manifest_is_packed_as_it_is(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")

    again = unpacked(pack(folder, tmp_path / "model.tar.gz").path, tmp_path / "again")

    assert json.loads((again / MANIFEST).read_bytes()) == json.loads((folder / MANIFEST).read_bytes())
