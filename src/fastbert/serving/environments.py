"""What a platform tells a container by its environment, as options of a server. Pure functions of a mapping.

The only module that reads these names: SAGEMAKER_... of Amazon SageMaker, AIP_... of Google Vertex AI.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from fastbert.errors import ConfigError
from fastbert.option_values import chosen_of
from fastbert.serving.settings import TRANSFORMS, Settings

Platform = Literal["sagemaker", "vertex"]
Environment = Mapping[str, str]
EVERYWHERE = "0.0.0.0"  # platforms ask from outside the container
PORT = 8080
MEBIBYTE = 2**20
SAGEMAKER_MODEL, SAGEMAKER_MODELS = "/opt/ml/model", "/opt/ml/models"
SAGEMAKER_PAYLOAD_MB = 6  # of a request in real time
ANY_PAYLOAD_MB = 100  # for 0, which stands for any size
BATCH_TIMEOUT_S = 3600.0  # the longest that batch transform waits for an answer
_TRUE = ("1", "true", "yes", "on")


@dataclass(frozen=True)
class Told:
    """What a platform has told.

    host, port: to listen on.    bundles: to serve where the command names none.    limits: by their names.
    models_root, batch_strategy, max_transforms, health_route, predict_route: as in `Settings`.
    """

    host: str = EVERYWHERE
    port: int = PORT
    bundles: tuple[str, ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)
    models_root: Path | None = None
    batch_strategy: str = "MULTI_RECORD"
    max_transforms: int = TRANSFORMS
    health_route: str = ""
    predict_route: str = ""

    def applied(self, settings: Settings) -> Settings:
        """Return settings with what was told. Raises ConfigError for a value that is none."""
        return replace(
            settings,
            limits=replace(settings.limits, **self.limits),
            models_root=self.models_root,
            batch_strategy=self.batch_strategy,
            max_transforms=self.max_transforms,
            health_route=self.health_route,
            predict_route=self.predict_route,
        )


def of_platform(platform: str, environ: Environment) -> Told:
    """Return what a platform has told by an environment. Raises ConfigError for an unknown platform, or value."""
    chosen_of("platform", platform, get_args(Platform))
    return sagemaker(environ) if platform == "sagemaker" else vertex(environ)


def sagemaker(environ: Environment) -> Told:
    """Return what SageMaker has told: its port, what batch transform asks, whether it loads the models.

    Raises ConfigError for a value that is none.

    >>> sagemaker({"SAGEMAKER_BIND_TO_PORT": "8090"}).port
    8090
    """
    port = _number(environ, "SAGEMAKER_BIND_TO_PORT", PORT, 65535)
    _check_range(environ.get("SAGEMAKER_SAFE_PORT_RANGE", ""))
    body_bytes = MEBIBYTE * _number(environ, "SAGEMAKER_MAX_PAYLOAD_IN_MB", SAGEMAKER_PAYLOAD_MB, 1024, ANY_PAYLOAD_MB)
    transforms = _number(environ, "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS", TRANSFORMS, 10_000, TRANSFORMS)
    several, batch = _flag(environ, "SAGEMAKER_MULTI_MODEL"), _flag(environ, "SAGEMAKER_BATCH")
    return Told(
        port=port,
        bundles=() if several else (SAGEMAKER_MODEL,),
        limits=_batch_limits(body_bytes, transforms) if batch else {"body_bytes": body_bytes},
        models_root=Path(SAGEMAKER_MODELS) if several else None,
        batch_strategy=_strategy(environ),
        max_transforms=transforms,
    )


def vertex(environ: Environment) -> Told:
    """Return what Vertex AI has told: its port, its routes, and the folder of the model if it is on this machine.

    Raises ConfigError for a value that is none, also for a model in a bucket: nothing is fetched.

    >>> vertex({"AIP_HTTP_PORT": "8081", "AIP_HEALTH_ROUTE": "/health"}).health_route
    '/health'
    """
    storage = environ.get("AIP_STORAGE_URI", "").strip()
    if "://" in storage and not storage.startswith("file://"):
        raise ConfigError(
            f"AIP_STORAGE_URI is '{storage}'; expected a folder of this machine, or nothing: models are not fetched.",
            "Copy the bundle into the image, and name its folder: fastbert serve BUNDLE --platform vertex.",
        )
    return Told(
        port=_number(environ, "AIP_HTTP_PORT", PORT, 65535),
        bundles=(storage.removeprefix("file://"),) if storage else (),
        health_route=environ.get("AIP_HEALTH_ROUTE", "").strip(),
        predict_route=environ.get("AIP_PREDICT_ROUTE", "").strip(),
    )


def _batch_limits(body_bytes: int, transforms: int) -> Mapping[str, Any]:
    """Return limits for batch transform, which fills requests with as many records as the payload has room for.

    Only the payload limits them; nobody else waits, and the platform has a time limit of its own.
    """
    return {
        "body_bytes": body_bytes,
        "texts": body_bytes,
        "characters": body_bytes,
        "waiting_texts": body_bytes * transforms,
        "wait_s": BATCH_TIMEOUT_S,
        "timeout_s": BATCH_TIMEOUT_S,
    }


def _number(environ: Environment, name: str, usual: int, most: int, zero: int | None = None) -> int:
    """Return a whole number from 1 to most. zero: what 0 stands for, None where it stands for nothing."""
    text = environ.get(name, "").strip()
    if not text:
        return usual
    if text == "0" and zero is not None:
        return zero
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= most):
        raise ConfigError(f"{name} is '{text}'; expected a number from 1 to {most}.")
    return int(text)


def _flag(environ: Environment, name: str) -> bool:
    return environ.get(name, "").strip().lower() in _TRUE


def _strategy(environ: Environment) -> str:
    text = environ.get("SAGEMAKER_BATCH_STRATEGY", "").strip() or "MULTI_RECORD"
    if text not in ("SINGLE_RECORD", "MULTI_RECORD"):
        raise ConfigError(f"SAGEMAKER_BATCH_STRATEGY is '{text}'; expected SINGLE_RECORD or MULTI_RECORD.")
    return text


def _check_range(text: str) -> None:
    """Raise ConfigError for what is no range. No port of it is taken: the server listens on one port only."""
    if not text.strip():
        return
    first, _, last = text.strip().partition("-")
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= 65535):
        raise ConfigError(f"SAGEMAKER_SAFE_PORT_RANGE is '{text}'; expected two ports, such as 8081-9000.")
