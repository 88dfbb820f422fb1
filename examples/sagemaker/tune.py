"""Start a tuning job on SageMaker: training jobs with other rates, epochs and batches. Needs boto3 and FastBert."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import boto3

from fastbert.sagemaker.metrics import metric_definitions
from fastbert.tasks import TASKS

RANGES = {
    "ContinuousParameterRanges": [
        {"Name": "lr", "MinValue": "1e-5", "MaxValue": "3e-4", "ScalingType": "Logarithmic"},
        {"Name": "head_lr_factor", "MinValue": "1", "MaxValue": "20", "ScalingType": "Logarithmic"},
    ],
    "IntegerParameterRanges": [{"Name": "epochs", "MinValue": "2", "MaxValue": "8"}],
    "CategoricalParameterRanges": [{"Name": "batch_size", "Values": ["8", "16", "32"]}],
}


def training(given: argparse.Namespace) -> dict[str, object]:
    """Return what all training jobs have in common."""
    image = {"TrainingImage": given.image, "TrainingInputMode": "File"}
    folders = {"train": given.train, "validation": given.validation}
    sources = {name: {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}} for name, uri in folders.items()}
    return {
        "AlgorithmSpecification": {**image, "MetricDefinitions": metric_definitions(given.task)},
        "RoleArn": given.role,
        "StaticHyperParameters": {"task": given.task, "export": "none"},  # export the best one afterwards
        "InputDataConfig": [{"ChannelName": name, "DataSource": source} for name, source in sources.items()],
        "OutputDataConfig": {"S3OutputPath": given.output},
        "ResourceConfig": {"InstanceType": given.instance, "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 4 * 3600},
    }


def main(arguments: Sequence[str] | None = None) -> str:
    """Start the job; return its ARN."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("name", "image", "role", "train", "validation", "output"):
        parser.add_argument(f"--{name}", required=True, help="as of train.py")
    parser.add_argument("--instance", default="ml.m5.xlarge")
    parser.add_argument("--task", choices=TASKS, default="single_label")
    parser.add_argument("--jobs", type=int, default=20)
    given = parser.parse_args(arguments)
    aim = {"Type": "Maximize", "MetricName": f"valid_{TASKS[given.task].monitor}"}  # of the model that is saved
    limits = {"MaxNumberOfTrainingJobs": given.jobs, "MaxParallelTrainingJobs": 2}
    config = {"Strategy": "Bayesian", "HyperParameterTuningJobObjective": aim, "ResourceLimits": limits}
    job = boto3.client("sagemaker").create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=given.name,
        HyperParameterTuningJobConfig={**config, "ParameterRanges": RANGES},
        TrainingJobDefinition=training(given),
    )
    return str(job["HyperParameterTuningJobArn"])


if __name__ == "__main__":
    main()
