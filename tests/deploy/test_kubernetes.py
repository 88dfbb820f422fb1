"""The manifests fit the server: its options, paths and counters, how long it takes to end; and they are locked down."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.deploy.dockerfiles import recipe
from tests.deploy.truth import DEPLOY, ENDING_S, Document, public_paths, read_yaml, series, serve_options

LABELS = {"app.kubernetes.io/name": "fastbert"}
NOT_MANIFESTS = {"kustomization.yaml", "adapter_rule.yaml"}


def manifest(name: str) -> Document:
    return read_yaml(f"kubernetes/{name}.yaml")


@pytest.fixture
def pod() -> Document:
    spec: Document = manifest("deployment")["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(pod: Document) -> Document:
    only: Document = pod["containers"][0]
    return only


def test_every_manifest_is_listed() -> None:
    there = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")}

    assert set(manifest("kustomization")["resources"]) == there - NOT_MANIFESTS


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_builds_them() -> None:
    built = subprocess.run(["kubectl", "kustomize", DEPLOY / "kubernetes"], capture_output=True, text=True)

    assert built.returncode == 0, built.stderr
    assert "image: registry.example.com/fastbert-reviews:1" in built.stdout


def test_all_of_them_mean_the_same_pods() -> None:
    selectors = [
        manifest("deployment")["spec"]["selector"]["matchLabels"],
        manifest("deployment")["spec"]["template"]["metadata"]["labels"],
        manifest("service")["spec"]["selector"],
        manifest("disruption_budget")["spec"]["selector"]["matchLabels"],
        manifest("network_policy")["spec"]["podSelector"]["matchLabels"],
    ]
    target = manifest("autoscaler")["spec"]["scaleTargetRef"]

    assert selectors == [LABELS] * len(selectors)
    assert target["name"] == manifest("deployment")["metadata"]["name"]


def test_the_probes_ask_paths_that_need_no_key(container: Document) -> None:
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")}

    assert {probe["path"] for probe in probes.values()} <= public_paths()
    assert probes["liveness"]["path"] != probes["readiness"]["path"]
    assert {probe["port"] for probe in probes.values()} == {"http"}


def test_its_command_exists_and_its_ports_agree(container: Document) -> None:
    options = serve_options(container["args"])
    annotations = manifest("deployment")["spec"]["template"]["metadata"]["annotations"]

    assert container["ports"] == [{"name": "http", "containerPort": options["port"]}]
    assert annotations["prometheus.io/port"] == str(options["port"])
    assert manifest("service")["spec"]["ports"][0]["targetPort"] == "http"
    assert options["host"] == "0.0.0.0"


def test_it_may_end_in_its_own_time(pod: Document, container: Document) -> None:
    options = serve_options(container["args"])

    assert pod["terminationGracePeriodSeconds"] > options["linger"] + options["drain"] + ENDING_S
    readiness = container["readinessProbe"]
    assert options["linger"] > readiness["periodSeconds"] * readiness["failureThreshold"]


def test_it_may_do_nothing_but_serve(pod: Document, container: Document) -> None:
    user = recipe("serving").user

    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == user
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert manifest("network_policy")["spec"]["egress"] == []


def test_it_scales_by_counters_that_there_are() -> None:
    metrics = manifest("autoscaler")["spec"]["metrics"]
    scaled = {one["pods"]["metric"]["name"] for one in metrics if one["type"] == "Pods"}
    adapted = {re.split("{", rule["seriesQuery"])[0] for rule in manifest("adapter_rule")["rules"]}

    assert scaled == adapted
    assert scaled <= series()
