"""`fastbert export`: what is said while schemes are tried, and what the other commands make of the result."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.feedback import write_feedback


@pytest.fixture
def model(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "model"))


def test_without_rows_only_differences_are_checked_and_that_is_said(run: Run, model: Path) -> None:
    outcome = run("export", model)

    first, second, *rest = outcome.err.splitlines()
    assert (outcome.code, outcome.out) == (0, "")
    assert first == "note: without --data made-up texts are compared: differences show, a loss of score does not"
    assert second.startswith(
        "kept  float32: 0.00% of answers changed (no score here: only differences could be checked)"
    )
    assert rest == [f"added    {model / 'onnx/model.onnx'}", f"try it   fastbert predict {model} TABLE --backend onnx"]


def test_labelled_rows_give_the_loss_of_the_score(run: Run, model: Path, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "valid.csv")

    outcome = run("export", model, "--int8", "--data", table, "--max-loss", 1)

    assert outcome.err.startswith("kept  dynamic, per row and channel: f1_macro ")
    assert " rows of valid.csv\n" in outcome.err


def test_one_json_object_on_standard_output(run: Run, model: Path) -> None:
    values = run("export", model, "--json").json

    assert (values["name"], values["precision"], values["file"]) == ("onnx", "fp32", "onnx/model.onnx")


def test_the_other_commands_use_and_show_it(run: Run, model: Path, tmp_path: Path) -> None:
    table = write_feedback(tmp_path / "valid.csv")
    torch = run("evaluate", model, table, "--json").json["scores"]
    run("export", model)

    shown, predicted, scored = run("inspect", model), run("predict", model, table), run("evaluate", model, table)

    assert "Exports\n  onnx  fp32  float32" in shown.out
    assert predicted.err.splitlines()[0] == scored.err.splitlines()[0] == "backend  onnx (the only one)"
    assert run("evaluate", model, table, "--json").json["scores"] == pytest.approx(torch, abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--int8"], 2, "hint: Name a labelled table that the model was not trained on with --data.\n"),
        (["--backend", "tensorrt"], 2, "hint: Known: onnx, onnx-int8, openvino, openvino-int8.\n"),
        (["--data", "missing.csv"], 2, "missing.csv"),
    ],
)
def test_wrong_use_ends_with_a_hint(arguments: list[str], code: int, said: str, run: Run, model: Path) -> None:
    outcome = run("export", model, *arguments)

    assert outcome.code == code
    assert said in outcome.err
    assert not (model / "onnx").exists()
