"""Device and precision that are chosen, what is refused, and the state of random generators."""

from __future__ import annotations

import platform
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from fastbert import runtime
from fastbert.config import Precision
from fastbert.errors import ConfigError
from fastbert.runtime import (
    SPARE_SECONDS,
    SPARE_STEPS,
    Runtime,
    SpareMemory,
    choose_runtime,
    float32_products,
    freed_memory_kept,
    product_rate,
    seed_everything,
    untouched_rng,
    using_threads,
)

CPU = torch.device("cpu")


def with_bf16(monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
    """Make the processor have bf16 instructions or not."""
    with_instructions(monkeypatch, avx512_f=True, avx512_bf16=fast, amx_bf16=False)


def with_instructions(monkeypatch: pytest.MonkeyPatch, **instructions: bool | int) -> None:
    """Make torch tell of these instructions, and bf16 be twice as fast with them."""
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(runtime, "bf16_gain", lambda: 2.0)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions, raising=False)


def draws() -> tuple[float, float, float]:
    """Return a number of each generator."""
    return random.random(), float(np.random.random()), float(torch.rand(()))  # noqa: NPY002  # the global one is meant


# --- precision --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fast", "precision", "reason"),
    [(True, "bf16", "the device has bf16 instructions"), (False, "fp32", "the device has no bf16 instructions")],
)
def test_auto_takes_bf16_where_it_is_fast(
    fast: bool, precision: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_bf16(monkeypatch, fast)

    chosen = choose_runtime("auto", "cpu")

    assert (chosen.precision, chosen.reason) == (precision, reason)


@pytest.mark.parametrize(
    ("instructions", "precision"),
    [
        ({"avx512_f": True, "avx512_bf16": False, "amx_bf16": False, "amx_tile": False}, "fp32"),
        ({"avx512_f": True, "avx512_bf16": True}, "bf16"),
        ({"amx_tile": True, "amx_bf16": True}, "bf16"),
        ({"neon": True, "bf16": True}, "bf16"),
        ({"neon": True, "bf16": False, "sve_max_length": 16}, "fp32"),
    ],
    ids=["AVX512 alone", "AVX512_BF16", "AMX", "ARM with bf16", "ARM without"],
)
def test_bf16_is_taken_by_the_instructions_that_torch_tells(
    instructions: dict[str, bool | int], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_instructions(monkeypatch, **instructions)

    assert choose_runtime("auto", "cpu").precision == precision


@pytest.mark.parametrize(
    ("gain", "precision", "reason"),
    [
        (0.52, "fp32", "the processor has bf16 instructions, and is not faster with them"),
        (1.1, "fp32", "the processor has bf16 instructions, and is not faster with them"),
        (1.3, "bf16", "the device has bf16 instructions"),
    ],
)
def test_instructions_that_are_not_faster_are_not_taken_unless_asked_for(
    gain: float, precision: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_bf16(monkeypatch, True)
    monkeypatch.setattr(runtime, "bf16_gain", lambda: gain)

    chosen = choose_runtime("auto", "cpu")

    assert (chosen.precision, chosen.reason) == (precision, reason)
    assert choose_runtime("bf16", "cpu").precision == "bf16"


@pytest.mark.parametrize("clock", ["thread_time", "perf_counter"])  # the first one may tick too rarely
def test_the_gain_of_bf16_is_the_ratio_of_one_threads_times(clock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {torch.float32: 0.003, torch.bfloat16: 0.001}
    now, threads = [0.0], set()

    def linear(left: torch.Tensor, right: torch.Tensor) -> None:
        now[0] += seconds[left.dtype]
        threads.add(torch.get_num_threads())

    monkeypatch.setattr(time, "thread_time", lambda: 0.0)
    monkeypatch.setattr(time, clock, lambda: now[0])
    monkeypatch.setattr("fastbert.runtime.functional.linear", linear)
    before, drawn = torch.get_num_threads(), torch.get_rng_state()

    assert runtime.bf16_gain.__wrapped__() == pytest.approx(3.0)
    assert threads == {1}
    assert torch.get_num_threads() == before
    assert torch.equal(torch.get_rng_state(), drawn)


def test_the_choice_is_the_same_each_time_it_is_measured() -> None:
    gains = [runtime.bf16_gain.__wrapped__() for _ in range(3)]

    assert max(gains) < 1.5 * min(gains)


@pytest.mark.parametrize(
    ("line", "precision"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16 avx512_vnni", "bf16"),
        ("flags\t\t: fpu avx512f avx512_vnni", "fp32"),
        ("flags\t\t: fpu amx_bf16 amx_tile", "bf16"),
        ("Features\t: fp asimd bf16 i8mm", "bf16"),
        ("Features\t: fp asimd", "fp32"),
    ],
)
def test_where_torch_does_not_tell_the_kernel_does(
    line: str, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "bf16_gain", lambda: 2.0)
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(runtime, "CPU_INFO", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{line}\nbugs\t: bf16\n", encoding="utf-8")

    assert choose_runtime("auto", "cpu").precision == precision


def test_where_nobody_tells_of_bf16_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(runtime, "CPU_INFO", tmp_path / "missing")

    assert choose_runtime("auto", "cpu").precision == "fp32"


def test_torch_on_a_mac_computes_no_bf16_though_the_processor_could(monkeypatch: pytest.MonkeyPatch) -> None:
    with_instructions(monkeypatch, neon=True, bf16=True)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")

    assert choose_runtime("auto", "cpu").precision == "fp32"


def test_emulated_bf16_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with_bf16(monkeypatch, False)

    with pytest.raises(ConfigError) as caught:
        choose_runtime("bf16", "cpu")

    assert caught.value.message == "precision is bf16, which cpu here only emulates."
    assert caught.value.hint == "Use --precision auto or fp32; to answer, --backend torch."


def test_fp16_on_a_cpu_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        choose_runtime("fp16", "cpu")

    assert str(caught.value) == "precision is fp16, which needs a GPU.\n  Use --precision auto."


@pytest.mark.parametrize(("capability", "precision"), [((8, 0), "bf16"), ((7, 5), "fp16")])
def test_a_gpu_without_bf16_takes_fp16(
    capability: tuple[int, int], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)

    chosen = choose_runtime("auto")

    assert (chosen.device.type, chosen.precision) == ("cuda", precision)


def test_without_a_gpu_the_device_is_mps_or_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)

    assert choose_runtime("fp32").device.type == "mps"
    assert choose_runtime("auto").precision == "fp32"


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_a_precision_has_its_dtype(precision: Precision, dtype: torch.dtype) -> None:
    assert Runtime(CPU, precision, "asked for").dtype == dtype


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_matrix_products_run_in_the_precision(precision: Precision, dtype: torch.dtype) -> None:
    with Runtime(CPU, precision, "asked for").autocast():
        product = torch.ones(2, 2) @ torch.ones(2, 2)

    assert product.dtype == dtype


def test_a_runtime_describes_itself() -> None:
    assert Runtime(CPU, "fp32", "asked for").describe() == "cpu, 1 thread, fp32 (asked for)"


# --- random numbers ---------------------------------------------------------------------------------


def test_seeding_repeats_the_numbers_of_every_generator() -> None:
    with untouched_rng():
        seed_everything(7)
        first = draws()
        seed_everything(7)

        assert draws() == first


@pytest.mark.parametrize("generator", [0, 1, 2])
def test_another_seed_gives_other_numbers(generator: int) -> None:
    with untouched_rng():
        seed_everything(7)
        first = draws()
        seed_everything(8)

        assert draws()[generator] != first[generator]


def test_a_block_leaves_every_generator_as_it_was() -> None:
    seed_everything(3)
    expected = draws()
    seed_everything(3)

    with untouched_rng():
        seed_everything(99)
        draws()

    assert draws() == expected


def test_a_block_that_fails_leaves_every_generator_as_it_was() -> None:
    seed_everything(3)
    expected = draws()
    seed_everything(3)

    with pytest.raises(ZeroDivisionError), untouched_rng():
        draws()
        raise ZeroDivisionError

    assert draws() == expected


def test_the_second_normal_number_of_a_pair_is_restored_too() -> None:
    """Python and numpy make normal numbers in twos and keep one; a state without it would shift all after."""
    seed_everything(3)
    random.gauss(0, 1)
    with runtime.untouched_rng():
        random.gauss(0, 1)
    second = random.gauss(0, 1)
    seed_everything(3)

    assert [random.gauss(0, 1), random.gauss(0, 1)][1] == second


# --- memory -----------------------------------------------------------------------------------------


class Libc:
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, int]] = []

    def mallopt(self, option: int, value: int) -> int:
        self.calls.append(("mallopt", option, value))
        return 1

    def malloc_trim(self, kept: int) -> int:
        self.calls.append(("malloc_trim", kept, 0))
        return 1


def test_freed_memory_is_kept_during_the_block_and_given_back_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """M_MMAP_MAX is -4, M_TRIM_THRESHOLD -1, M_TOP_PAD -2; the defaults are those of malloc(3)."""
    libc = Libc()
    monkeypatch.setattr("fastbert.runtime.ctypes.CDLL", lambda name: libc)
    monkeypatch.setattr("fastbert.runtime.platform.libc_ver", lambda: ("glibc", "2.36"))

    with pytest.raises(ZeroDivisionError), freed_memory_kept():
        inside = list(libc.calls)
        raise ZeroDivisionError

    assert inside == [("mallopt", -4, 0), ("mallopt", -1, 2**31 - 1), ("mallopt", -2, 2**26)]
    assert libc.calls[3:] == [
        ("mallopt", -4, 65536),
        ("mallopt", -1, 131072),
        ("mallopt", -2, 131072),
        ("malloc_trim", 0, 0),
    ]


def test_without_glibc_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    libc = Libc()
    monkeypatch.setattr("fastbert.runtime.ctypes.CDLL", lambda name: libc)
    monkeypatch.setattr("fastbert.runtime.platform.libc_ver", lambda: ("", ""))

    with freed_memory_kept():
        pass

    assert libc.calls == []


@pytest.mark.parametrize(
    ("steps", "seconds", "times"),
    [
        (SPARE_STEPS, SPARE_SECONDS, 1),
        (SPARE_STEPS - 1, 10 * SPARE_SECONDS, 0),
        (10 * SPARE_STEPS, SPARE_SECONDS / 2, 0),
        (3 * SPARE_STEPS, 3 * SPARE_SECONDS, 3),
    ],
)
def test_memory_is_given_back_after_so_many_steps_and_seconds(
    steps: int, seconds: float, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    libc, now = Libc(), [0.0]
    monkeypatch.setattr("fastbert.runtime.ctypes.CDLL", lambda name: libc)
    monkeypatch.setattr("fastbert.runtime.platform.libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr("fastbert.runtime.time.monotonic", lambda: now[0])
    spare = SpareMemory()

    for step in range(1, steps + 1):
        now[0] = seconds * step / steps
        spare.after_step()

    assert libc.calls == [("malloc_trim", 0, 0)] * times


# --- speed ------------------------------------------------------------------------------------------


def test_settings_hold_for_their_block_alone() -> None:
    before = torch.get_num_threads(), torch.get_float32_matmul_precision()

    with using_threads(2), float32_products("medium"):
        inside = torch.get_num_threads(), torch.get_float32_matmul_precision()

    assert inside == (2, "medium")
    assert (torch.get_num_threads(), torch.get_float32_matmul_precision()) == before


def test_the_rate_of_a_product_is_its_flop_by_the_best_time_ever_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is read before and after each of 3 products, which take 9 (to warm up), 4 and 2 seconds."""
    quiet = [0.0, 0.0, 9.0, 9.0, 13.0, 13.0, 15.0]
    ticks: Iterator[float] = iter(2.0 * second for second in quiet)
    monkeypatch.setattr("fastbert.runtime.time.perf_counter", lambda: next(ticks))
    monkeypatch.setattr(runtime, "_PRODUCTS", {"cpu": (4, 8, 16)})
    monkeypatch.setattr(runtime, "_PRODUCT_SECONDS", 14.0)
    monkeypatch.setattr(runtime, "_PRODUCT_REPEATS", 2)
    monkeypatch.setattr(runtime, "_rates", {})
    chosen, flop = Runtime(CPU, "fp32", "asked for"), 2 * 4 * 8 * 16

    busy = product_rate(chosen)
    ticks = iter(quiet)
    alone = product_rate(chosen, again=True)
    ticks = iter(3.0 * second for second in quiet)

    assert busy == flop / 8.0  # its first product alone: 26 of 14 seconds were gone after it
    assert alone == flop / 2.0
    assert product_rate(chosen, again=True) == product_rate(chosen) == alone


def test_the_rate_is_measured_once_and_draws_no_random_number(monkeypatch: pytest.MonkeyPatch) -> None:
    state = torch.get_rng_state()
    chosen = Runtime(CPU, "fp32", "asked for")

    assert product_rate(chosen) == product_rate(chosen) > 0
    assert torch.equal(state, torch.get_rng_state())
