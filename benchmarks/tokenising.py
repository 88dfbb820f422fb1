"""FastBert's encoding of a million short texts against the tokenizer's own batch call, and the cache.

Both sides use the same `tokenizers.Tokenizer` with all its threads on the same texts. The peer calls its
batch method on slices, with truncation, and drops what it gets; FastBert goes on to its stored form, all ids
in one array. Rounds alternate in one process. Memory is the growth of the resident set while a side runs,
sampled every 10 ms; what FastBert returns is told apart.

    python benchmarks/tokenising.py --texts 1000000 --rounds 3
    python benchmarks/tokenising.py --texts 20000            # a demonstration: half a minute
"""

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import tokenizers

from benchmarks import datasets, machine
from fastbert.data import token_cache
from fastbert.data.token_cache import CachedTokenizer
from fastbert.data.tokens import SLICE, Tokenizer
from fastbert.data.windows import Windows
from fastbert.models.loading import open_encoder

RESULTS = Path(__file__).resolve().parent / "results" / "tokenising.jsonl"
SOURCES = ("cola", "sst2", "goemotions")
MAX_TOKENS = 128
SAMPLE_S = 0.01


def short_texts(count: int, root: Path | None = None) -> list[str]:
    """Return so many texts, all different: the training texts of three data sets over and over, numbered."""
    loaded = [datasets.load(name, root) for name in SOURCES]
    sources = [text for one in loaded for text, _, _ in one.train + one.spare]
    return [f"{text} {number}" for number, text in zip(range(count), itertools.cycle(sources), strict=False)]


class Memory:
    """The growth of the resident set while it is entered, in MB."""

    def __enter__(self) -> Self:
        self._before = self._most = resident_mb()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self.growth_mb = self._most - self._before

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            self._most = max(self._most, resident_mb())


def resident_mb() -> float:
    """Return the resident set of this process, from the kernel; 0 where it does not tell."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6 if status.exists() else 0.0


def sides(tokenizer: Tokenizer, texts: list[str]) -> dict[str, Callable[[], Windows | None]]:
    """Return what is compared: the peer's two batch calls, and FastBert."""
    plain = tokenizers.Tokenizer.from_str(tokenizer.backend.to_str())
    plain.enable_truncation(MAX_TOKENS)

    def batches(call: Callable[..., object]) -> None:
        for start in range(0, len(texts), SLICE):
            call(texts[start : start + SLICE])

    return {
        "encode_batch_fast": lambda: batches(plain.encode_batch_fast),
        "fastbert": lambda: tokenizer.encode(texts, [None] * len(texts), max_tokens=MAX_TOKENS, truncation="head_tail"),
        "encode_batch": lambda: batches(plain.encode_batch),
    }


def compare(tokenizer: Tokenizer, texts: list[str], rounds: int) -> Iterator[dict[str, Any]]:
    """Yield a line a side and round, in turn; A B C A B C. The peers' lines are what FastBert's are divided by."""
    for number in range(rounds):
        for name, side in sides(tokenizer, texts).items():
            cpu, started = time.process_time(), time.perf_counter()
            with Memory() as memory:
                kept = side()
            seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
            result = 0.0 if kept is None else size_mb(kept)
            yield {
                "side": name,
                "round": number,
                "seconds": round(seconds, 6),
                "cpu_seconds": round(cpu, 6),
                "growth_mb": round(memory.growth_mb, 1),
                "result_mb": round(result, 1),
            }
            del kept


def size_mb(windows: Windows) -> float:
    """Return what the arrays take."""
    arrays = [windows.ids_T, windows.table_W, *([] if windows.types_T is None else [windows.types_T])]
    return sum(array.nbytes for array in arrays) / 1e6


def time_cache(tokenizer: Tokenizer, texts: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the seconds with an empty cache, which writes it, and with a full one."""
    token_cache.LEAST_CHARACTERS = 0
    with tempfile.TemporaryDirectory() as folder:
        cached = CachedTokenizer(tokenizer, Path(folder) / "tokens")
        for name in ("cold cache", "warm cache", "warm cache"):
            started = time.perf_counter()
            cached.encode(texts, [None] * len(texts), max_tokens=MAX_TOKENS, truncation="head_tail")
            yield {"side": name, "seconds": round(time.perf_counter() - started, 6)}


def table(lines: list[dict[str, Any]]) -> str:
    """Return seconds, FastBert's ratio to each peer within a round (median, range), and memory, as Markdown."""
    rows = [
        "| side | seconds | FastBert's seconds / these | FastBert's processor seconds / these | memory growth, MB |",
        "|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(line["side"] for line in lines):
        seconds = statistics.median(values(lines, name, "seconds"))
        ratios = (_ratio(lines, name, "seconds"), _ratio(lines, name, "cpu_seconds"))
        rows.append(f"| {name} | {seconds:.2f} | {ratios[0]} | {ratios[1]} | {_memory(lines, name)} |")
    return "\n".join(rows)


def values(lines: list[dict[str, Any]], name: str, what: str) -> list[float]:
    """Return one measured value of a side, a round after the other."""
    return [line[what] for line in lines if line["side"] == name and what in line]


def _ratio(lines: list[dict[str, Any]], name: str, what: str) -> str:
    ours, theirs = values(lines, "fastbert", what), values(lines, name, what)
    if name == "fastbert" or not values(lines, name, "cpu_seconds"):  # the cache is no peer
        return "-"
    if not all(theirs):
        return "too short to tell"  # for the clock of this machine
    ratios = [our / one for our, one in zip(ours, theirs, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _memory(lines: list[dict[str, Any]], name: str) -> str:
    growth, result = values(lines, name, "growth_mb"), values(lines, name, "result_mb")
    if not growth:
        return "-"
    return f"{max(growth):.0f}" + (f", of it the result {result[0]:.0f}" if result[0] else "")


def main() -> None:
    """Measure, print the table and append the lines to the results."""
    parser = argparse.ArgumentParser(description="Tokenising: FastBert against the tokenizer itself")
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines file to append to")
    chosen = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "true"  # of both sides; RAYON_NUM_THREADS may still set how many
    tokenizer, texts = open_encoder("minilm").tokenizer, short_texts(chosen.texts)
    for side in sides(tokenizer, texts[: 8 * SLICE]).values():
        side()  # threads and memory pools exist before anything is measured
    lines = [*compare(tokenizer, texts, chosen.rounds), *time_cache(tokenizer, texts)]
    print(f"{len(texts):,} texts, {sum(map(len, texts)) / len(texts):.0f} characters each, {machine.processor()}\n")
    print(table(lines))
    about = {
        "texts": len(texts),
        "max_tokens": MAX_TOKENS,
        "processors": os.cpu_count(),
        "threads": os.environ.get("RAYON_NUM_THREADS"),
        "machine": {"processor": machine.processor()},
        "versions": {"tokenizers": version("tokenizers")},
    }
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    with chosen.out.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({**line, **about}) + "\n" for line in lines)


if __name__ == "__main__":
    main()
