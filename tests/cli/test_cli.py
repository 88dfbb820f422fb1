"""What all commands share: help, version, exit codes and where messages go."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastbert
from fastbert.cli import main, settle_output, settle_threads
from fastbert.errors import DataError, TrainingError
from tests.cli.conftest import Run

COMMANDS = [
    "check",
    "train",
    "evaluate",
    "decide",
    "compare",
    "explain",
    "report",
    "predict",
    "embed",
    "similar",
    "label",
    "summarize",
    "tune",
    "lr-find",
    "adapt",
    "pretrain",
    "distill",
    "train-summarizer",
    "export",
    "inspect",
    "serve",
    "schedules",
    "bench",
    "sagemaker",
]
MAX_HELP_RATIO = 2  # to a command of one option, which the libraries of the command line cost anyway
PLAIN = """
import typer
app = typer.Typer()
@app.command()
def plain(rows: int = typer.Option(1, help="Rows.")) -> None: ...
app()
"""


def seconds_of(*arguments: str) -> float:
    """Return the processor time of Python in a process of its own: a busy machine adds little to it."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    start = os.times()
    result = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    end = os.times()
    return end.children_user + end.children_system - start.children_user - start.children_system


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"]], ids=["fastbert", "train"])
def test_help_is_quick(arguments: list[str]) -> None:
    pairs = [(seconds_of("-m", "fastbert", *arguments), seconds_of("-c", PLAIN, "--help")) for _ in range(3)]
    help_s, plain_s = map(min, zip(*pairs, strict=True))

    assert help_s < MAX_HELP_RATIO * plain_s


def test_help_lists_every_command(run: Run) -> None:
    outcome = run("--help")

    assert outcome.code == 0
    listed = outcome.out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_json_and_help(command: str, run: Run) -> None:
    outcome = run(command, "--help")

    assert outcome.code == 0
    assert "--json" in outcome.out


def test_no_option_is_without_words_of_help(run: Run) -> None:
    lines = [line.split("  ") for line in run("train", "--help").out.splitlines() if line.startswith("  --")]

    assert [line for line in lines if len([part for part in line if part.strip()]) < 2 and len(line[1]) < 22] == []


def test_the_version_is_printed(run: Run) -> None:
    outcome = run("--version")

    assert (outcome.code, outcome.out) == (0, f"{fastbert.__version__}\n")


def test_without_a_command_help_is_shown(run: Run) -> None:
    outcome = run()

    assert outcome.code == 2
    assert "train" in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tran"], "No such command 'tran'"),
        (["inspect"], "Missing argument 'BUNDLE'"),
        (["schedules", "--step", "5"], "No such option: --step"),
        (["schedules", "--steps", "many"], "Invalid value for '--steps'"),
        (["train", "table.csv"], "Missing option '--out'"),
    ],
)
def test_wrong_use_ends_with_2_and_writes_to_standard_error(arguments: list[str], message: str, run: Run) -> None:
    outcome = run(*arguments)

    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


@pytest.mark.parametrize(
    ("error", "code", "written"),
    [
        (DataError("a row is bad", "Correct it."), 2, "error: a row is bad\nhint: Correct it.\n"),
        (DataError("a row is bad"), 2, "error: a row is bad\n"),
        (TrainingError("the disk is full", "Free some."), 1, "error: the disk is full\nhint: Free some.\n"),
    ],
    ids=["bad input", "no hint", "failure"],
)
def test_errors_and_hints_stand_on_lines_of_their_own(
    error: Exception, code: int, written: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastbert.bundle.read_bundle", _raising(error))

    outcome = run("inspect", "model")

    assert (outcome.code, outcome.out, outcome.err) == (code, "", written)


def test_an_interrupted_command_ends_quietly(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastbert.bundle.read_bundle", _raising(KeyboardInterrupt()))

    outcome = run("inspect", "model")

    assert outcome.code == 130
    assert "Traceback" not in outcome.err


def test_a_mistake_of_ours_is_not_dressed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastbert.bundle.read_bundle", _raising(ZeroDivisionError()))
    monkeypatch.setattr(sys, "argv", ["fastbert", "inspect", "model"])

    with pytest.raises(ZeroDivisionError):
        main()


def test_a_reader_that_leaves_early_gets_no_traceback(bundle: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class ClosedPipe(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(sys, "stdout", ClosedPipe())

    outcome = run("predict", bundle, "-", stdin=b"the app is great\n")

    assert (outcome.code, outcome.err) == (1, "")


def _raising(error: BaseException) -> object:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    return fail


# --- threads ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"GOMP_SPINCOUNT": "1000"}),
        ({"GOMP_SPINCOUNT": "7"}, {"GOMP_SPINCOUNT": "7"}),
        ({"OMP_WAIT_POLICY": "active"}, {"OMP_WAIT_POLICY": "active"}),
    ],
    ids=["nothing said", "spins given", "policy given"],
)
def test_waiting_threads_sleep_soon_unless_the_user_says_how_they_wait(
    given: dict[str, str], expected: dict[str, str]
) -> None:
    environment = dict(given)

    settle_threads(environment)

    assert environment == expected


@pytest.mark.parametrize(
    ("quota", "given", "threads"), [(2, {}, "2"), (8, {}, None), (2, {"OMP_NUM_THREADS": "3"}, "3")]
)
def test_a_container_gets_as_many_threads_as_its_quota_grants(
    quota: int, given: dict[str, str], threads: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastbert.cli.num_cores", lambda: quota)
    monkeypatch.setattr("fastbert.cli.num_allowed", lambda: 8)
    environment = dict(given)

    settle_threads(environment)

    assert environment.get("OMP_NUM_THREADS") == threads


def test_it_is_set_before_torch_is_imported() -> None:
    code = (
        "import os, sys, fastbert.cli as cli; sys.argv = ['fastbert', '--version']\n"
        "try: cli.main()\n"
        "except SystemExit: sys.exit(f\"{os.environ['GOMP_SPINCOUNT']} {'torch' in sys.modules}\")"
    )
    environment = {key: value for key, value in os.environ.items() if key not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}

    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)

    assert result.stderr.strip() == "1000 False"


def test_what_goes_to_a_file_is_utf_8_whatever_the_locale() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="cp1252", newline="\r\n")

    settle_output(stream)
    stream.write("😀\n")
    stream.flush()

    assert raw.getvalue() == "😀\n".encode()


def test_a_screen_shows_what_it_can() -> None:
    class Screen(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    raw = io.BytesIO()
    stream = Screen(raw, encoding="cp1252")
    settle_output(stream)
    stream.write("é😀")
    stream.flush()

    assert raw.getvalue() == "é?".encode("cp1252")
