#!/usr/bin/env python3
"""Checks an image that serves: what must not be in it, and that it starts, answers and ends as it should. Prints JSON.

    docker export "$(docker create fastbert-serving)" | tar -x -C root
    sudo deploy/check_image.py deploy/serving.Dockerfile root model/

The image is unpacked in a folder, and runs as its Dockerfile says: that user, those variables, that command; with a
read-only root file system, a tmpfs on /tmp, no new privileges, and no network but its own loopback. Needs Linux, root,
unshare, setpriv and ip; no container runtime, so that it also runs where there is none.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

INSIDE = "FASTBERT_CHECK_INSIDE"  # set where this script runs in namespaces of its own
PORT = 8080
START_S, END_S = 60.0, 30.0  # SageMaker and Kubernetes kill 30 s after SIGTERM
BUILD_TOOLS = ("cc", "gcc", "g++", "c++", "clang", "ld", "as", "make", "cargo", "rustc", "git", "pip", "pip3")
INSTALLERS = ("pip", "wheel")
TRAINING = ("torch", "transformers", "setuptools")  # the last one is asked for by torch
TEXTS = 64


@dataclass
class Recipe:
    """What a Dockerfile says of its last stage."""

    variables: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    entry: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    @property
    def serves_sagemaker(self) -> bool:
        """Whether it is started with a word of SageMaker's."""
        return not self.command

    @property
    def bundle(self) -> str:
        """Where the model lies in a container."""
        return "/opt/ml/model" if self.serves_sagemaker else self.command[0]


def instructions(text: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile with their arguments, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    pairs = [line.strip().partition(" ") for line in whole.splitlines() if line.strip()]
    return [(name.upper(), rest.strip()) for name, _, rest in pairs]


def read(text: str) -> Recipe:
    """Return the recipe of a Dockerfile's last stage."""
    recipe = Recipe()
    for name, rest in instructions(text):
        if name == "FROM":
            recipe = Recipe()
        elif name == "ENV":
            recipe.variables |= {word.partition("=")[0]: word.partition("=")[2] for word in shlex.split(rest)}
        elif name == "USER":
            recipe.user = rest
        elif name == "ENTRYPOINT":
            recipe.entry = json.loads(rest)
        elif name == "CMD":
            recipe.command = json.loads(rest)
        elif name == "HEALTHCHECK":
            recipe.health = json.loads(rest.partition("CMD")[2])
    return recipe


def content_faults(root: Path, forbidden: Sequence[str]) -> list[str]:
    """Return what lies in an image and must not, by path."""
    programs = [root / folder / name for folder in ("bin", "usr/bin", "usr/local/bin") for name in BUILD_TOOLS]
    packages = [folder / name for folder in root.glob("**/site-packages") for name in forbidden]
    open_to_all = [path for path in (root / "opt").rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o002]
    return [f"{path.relative_to(root)} is there" for path in [*programs, *packages] if path.exists()] + [
        f"{path.relative_to(root)} may be written by anybody" for path in open_to_all
    ]


def size_mb(folder: Path) -> int:
    """Return the megabytes (10^6) that the files of a folder take on disk."""
    found = subprocess.run(["du", "-sxB1", folder], check=True, capture_output=True, text=True)
    return round(int(found.stdout.split()[0]) / 1e6)


class Container:
    """An unpacked image as a file system of its own, in the mount namespace of this process."""

    def __init__(self, root: Path, recipe: Recipe, bundle: Path) -> None:
        self._root, self._recipe = root, recipe
        place = root / recipe.bundle.lstrip("/")
        for folder in (place, root / "proc", root / "dev", root / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
        _mount("--bind", root, root)
        _mount("-t", "proc", "proc", root / "proc")
        _mount("--rbind", "/dev", root / "dev")
        _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", root / "tmp")
        _mount("--bind", bundle, place)
        _mount("-o", "remount,bind,ro", place)
        _mount("-o", "remount,bind,ro", root)

    def arguments(self, command: Sequence[str]) -> list[str]:
        """Return a command as it runs in here."""
        said = [
            f"{name}={value.replace('$PATH', '/usr/local/bin:/usr/bin:/bin')}"
            for name, value in self._recipe.variables.items()
        ]
        inside = ["chroot", f"--userspec={self._recipe.user}", str(self._root), "env", "-i", *said]
        return ["setpriv", "--no-new-privs", *inside, *command]

    def code(self, command: Sequence[str]) -> int:
        """Return the exit code of a command."""
        return subprocess.run(self.arguments(command), capture_output=True).returncode

    @contextmanager
    def running(self, extra: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Run the command of the image, with more arguments, and kill it if it is still there at the end."""
        words = ["serve"] if self._recipe.serves_sagemaker else self._recipe.command
        with log.open("wb") as errors:
            server = subprocess.Popen(self.arguments([*self._recipe.entry, *words, *extra]), stderr=errors)
        try:
            yield server
        finally:
            server.kill()
            server.wait()


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


def ask(method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
    """Return status and body of an answer; status 0 where nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def memory_mb(pid: int, name: str) -> int:
    """Return a line of /proc/PID/status in megabytes (10^6), of a process and its children together."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    own = next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(f"{name}:"))
    return round(own) + sum(memory_mb(int(child), name) for child in children)


def serve_once(
    container: Container, recipe: Recipe, extra: Sequence[str], log: Path
) -> tuple[dict[str, float], list[str]]:
    """Start, ask and stop a server once. Return figures and faults."""
    faults = []
    ready_path = "/ping" if recipe.serves_sagemaker else "/health/ready"
    began = time.monotonic()
    with container.running(extra, log) as server:
        while ask("GET", ready_path)[0] != 200:
            if server.poll() is not None or time.monotonic() - began > START_S:
                return {}, [f"not ready after {time.monotonic() - began:.0f} s; its messages are in {log}"]
            time.sleep(0.005)
        figures = {"ready_s": round(time.monotonic() - began, 2), "idle_mb": memory_mb(server.pid, "VmRSS")}
        body = json.dumps({"texts": [f"How far is it from here to place {number}?" for number in range(TEXTS)]})
        status, answer = ask("POST", "/v1/predict", body)
        if status != 200 or len(json.loads(answer)["predictions"]) != TEXTS:
            faults.append(f"/v1/predict answered {status}: {answer[:300]!r}")
        if recipe.health and container.code(recipe.health) != 0:
            faults.append("the command of HEALTHCHECK failed on a server that is ready")
        figures["peak_mb"] = memory_mb(server.pid, "VmHWM")
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        try:
            code = server.wait(END_S)
        except subprocess.TimeoutExpired:
            return figures, [*faults, f"still there {END_S:.0f} s after SIGTERM"]
        figures["end_s"] = round(time.monotonic() - began, 2)
    return figures, [*faults, *([f"exit code {code} after SIGTERM"] if code else [])]


def check(dockerfile: Path, root: Path, bundle: Path, options: Sequence[str]) -> tuple[dict[str, object], list[str]]:
    """Check an unpacked image. Return figures and faults."""
    recipe = read(dockerfile.read_text(encoding="utf-8"))
    forbidden = INSTALLERS if recipe.serves_sagemaker else (*INSTALLERS, *TRAINING)
    report: dict[str, object] = {"image_mb": size_mb(root), "environment_mb": size_mb(root / "opt" / "fastbert")}
    faults = content_faults(root, forbidden)
    container = Container(root, recipe, bundle)
    if container.code(["touch", "/tmp/x"]) != 0:
        faults.append("/tmp cannot be written")
    faults += [
        f"{place} can be written" for place in ("/x", "/opt/fastbert/x") if container.code(["touch", place]) == 0
    ]
    if recipe.health and container.code(recipe.health) == 0:
        faults.append("the command of HEALTHCHECK passes where nothing runs")
    for extra in ([*options], [*options, "--workers", "2"]):
        name = " ".join(extra) or "no options"
        figures, found = serve_once(container, recipe, extra, Path(f"/tmp/check-image-{os.getpid()}.log"))
        report[name] = figures
        faults += [f"{name}: {fault}" for fault in found]
    return report, faults


def main() -> int:
    """Check what the command line names, in namespaces of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dockerfile", type=Path)
    parser.add_argument("root", type=Path, help="folder of the unpacked image")
    parser.add_argument("bundle", type=Path, help="folder of a model that classifies")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="more options of fastbert serve")
    named = parser.parse_args()
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--net", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    report, faults = check(named.dockerfile, named.root.resolve(), named.bundle.resolve(), named.options)
    sys.stdout.write(json.dumps({**report, "faults": faults}, indent=2) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
