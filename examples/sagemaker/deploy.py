"""Deploy a package on SageMaker and ask it. Needs boto3, a role, the serving image, and model.tar.gz in S3."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

import boto3


def deploy(given: argparse.Namespace) -> None:
    """Make model, endpoint configuration and endpoint, all of one name, and wait until it answers."""
    client = boto3.client("sagemaker")
    client.create_model(
        ModelName=given.name,
        ExecutionRoleArn=given.role,
        PrimaryContainer={"Image": given.image, "ModelDataUrl": given.model},
    )
    variant = {
        "VariantName": "all",
        "ModelName": given.name,
        "InstanceType": given.instance,
        "InitialInstanceCount": given.count,
        "InitialVariantWeight": 1.0,
    }
    client.create_endpoint_config(EndpointConfigName=given.name, ProductionVariants=[variant])
    client.create_endpoint(EndpointName=given.name, EndpointConfigName=given.name)
    client.get_waiter("endpoint_in_service").wait(EndpointName=given.name)


def ask(endpoint: str, text: str) -> object:
    """Return the answer of an endpoint, to a body as the Hugging Face images of SageMaker take it."""
    response = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="application/json", Body=json.dumps({"inputs": text})
    )
    return json.loads(response["Body"].read())


def main(arguments: Sequence[str] | None = None) -> object:
    """Deploy, ask, print the answer and return it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of model, configuration and endpoint")
    parser.add_argument("--image", required=True, help="address of the serving image in ECR")
    parser.add_argument("--role", required=True, help="ARN of the role of the endpoint")
    parser.add_argument("--model", required=True, help="s3://... of model.tar.gz")
    parser.add_argument("--instance", default="ml.c5.large")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--text", default="The export button does nothing.")
    given = parser.parse_args(arguments)
    deploy(given)
    answer = ask(given.name, given.text)
    print(json.dumps(answer, ensure_ascii=False))
    return answer


if __name__ == "__main__":
    main()
