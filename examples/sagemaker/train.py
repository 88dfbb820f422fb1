"""Start a training job on SageMaker, and print where its model will lie. Needs boto3 and FastBert."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import boto3

from fastbert.sagemaker.metrics import metric_definitions


def channel(name: str, uri: str) -> dict[str, object]:
    """Return a channel: a folder of S3, copied to the container before the training."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "InputMode": "File"}


def main(arguments: Sequence[str] | None = None) -> str:
    """Start the job; return its ARN."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the job, new in the account")
    parser.add_argument("--image", required=True, help="address of the training image in ECR")
    parser.add_argument("--role", required=True, help="ARN of the role of the job")
    parser.add_argument("--train", required=True, help="s3://... folder with the training table")
    parser.add_argument("--validation", help="s3://... folder with the validation table")
    parser.add_argument("--test", help="s3://... folder with the test table")
    parser.add_argument("--output", required=True, help="s3://... where model.tar.gz goes")
    parser.add_argument("--instance", default="ml.m5.xlarge")
    parser.add_argument("--task", default="single_label", help="decides which metrics are read from the log")
    parser.add_argument("--spot", action="store_true", help="cheaper; an interrupted job starts anew")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a hyperparameter; repeatable")
    given = parser.parse_args(arguments)
    channels = {"train": given.train, "validation": given.validation, "test": given.test}
    limits = {"MaxRuntimeInSeconds": 4 * 3600} | ({"MaxWaitTimeInSeconds": 8 * 3600} if given.spot else {})
    # FastBert does not use the checkpoints yet; a spot job may have the place all the same.
    checkpoints = {"CheckpointConfig": {"S3Uri": f"{given.output}/{given.name}/checkpoints"}} if given.spot else {}
    job = boto3.client("sagemaker").create_training_job(
        TrainingJobName=given.name,
        RoleArn=given.role,
        AlgorithmSpecification={
            "TrainingImage": given.image,
            "TrainingInputMode": "File",
            "MetricDefinitions": metric_definitions(given.task),
        },
        HyperParameters=dict(pair.split("=", 1) for pair in given.set),
        InputDataConfig=[channel(name, uri) for name, uri in channels.items() if uri],
        OutputDataConfig={"S3OutputPath": given.output},
        ResourceConfig={"InstanceType": given.instance, "InstanceCount": 1, "VolumeSizeInGB": 30},
        StoppingCondition=limits,
        EnableManagedSpotTraining=given.spot,
        **checkpoints,
    )
    print(f"{given.output}/{given.name}/output/model.tar.gz")
    return str(job["TrainingJobArn"])


if __name__ == "__main__":
    main()
