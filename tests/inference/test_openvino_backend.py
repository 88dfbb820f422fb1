"""Batches through OpenVINO: float32 means float32, nothing is sent, no torch is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastbert.errors import BundleError
from fastbert.inference.openvino_backend import OpenVinoBackend, without_telemetry
from fastbert.inference.predictor import Predictor
from tests.exported import PAIRS, TEXTS, exported_bundle, scores_of
from tests.inference.test_onnx_backend import PROGRAM

SOCKETS = """
import socket
def refuse(*arguments, **options): raise SystemExit("a connection was opened")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
"""


SHAPES_PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from fastbert.inference.openvino_backend import OpenVinoBackend

backend = OpenVinoBackend(Path(sys.argv[1]) / "openvino/model.xml", workers=1)
for number in range(500):
    if number in (150, 499):
        print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
    ids = np.ones((1 + number % 30, 2 + number // 30), np.int64)
    backend.forward({name: ids for name in backend.input_names})
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported_bundle(tmp_path_factory.mktemp("openvino") / "model", "openvino")


@pytest.mark.parametrize("texts", [TEXTS, PAIRS], ids=["texts", "pairs"])
def test_it_answers_like_torch(texts: list[str], folder: Path) -> None:
    exact, fast = (Predictor.load(folder, name)(texts) for name in ("torch", "openvino"))

    np.testing.assert_allclose(scores_of(exact), scores_of(fast), rtol=0, atol=1e-5)


def test_several_workers_answer_like_one(folder: Path) -> None:
    predictor = Predictor.load(folder, "openvino")
    alone = predictor(TEXTS * 60)

    predictor.backend = OpenVinoBackend(folder / "openvino/model.xml", workers=3)
    together = predictor(TEXTS * 60)

    assert [answer.text for answer in together] == TEXTS * 60
    np.testing.assert_allclose(scores_of(alone), scores_of(together), rtol=0, atol=1e-5)


def test_the_precision_is_stated_and_not_left_to_openvino(folder: Path) -> None:
    """Without a hint OpenVINO takes bf16 where the processor has it."""
    model = OpenVinoBackend(folder / "openvino/model.xml", "fp32").compiled

    assert model.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_text("nothing")

    with pytest.raises(BundleError, match="cannot be opened by OpenVINO"):
        OpenVinoBackend(tmp_path / "model.xml")


@pytest.mark.parametrize("name", ["auto", "openvino"])
def test_neither_torch_nor_transformers_is_loaded_and_nothing_is_sent(name: str, folder: Path) -> None:
    command = [sys.executable, "-c", SOCKETS + PROGRAM, str(folder), name]

    done = subprocess.run(command, capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("openvino []\n", "")


def test_the_telemetry_is_hidden_only_meanwhile() -> None:
    before = sys.modules.get("openvino_telemetry", "absent")

    with without_telemetry(), pytest.raises(ModuleNotFoundError):
        import openvino_telemetry  # type: ignore[import-untyped]  # noqa: F401

    assert sys.modules.get("openvino_telemetry", "absent") == before


IN_FOUR_THREADS = """
import faulthandler, sys, threading
faulthandler.dump_traceback_later(60, exit=True)
from fastbert.inference.openvino_backend import load_openvino
openvino = load_openvino()
start = threading.Barrier(4)
def ask():
    start.wait()
    openvino.Type.i64.to_dtype()
sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_the_first_passes_of_several_threads_do_not_wait_for_each_other_for_ever() -> None:
    """Without the question that `load_openvino` asks first, five of six such processes never ended."""
    done = subprocess.run([sys.executable, "-c", IN_FOUR_THREADS], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-1000:]


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="memory is read from /proc")
def test_a_pass_of_each_new_shape_does_not_stay_in_memory(folder: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", SHAPES_PROGRAM, str(folder)], capture_output=True, text=True, check=True
    )
    first, second = map(int, finished.stdout.split())

    assert second - first < 25_000, finished.stdout  # kB; 60,000 without a limit
