"""What platforms tell by the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.errors import ConfigError
from fastbert.serving.environments import of_platform, sagemaker, vertex
from fastbert.serving.settings import Limits, Settings


def test_sagemaker_serves_the_model_on_8080() -> None:
    told = sagemaker({})

    assert (told.host, told.port, told.bundles) == ("0.0.0.0", 8080, ("/opt/ml/model",))
    assert told.applied(Settings()).limits == Limits(body_bytes=6 * 2**20)


def test_sagemaker_tells_port_and_batches() -> None:
    told = sagemaker(
        {
            "SAGEMAKER_BIND_TO_PORT": "8085",
            "SAGEMAKER_SAFE_PORT_RANGE": "8081-9000",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": "20",
            "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "4",
        }
    )

    settings = told.applied(Settings(linger_s=1.0))
    assert (told.port, settings.limits.body_bytes, settings.linger_s) == (8085, 20 * 2**20, 1.0)
    assert (settings.batch_strategy, settings.max_transforms) == ("SINGLE_RECORD", 4)


def test_batch_transform_is_limited_by_its_payload_only() -> None:
    limits = sagemaker({"SAGEMAKER_BATCH": "true"}).applied(Settings()).limits

    assert limits.texts == limits.characters == limits.body_bytes == 6 * 2**20
    assert limits.waiting_texts == 2 * limits.texts
    assert limits.timeout_s == limits.wait_s == 3600


def test_a_zero_of_batch_transform_leaves_it_to_the_container() -> None:
    zeros = {"SAGEMAKER_MAX_PAYLOAD_IN_MB": "0", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "0"}

    settings = sagemaker(zeros).applied(Settings())

    assert (settings.limits.body_bytes, settings.max_transforms) == (100 * 2**20, 2)


@pytest.mark.parametrize(
    ("value", "several"), [("true", True), ("TRUE", True), ("1", True), ("false", False), ("", False)]
)
def test_sagemaker_may_load_models_itself(value: str, several: bool) -> None:
    told = sagemaker({"SAGEMAKER_MULTI_MODEL": value})

    assert told.models_root == (Path("/opt/ml/models") if several else None)
    assert told.bundles == (() if several else ("/opt/ml/model",))


def test_vertex_tells_port_and_routes() -> None:
    told = vertex({"AIP_HTTP_PORT": "7080", "AIP_HEALTH_ROUTE": "/up", "AIP_PREDICT_ROUTE": "/ask"})

    settings = told.applied(Settings())
    assert (told.host, told.port, told.bundles) == ("0.0.0.0", 7080, ())
    assert (settings.health_route, settings.predict_route, settings.limits) == ("/up", "/ask", Limits())


@pytest.mark.parametrize(
    ("uri", "bundles"), [("", ()), ("/models/a", ("/models/a",)), ("file:///models/a", ("/models/a",))]
)
def test_vertex_may_name_a_folder_of_this_machine(uri: str, bundles: tuple[str, ...]) -> None:
    assert vertex({"AIP_STORAGE_URI": uri}).bundles == bundles


BAD = [
    ("sagemaker", "SAGEMAKER_BIND_TO_PORT", "0"),
    ("sagemaker", "SAGEMAKER_BIND_TO_PORT", "65536"),
    ("sagemaker", "SAGEMAKER_BIND_TO_PORT", "http"),
    ("sagemaker", "SAGEMAKER_SAFE_PORT_RANGE", "9000"),
    ("sagemaker", "SAGEMAKER_SAFE_PORT_RANGE", "9000-8081"),
    ("sagemaker", "SAGEMAKER_MAX_PAYLOAD_IN_MB", "-1"),
    ("sagemaker", "SAGEMAKER_BATCH_STRATEGY", "multi"),
    ("sagemaker", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS", "²"),
    ("vertex", "AIP_HTTP_PORT", "80.5"),
    ("vertex", "AIP_STORAGE_URI", "gs://bucket/model"),
]


@pytest.mark.parametrize(("platform", "name", "value"), BAD)
def test_a_value_that_is_none_is_named(platform: str, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is '") as caught:
        of_platform(platform, {name: value})

    assert value in caught.value.message


def test_a_route_that_is_no_path_is_refused() -> None:
    with pytest.raises(ConfigError, match="health_route is 'health'"):
        vertex({"AIP_HEALTH_ROUTE": "health"}).applied(Settings())


def test_an_unknown_platform_is_named() -> None:
    with pytest.raises(ConfigError, match="platform"):
        of_platform("azure", {})
