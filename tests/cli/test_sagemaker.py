"""`fastbert sagemaker`: jobs in a process of their own, metric definitions, and packages."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from fastbert.inference.predictor import Predictor
from fastbert.sagemaker.metrics import metric_definitions
from tests.cli.conftest import Run
from tests.sagemaker.made import Opt, opt_ml
from tests.sagemaker.test_entry import CANARY, write_canary


def start(made: Opt, *arguments: str) -> subprocess.Popen[str]:
    """Start a job as a container does."""
    command = [sys.executable, "-m", "fastbert", "sagemaker", "train", "--root", str(made.root), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_job_ends_with_0_and_tells_its_metrics_once_for_each_evaluation(encoder: str, tmp_path: Path) -> None:
    made = opt_ml(tmp_path, encoder, {"epochs": "3", "export": "onnx"})
    write_canary(made)

    with start(made) as job:
        out, err = job.communicate()

    assert job.returncode == 0, err
    for name, count in {"eval_accuracy": 3, "train_loss": 3, "valid_accuracy": 1, "test_accuracy": 0}.items():
        regex = next(one["Regex"] for one in metric_definitions() if one["Name"] == name)
        assert len(re.findall(regex, out + err)) == count, name
    assert f"model    {made.model}" in err
    assert CANARY not in out + err
    assert Predictor.load(made.model).labels == ("bug", "praise")


def test_a_wrong_job_ends_with_2(encoder: str, tmp_path: Path) -> None:
    made = opt_ml(tmp_path, encoder, {"epocs": "3"})

    with start(made) as job:
        out, err = job.communicate()

    assert (job.returncode, out) == (2, "")
    cause = "hyperparameters.json: 'epocs' is not an option of FastBert."
    assert err == f"error: {cause}\nhint: Did you mean 'epochs'?\n"
    assert made.failure().startswith(f"{cause}\nDid you mean 'epochs'?\n\n")


def test_a_stopped_job_ends_with_143_and_leaves_its_model(encoder: str, tmp_path: Path) -> None:
    made = opt_ml(tmp_path, encoder, {"epochs": "10000"})

    with start(made) as job:
        assert job.stdout is not None
        first = job.stdout.readline()  # of the first epoch
        job.send_signal(signal.SIGTERM)
        out, err = job.communicate()

    assert first.startswith("eval_accuracy=")
    assert job.returncode == 143, err
    assert "valid_accuracy=" in out
    assert Predictor.load(made.model)(["the app is good"])
    assert not (made.root / "output" / "failure").exists()


def test_json_is_one_object_and_metrics_go_to_standard_error(run: Run, encoder: str, tmp_path: Path) -> None:
    made = opt_ml(tmp_path, encoder)

    outcome = run("sagemaker", "train", "--root", tmp_path, "--json")

    assert outcome.json["scores"] == made.numbers()["scores"]
    assert "eval_accuracy=" in outcome.err and "valid_accuracy=" in outcome.err


def test_a_failure_is_no_traceback(run: Run, encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opt_ml(tmp_path, encoder)

    def fail(*arguments: object, **options: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr("fastbert.api.finish", fail)

    outcome = run("sagemaker", "train", "--root", tmp_path)

    assert outcome.code == 1
    assert outcome.err.startswith("error: FastBert failed with an unexpected ValueError")
    assert "Traceback" not in outcome.err and CANARY not in outcome.err


def test_metrics_are_listed(run: Run) -> None:
    outcome = run("sagemaker", "metrics", "--task", "multi_label")

    assert "valid_average_precision_macro   valid_average_precision_macro=([-+0-9.eE]+);\n" in outcome.out


def test_metrics_as_json_are_what_boto3_takes(run: Run) -> None:
    assert run("sagemaker", "metrics", "--json").json == {"metric_definitions": metric_definitions()}


def test_an_unknown_task_has_no_metrics(run: Run) -> None:
    outcome = run("sagemaker", "metrics", "--task", "labels")

    assert (outcome.code, outcome.out) == (2, "")


def test_a_bundle_is_packed(run: Run, bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.tar.gz"

    outcome = run("sagemaker", "package", bundle, "--out", out)

    assert (outcome.code, outcome.out) == (0, "")
    assert re.fullmatch(rf"packed   {out}: \d+ files, [\d,]+ bytes\n", outcome.err)
    with tarfile.open(out) as archive:
        assert "bundle.json" in archive.getnames()


def test_a_package_as_json(run: Run, bundle: Path, tmp_path: Path) -> None:
    values = run("sagemaker", "package", bundle, "--out", tmp_path / "m.tar.gz", "--json").json

    assert list(values) == ["package", "files", "size_bytes"]
    assert json.dumps(values)


def test_a_package_for_serving_needs_an_export(run: Run, bundle: Path, tmp_path: Path) -> None:
    outcome = run("sagemaker", "package", bundle, "--out", tmp_path / "m.tar.gz", "--serving-only")

    assert outcome.code == 2
    assert "hint: Make one with `fastbert export" in outcome.err


def test_a_package_is_replaced_only_if_allowed(run: Run, bundle: Path, tmp_path: Path) -> None:
    arguments = ["sagemaker", "package", bundle, "--out", tmp_path / "m.tar.gz"]

    codes = [run(*arguments).code, run(*arguments).code, run(*arguments, "--overwrite").code]

    assert codes == [0, 2, 0]


@pytest.mark.parametrize("command", ["train", "metrics", "package"])
def test_every_command_has_json_and_help(command: str, run: Run) -> None:
    assert "--json" in run("sagemaker", command, "--help").out
