"""The unit of systemd starts a command that exists, lets it end in its own time, and locks it down."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from fastbert.cache import VARIABLE
from tests.deploy.truth import DEPLOY, ENDING_S, serve_options, text

UNIT = text("systemd/fastbert.service")
SETTINGS = dict(re.findall(r"^(\w+)=(.*)$", UNIT, re.MULTILINE))


def test_its_command_exists_and_may_end_in_its_own_time() -> None:
    program, command, *words = SETTINGS["ExecStart"].split()
    options = serve_options(words)

    assert program.endswith("/fastbert") and command == "serve"
    assert float(SETTINGS["TimeoutStopSec"]) > options["linger"] + options["drain"] + ENDING_S


def test_a_reload_is_the_signal_that_opens_bundles_again() -> None:
    assert SETTINGS["ExecReload"] == "/bin/kill -HUP $MAINPID"


def test_the_cache_is_the_one_folder_that_it_may_write() -> None:
    assert f"Environment={VARIABLE}=/var/cache/{SETTINGS['CacheDirectory']}" in UNIT
    assert SETTINGS["ProtectSystem"] == "strict" and SETTINGS["DynamicUser"] == "yes"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_little_that_is_open() -> None:
    unit = str(DEPLOY / "systemd" / "fastbert.service")
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit]
    found = subprocess.run(command, capture_output=True, text=True, env={"SYSTEMD_PAGER": "", "PATH": "/usr/bin:/bin"})

    assert found.returncode == 0, found.stdout[-200:]
