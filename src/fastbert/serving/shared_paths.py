"""Whose meaning a path has that several contracts claim: one table, read from the setting `contract`.

Knows nothing of what the routes do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastbert.serving.routes import Route
from fastbert.serving.settings import Settings

# Method and path, then by the value of `contract` the module of `protocols` that answers there.
OWNERS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("GET", "/ping"): {"sagemaker": "sagemaker", "huggingface": "sagemaker", "tei": "tei", "mlflow": "mlflow"},
    ("GET", "/health"): {"sagemaker": "huggingface", "huggingface": "huggingface", "tei": "tei", "mlflow": "mlflow"},
    ("POST", "/"): {"sagemaker": "huggingface", "huggingface": "huggingface", "tei": "tei", "mlflow": "huggingface"},
    ("POST", "/predict"): {"sagemaker": "tei", "huggingface": "huggingface", "tei": "tei", "mlflow": "tei"},
    ("POST", "/invocations"): {
        "sagemaker": "sagemaker",
        "huggingface": "sagemaker",
        "tei": "tei",
        "mlflow": "mlflow",
    },
}


def settled(contracts: Mapping[str, Sequence[Route]], settings: Settings) -> list[Route]:
    """Return the routes of contracts, by the name of their module, with one owner for each path.

    A route that Vertex AI has chosen is its own, whoever else claims it.
    """
    owners = {key: by_contract[settings.contract] for key, by_contract in OWNERS.items()}
    owners |= {
        (method, path): "vertex"
        for method, path in (("GET", settings.health_route), ("POST", settings.predict_route))
        if path
    }
    return [
        route
        for name, routes in contracts.items()
        for route in routes
        if owners.get((route.method, route.pattern), name) == name
    ]
