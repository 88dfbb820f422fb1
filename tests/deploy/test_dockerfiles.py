"""The Dockerfiles keep their rules, and start commands that exist."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.deploy.dockerfiles import check_image, recipe
from tests.deploy.truth import DEPLOY, ROOT, public_paths, serve_options, text

IMAGES = ["serving", "training", "sagemaker"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]


def instructions(image: str) -> list[tuple[str, str]]:
    return list(check_image().instructions(text(f"{image}.Dockerfile")))


def extras(image: str) -> list[str]:
    found = re.search(r"install\.sh /opt/fastbert (\S+)", text(f"{image}.Dockerfile"))
    assert found is not None
    return found.group(1).split(",")


def package(requirement: str) -> str:
    return re.split(r"[\[<>=;~! ]", requirement)[0].lower().replace("_", "-")


def test_there_is_no_other_image() -> None:
    assert sorted(path.stem for path in DEPLOY.glob("*.Dockerfile")) == sorted(IMAGES)


@pytest.mark.parametrize("image", IMAGES)
def test_the_last_stage_begins_anew_from_a_pinned_base(image: str) -> None:
    stages = [rest for name, rest in instructions(image) if name == "FROM"]
    bases = [rest for name, rest in instructions(image) if name == "ARG" and rest.startswith("BASE=")]

    assert stages == ["${BASE} AS build", "${BASE}"]
    assert len(bases) == 1 and re.fullmatch(r"BASE=python:3\.\d+-slim-\w+", bases[0])


@pytest.mark.parametrize("image", IMAGES)
def test_commands_are_lists_so_that_signals_arrive(image: str) -> None:
    found = dict(instructions(image))

    assert found["ENTRYPOINT"].startswith("[") and found["STOPSIGNAL"] == "SIGTERM"
    assert found.get("CMD", "[").startswith("[")


@pytest.mark.parametrize("image", ["serving", "training"])
def test_it_runs_as_a_numbered_user_who_is_not_root(image: str) -> None:
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", recipe(image).user)


@pytest.mark.parametrize("image", IMAGES)
def test_what_is_copied_is_there_and_is_not_ignored(image: str) -> None:
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"]
    copied = [rest.split()[:-1] for name, rest in instructions(image) if name == "COPY" and "--from" not in rest]
    sources = [source for words in copied for source in words if not source.startswith("--")]

    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert {source.split("/")[0] for source in sources} <= set(let_in)


@pytest.mark.parametrize("image", IMAGES)
def test_it_installs_extras_that_there_are(image: str) -> None:
    assert set(extras(image)) <= EXTRAS.keys()


def test_the_server_has_no_torch() -> None:
    names = {package(one) for one in [*PROJECT["dependencies"], *EXTRAS["serve"]]}

    assert extras("serving") == ["serve"]
    assert names.isdisjoint({"torch", "transformers"})


@pytest.mark.parametrize("image", IMAGES)
def test_every_package_has_an_exact_version(image: str) -> None:
    lines = (text("versions.txt") + (ROOT / "constraints.txt").read_text(encoding="utf-8")).splitlines()
    pins = [line for line in lines if line.strip() and not line.startswith("#")]
    wanted = {package(one) for extra in extras(image) for one in [*PROJECT["dependencies"], *EXTRAS[extra]]}

    assert [line for line in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    assert wanted <= {package(line) for line in pins}


@pytest.mark.parametrize("image", IMAGES)
def test_nothing_is_told_to_others(image: str) -> None:
    variables = recipe(image).variables

    assert variables["ORT_DISABLE_TELEMETRY"] == variables["HF_HUB_DISABLE_TELEMETRY"] == "1"


def test_the_server_s_command_exists_and_its_port_is_the_one_that_is_open() -> None:
    found = recipe("serving")
    port = serve_options(found.command)["port"]

    assert found.entry == ["fastbert", "serve"]
    assert dict(instructions("serving"))["EXPOSE"] == dict(instructions("sagemaker"))["EXPOSE"] == str(port)
    assert f"'127.0.0.1', {port}" in " ".join(found.health)


def test_the_health_check_asks_a_path_that_needs_no_key() -> None:
    asked = re.findall(r"'(/[\w/]+)'", " ".join(recipe("serving").health))

    assert asked and set(asked) <= public_paths()
