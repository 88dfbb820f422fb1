"""An export of a bundle: kept only if it loses little enough, and whole or not at all."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from fastbert.bundle import check_target, read_bundle
from fastbert.errors import BundleError, ConfigError, DataError, ExportError, TrainingError
from fastbert.export import exporting
from fastbert.export.exporting import Attempt, export_bundle
from fastbert.export.parity import Comparison
from fastbert.exports import Check, Export
from fastbert.inference.backends import open_export
from fastbert.inference.pipeline import Backend
from fastbert.inference.predictor import Predictor
from tests.bundles import MULTI, tiny_bundle
from tests.exported import TEXTS, exported_bundle, rows, scores_of


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def judge(monkeypatch: pytest.MonkeyPatch, losses: list[float]) -> None:
    """Let the checks find these losses, one after the other."""
    remaining = iter(losses)

    def check(self: Comparison, backend: object) -> Check:
        return Check(10, "rows of a test", 0.0, 1e-6, 2.0, "f1_macro", 0.9, 0.9 - next(remaining))

    monkeypatch.setattr(Comparison, "check", check)


@pytest.mark.parametrize(
    ("backend", "made"), [("onnx", ["onnx/model.onnx"]), ("openvino", ["openvino/model.bin", "openvino/model.xml"])]
)
def test_an_export_is_added_and_verified(backend: str, made: list[str], tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")
    before = files(folder)

    found = export_bundle(folder, backend)  # type: ignore[arg-type]

    assert files(folder) == sorted([*before, *made])
    assert read_bundle(folder).exports == {backend: found}  # reading compares all checksums
    assert found.check.max_difference < 1e-5


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_an_int8_export_answers_almost_like_the_model(backend: str, tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model", task=MULTI)

    found = export_bundle(folder, f"{backend}-int8", data=rows(folder), max_loss=1.0)  # type: ignore[arg-type]

    exact, fast = (Predictor.load(folder, name)(TEXTS) for name in ("torch", f"{backend}-int8"))
    checked = rows(folder).checked
    before, after = (MULTI.score(Predictor.load(folder, name).predict_examples(checked), checked)
                     for name in ("torch", f"{backend}-int8"))  # fmt: skip
    lost = {name: before[name] - after[name] for name in ("average_precision_macro", "f1_micro")}
    assert found.precision == "int8"
    assert 0 < abs(scores_of(exact) - scores_of(fast)).max() < 0.2
    assert found.check.metric is not None  # which lost more depends on the processor's products of 8 bits
    assert lost[found.check.metric] == pytest.approx(max(lost.values())) == pytest.approx(found.check.loss)


def test_a_scheme_that_loses_too_much_gives_way_to_a_safer_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_bundle(tmp_path / "model")
    checked, seen = rows(folder), list[Attempt]()
    judge(monkeypatch, [0.02, 0.001])

    found = export_bundle(folder, "onnx-int8", data=checked, on_attempt=seen.append)

    assert [(attempt.scheme, attempt.accepted) for attempt in seen] == [
        ("dynamic, per row and channel", False),
        ("dynamic, per row and channel, embeddings in fp32", True),
    ]
    assert found.scheme == seen[1].scheme
    assert dict(found.attempts) == pytest.approx({"dynamic, per row and channel": 0.02})


def test_a_scheme_that_an_engine_cannot_run_gives_way_to_a_safer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_bundle(tmp_path / "model")
    checked, seen, real = rows(folder), list[Attempt](), open_export
    opened: list[str] = []

    def open_second(export: Export, place: Path) -> Backend:
        opened.append(export.scheme)
        if len(opened) == 1:
            raise RuntimeError("no kernel for MatMulInteger\nin node 7")
        return real(export, place)

    monkeypatch.setattr(exporting, "open_export", open_second)

    found = export_bundle(folder, "onnx-int8", data=checked, max_loss=1.0, on_attempt=seen.append)

    assert found.scheme == "dynamic, per row and channel, embeddings in fp32"
    assert seen[0].describe() == "failed (RuntimeError: no kernel for MatMulInteger)"
    assert not seen[0].accepted


def test_where_no_scheme_fits_the_figures_are_told_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_bundle(tmp_path / "model")
    checked, before = rows(folder), files(folder)
    manifest = (folder / "bundle.json").read_bytes()
    judge(monkeypatch, [0.03, 0.02, 0.01])

    with pytest.raises(ExportError) as caught:
        export_bundle(folder, "onnx-int8", data=checked)

    assert (
        "No int8 export for onnx was good enough: each lost more score than 0.005 on 20 rows of a test"
        in caught.value.message
    )
    assert (
        "dynamic, per row and channel: 0.0300; dynamic, per row and channel, embeddings in fp32: 0.0200"
        in caught.value.message
    )
    assert (caught.value.hint or "").startswith("Export without --int8")
    assert files(folder) == before
    assert (folder / "bundle.json").read_bytes() == manifest
    assert not [path for path in folder.iterdir() if path.is_dir()]


def test_a_wrong_graph_is_refused_even_in_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_bundle(tmp_path / "model")
    wrong = Check(10, "made-up texts", 0.0, 0.01, 2.0)
    monkeypatch.setattr(Comparison, "check", lambda self, backend: wrong)

    with pytest.raises(ExportError, match="differed by more than 0.001 in float32"):
        export_bundle(folder)


def test_answers_decide_where_there_are_no_labels(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")

    found = export_bundle(folder, "onnx-int8", data=rows(folder, labelled=False), max_loss=1.0)

    assert (found.check.metric, found.check.loss) == (None, found.check.changed)


def test_bf16_is_not_chosen_on_made_up_texts(tmp_path: Path) -> None:
    """Their answers say nothing of a loss of score."""
    found = export_bundle(tiny_bundle(tmp_path / "model"), "openvino")

    assert (found.precision, found.compute) == ("fp32", "fp32")


def test_a_second_export_asks_before_it_replaces_the_first(tmp_path: Path) -> None:
    folder = exported_bundle(tmp_path / "model")

    with pytest.raises(BundleError) as caught:
        export_bundle(folder)

    assert str(caught.value) == (f"{folder} has an export 'onnx' already.\n  Allow it to be replaced with --overwrite.")


def test_a_replaced_export_leaves_a_bundle_that_verifies(tmp_path: Path) -> None:
    folder = exported_bundle(tmp_path / "model")
    before = files(folder)

    export_bundle(folder, overwrite=True)

    assert files(folder) == before
    assert list(read_bundle(folder).exports) == ["onnx"]


def test_what_a_killed_export_leaves_does_not_keep_the_bundle_from_being_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_bundle(tmp_path / "model")
    monkeypatch.setattr("shutil.rmtree", lambda *arguments, **options: None)  # what a killed process does
    judge(monkeypatch, [0.9] * 3)
    with pytest.raises(ExportError):
        export_bundle(folder, "onnx-int8", data=rows(folder))
    assert [path for path in folder.iterdir() if path.is_dir()]

    check_target(folder, overwrite=True)

    assert read_bundle(folder).exports == {}


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_disk_that_fails_while_an_export_is_replaced_leaves_a_bundle_that_opens(
    failing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the first write of the manifest, at the file of the export, at the last write; the fourth never comes."""
    folder = tiny_bundle(tmp_path / "model")
    export_bundle(folder)
    count, real = itertools.count(1), os.replace

    def fail(source: Path, target: Path) -> None:
        if next(count) == failing:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", fail)
    if failing < 4:
        with pytest.raises(TrainingError, match="The model itself is unharmed"):
            export_bundle(folder, overwrite=True)
    else:
        export_bundle(folder, overwrite=True)
    monkeypatch.undo()

    assert list(read_bundle(folder).exports) == (["onnx"] if failing in (1, 4) else [])
    assert not [name for name in files(folder) if ".part-" in name]
    assert Predictor.load(folder)(TEXTS)


def test_an_export_that_another_process_adds_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_bundle(tmp_path / "model")
    real = os.replace

    def meanwhile(source: Path, target: Path) -> None:
        real(source, target)
        if Path(target).suffix == ".onnx":
            monkeypatch.undo()
            export_bundle(folder, "openvino")

    monkeypatch.setattr(os, "replace", meanwhile)
    export_bundle(folder, "onnx")

    assert sorted(read_bundle(folder).exports) == ["onnx", "openvino"]


def test_a_damaged_export_is_named_with_its_command_and_can_be_replaced(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")
    export_bundle(folder)
    (folder / "onnx/model.onnx").unlink()
    with pytest.raises(BundleError, match=r"fastbert export .*model --backend onnx --data TABLE --overwrite"):
        Predictor.load(folder)

    export_bundle(folder, overwrite=True)

    assert Predictor.load(folder).backend.name == "onnx"


def test_rows_in_memory_are_not_quoted_in_the_record(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")

    found = export_bundle(folder, data=[{"text": text, "label": "bug"} for text in TEXTS if text])

    assert found.check.data.endswith("of a table in memory")
    assert TEXTS[0] not in (folder / "bundle.json").read_text(encoding="utf-8")


def test_a_disk_that_fails_leaves_the_bundle_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_bundle(tmp_path / "model")
    before, real = files(folder), os.replace

    def fail(source: Path, target: Path) -> None:
        if Path(target).suffix == ".onnx":
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(Exception, match=r"the export could not be added \(No space left on device\)"):
        export_bundle(folder)

    assert files(folder) == before
    assert read_bundle(folder).exports == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "onxx"}, "Did you mean 'onnx'?"),
        ({"kind": "zebra"}, "Known: onnx, onnx-int8, openvino, openvino-int8."),
        ({"max_loss": 2.0}, "max_loss is 2.0; expected a number from 0 to 1"),
        ({"kind": "onnx-int8"}, "int8 is calibrated and checked on your own rows; none were given"),
    ],
)
def test_a_wrong_request_is_refused_before_any_work(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        export_bundle(tmp_path / "is not even looked for", **options)  # type: ignore[arg-type]


def test_a_table_of_another_shape_is_refused(bundle: Path, tmp_path: Path) -> None:
    table = tmp_path / "other.csv"
    table.write_text("a,b\n1,2\n")

    with pytest.raises(DataError, match="column"):
        export_bundle(bundle, data=table)
    assert not (bundle / "onnx").exists()


def test_the_record_tells_how_to_open_the_files(tmp_path: Path) -> None:
    folder = exported_bundle(tmp_path / "model", "openvino")
    export = read_bundle(folder).exports["openvino"]

    assert open_export(export, folder).name == "openvino"
    assert export.versions.keys() == {"fastbert", "torch", "openvino"}
    assert export.attempts == {}
    assert exporting.MAX_LOSS == 0.005
