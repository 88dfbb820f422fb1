"""What a server may be told: its limits, its keys, how long it waits. Values only, checked when they are made."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, get_args

from fastbert.errors import ConfigError
from fastbert.option_values import chosen_of

TRANSFORMS = 2  # of batch transform: one request is answered, on all cores, while the next one comes in
_ROUTE = re.compile(r"/[A-Za-z0-9._~/:@-]*")

# Whose meaning the paths have that several contracts share: /, /predict, /invocations, /ping, /health.
Contract = Literal["sagemaker", "huggingface", "tei", "mlflow"]


@dataclass(frozen=True)
class Limits:
    """What is refused, so that one caller cannot take the server from the others.

    body_bytes: of a request; SageMaker passes at most 6 MB.    texts: of a request.
    characters: of all texts of a request.    depth: of nested JSON.
    waiting_texts: of all requests in the queue of a model.    wait_s: of work in it; more is refused at once.
    timeout_s: until an answer must be there.    explained: texts of a request that asks for explanations.
    header_bytes: of the request line and all headers.
    """

    body_bytes: int = 6_000_000
    texts: int = 1024
    characters: int = 1_000_000
    depth: int = 32
    waiting_texts: int = 4096
    wait_s: float = 2.0
    timeout_s: float = 30.0
    explained: int = 8
    header_bytes: int = 32_768

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise ConfigError(f"The limit {one.name} is {value!r}; expected a number above 0.")


@dataclass(frozen=True)
class Settings:
    """How a server runs.

    api_keys: who may ask; none: everybody who reaches it.    cors_origins: pages of other sites that may ask.
    contract: whose meaning the paths have that several contracts share.
    linger_s: after a request to stop, how long it says that it is not ready and still answers new requests.
    drain_s: how long it then waits for requests that it has accepted.
    max_delay_s: how long a request may wait for others to share a pass of the model with.
    access_log: a line of JSON for each request.    page: whether the page to try a model is there.
    models_root: folder of which callers may load models, as SageMaker's multi-model endpoints do; None: they may not.
    batch_strategy, max_transforms: what SageMaker's batch transform is told.
    health_route, predict_route: paths that Vertex AI has chosen; they come before all others.
    """

    limits: Limits = Limits()
    api_keys: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    contract: str = "sagemaker"
    linger_s: float = 3.0
    drain_s: float = 20.0
    max_delay_s: float = 0.002
    access_log: bool = True
    page: bool = True
    models_root: Path | None = None
    batch_strategy: str = "MULTI_RECORD"
    max_transforms: int = TRANSFORMS
    health_route: str = ""
    predict_route: str = ""

    def __post_init__(self) -> None:
        chosen_of("contract", self.contract, get_args(Contract))
        if any(len(key) < 16 for key in self.api_keys):
            raise ConfigError(
                "An API key has fewer than 16 characters.",
                "Make one with `python -c 'import secrets; print(secrets.token_urlsafe(32))'`.",
            )
        for name in ("linger_s", "drain_s", "max_delay_s"):
            if not 0 <= getattr(self, name) <= 3600:
                raise ConfigError(f"{name} is {getattr(self, name)}; expected seconds, from 0 to 3600.")
        chosen_of("batch_strategy", self.batch_strategy, ("SINGLE_RECORD", "MULTI_RECORD"))
        if self.max_transforms < 1:
            raise ConfigError(f"max_transforms is {self.max_transforms}; expected at least 1.")
        for name in ("health_route", "predict_route"):
            route = getattr(self, name)
            if route and not _ROUTE.fullmatch(route):
                raise ConfigError(f"{name} is '{route}'; expected a path such as /health.")
        if "*" in self.cors_origins and self.api_keys:
            raise ConfigError(
                "Pages of any site ('*') may not ask a server with API keys.", "Name the origins, such as https://a.b."
            )
