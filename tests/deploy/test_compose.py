"""compose.yaml fits the server and the files beside it, and is locked down."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.truth import DEPLOY, ENDING_S, read_yaml, serve_options

SERVICES: dict[str, Any] = read_yaml("compose.yaml")["services"]


def test_the_server_s_command_exists_and_may_end_in_its_own_time() -> None:
    options = serve_options(SERVICES["server"]["command"])

    assert float(SERVICES["server"]["stop_grace_period"].removesuffix("s")) > (
        options["linger"] + options["drain"] + ENDING_S
    )


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_has_capabilities(name: str) -> None:
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", ["prometheus", "grafana"])
def test_images_of_others_have_an_exact_version(name: str) -> None:
    assert SERVICES[name]["image"].rpartition(":")[2].removeprefix("v").count(".") == 2


@pytest.mark.parametrize("name", ["prometheus", "grafana"])
def test_the_files_that_are_mounted_are_there(name: str) -> None:
    sources = [volume.split(":")[0] for volume in SERVICES[name]["volumes"]]

    assert all((DEPLOY / source).is_file() for source in sources if source.startswith("."))


def test_the_server_writes_nothing_but_to_tmp() -> None:
    server = SERVICES["server"]

    assert server["read_only"] and server["tmpfs"][0].startswith("/tmp:")
    assert all(volume.endswith(":ro") for volume in server["volumes"])


def test_prometheus_asks_the_server_at_its_port() -> None:
    scraped = read_yaml("monitoring/prometheus.yml")["scrape_configs"][0]

    port = serve_options(SERVICES["server"]["command"])["port"]
    assert scraped["static_configs"][0]["targets"] == [f"server:{port}"]
    assert scraped["metrics_path"] == "/metrics"


def test_the_dashboard_asks_the_source_that_is_provisioned() -> None:
    source = read_yaml("monitoring/grafana/sources.yml")["datasources"][0]
    folder = read_yaml("monitoring/grafana/dashboards.yml")["providers"][0]["options"]["path"]

    assert source["url"] == "http://prometheus:9090" and source["uid"] == "prometheus"
    assert any(f":{folder}/" in volume for volume in SERVICES["grafana"]["volumes"])
