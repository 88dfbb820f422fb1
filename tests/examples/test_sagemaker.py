"""The examples of SageMaker against moto: boto3 checks every parameter by the service's own model. No network."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sagemakerruntime.models import sagemakerruntime_backends

from fastbert.sagemaker.hyperparameters import known_names
from fastbert.sagemaker.metrics import metric_definitions

REGION = "us-east-1"
PLACES = {
    "--image": f"{DEFAULT_ACCOUNT_ID}.dkr.ecr.{REGION}.amazonaws.com/fastbert:latest",
    "--role": f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/fastbert",
}
TRAINING = {**PLACES, "--name": "feedback", "--train": "s3://b/train", "--output": "s3://b/out"}


def arguments(**options: str) -> list[str]:
    return [part for pair in options.items() for part in pair]


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand in for AWS, with credentials that are worth nothing."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield


def client() -> Any:  # noqa: ANN401  # boto3 makes its clients as it runs
    return boto3.client("sagemaker")


def example(name: str) -> Any:  # noqa: ANN401
    return importlib.import_module(f"examples.sagemaker.{name}")


def sent(monkeypatch: pytest.MonkeyPatch, call: str) -> list[dict[str, Any]]:
    """Return what a call was given, once it is made; moto does not give all of it back."""
    session, seen = boto3.Session(), list[dict[str, Any]]()
    session.events.register(f"provide-client-params.sagemaker.{call}", lambda params, **_: seen.append(params))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    return seen


def test_a_training_job_has_channels_hyperparameters_and_metrics(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = sent(monkeypatch, "CreateTrainingJob")
    options = [*arguments(**TRAINING), "--validation", "s3://b/val", "--set", "epochs=4", "--set", "lr=1e-4"]

    arn = example("train").main(options)

    job = client().describe_training_job(TrainingJobName="feedback")
    assert job["TrainingJobArn"] == arn
    assert [one["ChannelName"] for one in job["InputDataConfig"]] == ["train", "validation"]
    assert {"epochs": "4", "lr": "1e-4"}.items() <= job["HyperParameters"].items()
    assert seen[0]["AlgorithmSpecification"]["MetricDefinitions"] == metric_definitions()
    assert job["ResourceConfig"]["InstanceCount"] == 1
    assert not job.get("EnableManagedSpotTraining")
    assert capsys.readouterr().out == "s3://b/out/feedback/output/model.tar.gz\n"


def test_a_spot_job_may_wait_longer_than_it_may_run() -> None:
    example("train").main([*arguments(**TRAINING), "--spot", "--task", "regression"])

    job = client().describe_training_job(TrainingJobName="feedback")
    limits = job["StoppingCondition"]
    assert job["EnableManagedSpotTraining"] is True
    assert limits["MaxWaitTimeInSeconds"] >= limits["MaxRuntimeInSeconds"]
    assert job["CheckpointConfig"]["S3Uri"].startswith("s3://b/out/feedback/")


def test_a_tuning_job_aims_at_a_metric_that_jobs_write() -> None:
    arn = example("tune").main(arguments(**TRAINING, **{"--validation": "s3://b/val", "--task": "multi_label"}))

    job = client().describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="feedback")
    config, definition = job["HyperParameterTuningJobConfig"], job["TrainingJobDefinition"]
    aim = config["HyperParameterTuningJobObjective"]
    written = [one["Name"] for one in definition["AlgorithmSpecification"]["MetricDefinitions"]]
    ranged = [one["Name"] for kind in config["ParameterRanges"].values() for one in kind]
    assert job["HyperParameterTuningJobArn"] == arn
    assert aim == {"Type": "Maximize", "MetricName": "valid_average_precision_macro"}
    assert aim["MetricName"] in written
    assert set(known_names()) >= {*ranged, *definition["StaticHyperParameters"]}


def test_a_package_is_deployed_and_asked(capsys: pytest.CaptureFixture[str]) -> None:
    answer = [{"label": "Bugs", "score": 0.97}]
    runtime = sagemakerruntime_backends[DEFAULT_ACCOUNT_ID][REGION]
    runtime.results_queue.append((json.dumps(answer), "application/json", "all", ""))

    said = example("deploy").main(arguments(**PLACES, **{"--name": "feedback", "--model": "s3://b/model.tar.gz"}))

    endpoint = client().describe_endpoint(EndpointName="feedback")
    config = client().describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = client().describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    assert said == answer == json.loads(capsys.readouterr().out)
    assert endpoint["EndpointStatus"] == "InService"
    assert model["PrimaryContainer"]["ModelDataUrl"] == "s3://b/model.tar.gz"


@pytest.mark.parametrize("name", ["train", "tune", "deploy"])
def test_an_example_explains_its_arguments(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        example(name).main(["--help"])

    assert ended.value.code == 0
    assert "--role" in capsys.readouterr().out


def test_the_sdk_of_sagemaker_is_not_needed() -> None:
    folder = Path(__file__).resolve().parents[2] / "examples" / "sagemaker"

    texts = [file.read_text(encoding="utf-8") for file in folder.glob("*.py")]

    assert len(texts) == 3
    assert not [text for text in texts if "import sagemaker" in text]
