"""The files that SageMaker writes, and the variables that stand in for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from fastbert.errors import ConfigError
from fastbert.sagemaker.container import ROOT, Container
from tests.sagemaker.made import Opt


def test_the_usual_root_is_opt_ml() -> None:
    container = Container(environment={})

    assert container.root == ROOT == Path("/opt/ml")
    assert container.model == Path("/opt/ml/model")
    assert container.output_data == Path("/opt/ml/output/data")
    assert (container.failure, container.success) == (Path("/opt/ml/output/failure"), Path("/opt/ml/output/success"))


def test_declared_channels_are_found(tmp_path: Path) -> None:
    made = Opt(tmp_path)
    folder = made.channel("train")
    made.channel("stray")
    made.config("inputdataconfig.json", {"train": {"TrainingInputMode": "FastFile", "ContentType": "text/csv"}})

    assert made.container.channels() == {"train": folder}


def test_without_a_declaration_folders_are_channels(tmp_path: Path) -> None:
    made = Opt(tmp_path)

    assert made.container.channels() == {}
    assert made.channel("training") == made.container.channels()["training"]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("inputdataconfig.json", {"train": {"TrainingInputMode": "Pipe"}}, "Pipe mode.*File or FastFile"),
        ("inputdataconfig.json", {"train": {}}, "'train' is declared, but its folder .* does not exist"),
        ("inputdataconfig.json", "{", "inputdataconfig.json is not JSON"),
        ("inputdataconfig.json", [1], "inputdataconfig.json holds no JSON object"),
    ],
)
def test_channels_that_cannot_be_read_are_refused(file: str, content: object, message: str, tmp_path: Path) -> None:
    made = Opt(tmp_path)
    made.config(file, content)

    with pytest.raises(ConfigError, match=f"(?s){message}"):
        made.container.channels()


@pytest.mark.parametrize(
    "resources",
    [
        None,
        {"current_host": "algo-1", "hosts": ["algo-1"]},
        {"hosts": ["algo-1"], "current_instance_type": "ml.m5.xlarge", "instance_groups": [{"hosts": ["algo-1"]}]},
    ],
)
def test_one_host_is_fine_whatever_else_is_said(resources: object, tmp_path: Path) -> None:
    made = Opt(tmp_path)
    if resources is not None:
        made.config("resourceconfig.json", resources)

    made.container.check_hosts()


def test_several_hosts_are_refused(tmp_path: Path) -> None:
    made = Opt(tmp_path)
    made.config("resourceconfig.json", {"current_host": "algo-2", "hosts": ["algo-1", "algo-2"]})

    with pytest.raises(ConfigError, match="(?s)2 hosts; FastBert trains on one.*InstanceCount to 1"):
        made.container.check_hosts()


def test_hosts_that_are_no_list_are_refused(tmp_path: Path) -> None:
    made = Opt(tmp_path)
    made.config("resourceconfig.json", {"hosts": "algo-1"})

    with pytest.raises(ConfigError, match="hosts is no list"):
        made.container.check_hosts()


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    made = Opt(tmp_path)
    made.config("hyperparameters.json", {})
    (tmp_path / "input" / "config" / "hyperparameters.json").write_bytes(b"\xff\xfe{")

    with pytest.raises(ConfigError, match="cannot be read .it is not UTF-8"):
        made.container.hyperparameters()


def test_no_hyperparameters_are_none(tmp_path: Path) -> None:
    assert Opt(tmp_path).container.hyperparameters() == {}


# --- variables ----------------------------------------------------------------------------------------


def container_with(root: Path, **environment: str) -> Container:
    variables: Mapping[str, str] = environment
    return Container(root, variables)


def test_variables_stand_in_for_files_that_are_missing(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    container = container_with(
        tmp_path,
        SM_HPS='{"lr": "1e-4"}',
        SM_INPUT_DATA_CONFIG='{"train": {}}',
        SM_CHANNEL_TRAIN=str(tmp_path / "elsewhere"),
        SM_RESOURCE_CONFIG='{"hosts": ["a", "b"]}',
        SM_MODEL_DIR=str(tmp_path / "m"),
        SM_OUTPUT_DATA_DIR=str(tmp_path / "o"),
        TRAINING_JOB_NAME="job-1",
    )

    assert container.hyperparameters() == {"lr": "1e-4"}
    assert container.channels() == {"train": tmp_path / "elsewhere"}
    assert (container.model, container.output_data) == (tmp_path / "m", tmp_path / "o")
    assert container.job_name == "job-1"
    with pytest.raises(ConfigError, match="2 hosts"):
        container.check_hosts()


def test_files_win_over_variables(tmp_path: Path) -> None:
    Opt(tmp_path).config("hyperparameters.json", {"lr": "2e-5"})

    assert container_with(tmp_path, SM_HPS='{"lr": "1e-4"}').hyperparameters() == {"lr": "2e-5"}


def test_a_variable_that_is_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="The variable SM_HPS is not JSON"):
        container_with(tmp_path, SM_HPS="lr=1").hyperparameters()
