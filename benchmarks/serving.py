"""How a server holds: throughput, peers, overload, its end, memory and start, each measured in one run.

The server is `fastbert serve BUNDLE` as a process of its own; load generator and server share the processor. Texts
are those of a table, one a request unless it is said otherwise. Each part appends a JSON line to the results.

    python benchmarks/serving.py throughput trec/ trec_test.csv       # several texts a request, against a plain loop
    python benchmarks/serving.py peers trec/ trec_test.csv --peer-python peers/bin/python  # 64 clients, a text each
    python benchmarks/serving.py overload trec/ trec_test.csv         # the knee, 80 % of it for long, twice of it
    python benchmarks/serving.py ending trec/ trec_test.csv           # SIGTERM under load
    python benchmarks/serving.py memory trec/ trec_test.csv           # an hour under load, requests over the limits
    python benchmarks/serving.py start trec/ trec_test.csv            # until it is ready, and memory then
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# A script sees its own folder only, where `datasets` would hide the package of Hugging Face.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.open_loop import REFUSED, Outcome, Pool, closed_loop, get, open_loop, post  # noqa: E402

RESULTS = Path(__file__).resolve().parent / "results" / "serving.jsonl"
HEALTHY_MS = 100.0  # p99 at most, for a rate to be below the knee
PEERS = ("fastapi", "fastapi-threads", "litserve", "litserve-onnx")
PINGS = 50.0  # a second
IN_FLIGHT = 1024  # texts, for a server that never waits for its clients


class Server:
    """`fastbert serve` as a process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stderr is not None
        for line in process.stderr:
            if match := re.search(r"^ready .*http://[\d.]+:(\d+)", line):
                self.port = int(match.group(1))
                return
        sys.exit("the server did not start")

    @property
    def resident_mb(self) -> float:
        """Return its resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024

    def pool(self) -> Pool:
        """Return connections to it."""
        return Pool("127.0.0.1", self.port)


@contextmanager
def serving(chosen: argparse.Namespace) -> Iterator[Server]:
    """Run a server until the block ends."""
    command = [sys.executable, "-m", "fastbert", "serve", str(chosen.bundle), "--backend", chosen.backend]
    command += ["--port", "0", "--no-access-log"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Server(process)
        finally:
            process.kill()


def bodies(texts: Sequence[str], size: int = 1, path: str = "/v1/predict") -> list[bytes]:
    """Return requests of so many texts each."""
    if size == 1:
        return [post(path, json.dumps({"text": text}).encode()) for text in texts]
    parts = [texts[start : start + size] for start in range(0, len(texts) - size + 1, size)]
    return [post(path, json.dumps({"texts": part}).encode()) for part in parts]


def throughput(chosen: argparse.Namespace, texts: list[str]) -> dict[str, Any]:
    """Return texts a second of the server at saturation, and of the predictor in a plain loop, in turn."""
    from fastbert import Predictor

    model = Predictor.load(chosen.bundle, chosen.backend)
    many = (texts * (-(-4000 // len(texts))))[:4000]
    model(many)
    found: dict[str, list[float]] = {"offline": [], **{f"requests of {size}": [] for size in chosen.sizes}}
    with serving(chosen) as server:
        for _ in range(chosen.rounds + 1):
            start = time.perf_counter()
            model(many)
            found["offline"].append(len(many) / (time.perf_counter() - start))
            for size in chosen.sizes:
                clients = max(16, IN_FLIGHT // size)
                outcome = asyncio.run(closed_loop(server.pool(), bodies(many, size), clients, 5))
                _all_well(outcome)
                found[f"requests of {size}"].append(size * len(outcome.status) / max(outcome.planned[-1], 5))
    rates = {name: values[1:] for name, values in found.items()}  # the first round warms up
    ratios = {name: _spread([a / b for a, b in zip(rates[name], rates["offline"], strict=True)]) for name in rates}
    return {"texts_a_second": rates, "over_offline": ratios}


def peers(chosen: argparse.Namespace, texts: list[str]) -> dict[str, Any]:
    """Return requests a second of single texts, 64 clients, of FastBert and of other servers, in turn."""
    found: dict[str, list[float]] = {"fastbert": [], **{name: [] for name in PEERS}}
    for _ in range(chosen.rounds):
        for name, values in found.items():
            if name == "fastbert":
                with serving(chosen) as server:
                    values.append(_rate(server.pool(), bodies(texts)))
            else:
                with _peer(chosen, name) as pool:
                    values.append(_rate(pool, bodies(texts, path="/predict")))
            print(name, values, file=sys.stderr)
    ours = found["fastbert"]
    ratios = {name: _spread([a / b for a, b in zip(ours, found[name], strict=True)]) for name in PEERS}
    return {"requests_a_second": found, "fastbert_over": ratios}


def _rate(pool: Pool, requests: list[bytes]) -> float:
    """Return requests a second once it is warm."""
    asyncio.run(closed_loop(pool, requests, 64, 3))
    outcome = asyncio.run(closed_loop(pool, requests, 64, 6))
    _all_well(outcome)
    return round(len(outcome.status) / max(6.0, outcome.planned[-1]), 1)


@contextmanager
def _peer(chosen: argparse.Namespace, name: str) -> Iterator[Pool]:
    """Run another server until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(__file__).resolve().parent / "peers" / "serving.py"
    command = [chosen.peer_python, str(script), name, str(chosen.bundle), str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            pool, until = Pool("127.0.0.1", port), time.monotonic() + 120
            while asyncio.run(closed_loop(pool, bodies(["a"], path="/predict"), 1, 0.1)).status[-1] != 200:
                if time.monotonic() > until or process.poll() is not None:
                    sys.exit(f"{name} did not start")
            yield pool
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # with the processes that it has started


def overload(chosen: argparse.Namespace, texts: list[str]) -> dict[str, Any]:
    """Return the knee, and what happens at 80 % of it for long, at twice of it, and after that."""
    requests = bodies(texts)
    with serving(chosen) as server:
        return asyncio.run(_overload(chosen, server, requests))


async def _overload(chosen: argparse.Namespace, server: Server, requests: list[bytes]) -> dict[str, Any]:
    pool = server.pool()
    most = await closed_loop(pool, requests, 64, 5)
    capacity = len(most.status) / 5
    knee, steps = 0.0, []
    for share in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2):
        outcome = await open_loop(pool, requests, share * capacity, 10)
        summary = outcome.summary()
        steps.append({"rate": round(share * capacity), **summary})
        print(json.dumps(steps[-1]), file=sys.stderr)
        if set(outcome.status) != {200} or summary["ms"]["p99"] > HEALTHY_MS:
            break
        knee = share * capacity
    long = await open_loop(pool, requests, 0.8 * knee, chosen.seconds)
    print(json.dumps(long.summary()), file=sys.stderr)
    before = await open_loop(pool, requests, knee, 20)
    pinged = asyncio.get_running_loop().create_task(open_loop(server.pool(), [get("/ping")], PINGS, 60))
    over = await open_loop(pool, requests, 2 * knee, 60)
    pings = await pinged
    after = await open_loop(pool, requests, 0.8 * knee, 20)
    slow = [
        at
        for at, took, status in zip(after.planned, after.seconds, after.status, strict=True)
        if status != 200 or took * 1000 > HEALTHY_MS
    ]
    return {
        "capacity": round(capacity),
        "knee": round(knee),
        "steps": steps,
        "at_80_percent": {"rate": round(0.8 * knee), "seconds": chosen.seconds, **long.summary()},
        "at_knee": before.summary(),
        "at_twice": over.summary(),
        "rejected": over.summary(429).get("ms"),
        "goodput_over_knee": round(over.status.count(200) / 60 / (before.status.count(200) / 20), 3),
        "ping": pings.summary(),
        "recovery_s": round(max(slow), 2) if slow else 0.0,
        "after": after.summary(),
        "resident_mb": round(server.resident_mb, 1),
    }


def ending(chosen: argparse.Namespace, texts: list[str]) -> dict[str, Any]:
    """Return what became of the requests that were sent around a SIGTERM, and how long the server took to end."""
    runs = []
    for number in range(chosen.rounds):
        with serving(chosen) as server:
            runs.append(asyncio.run(_ending(chosen, server, bodies(texts), number)))
            print(json.dumps(runs[-1]), file=sys.stderr)
    return {"rate": chosen.rate, "runs": runs}


async def _ending(chosen: argparse.Namespace, server: Server, requests: list[bytes], seed: int) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    load = loop.create_task(open_loop(server.pool(), requests, chosen.rate, 10, seed))
    await asyncio.sleep(3)
    start = time.perf_counter()
    server.process.send_signal(signal.SIGTERM)
    code = await loop.run_in_executor(None, server.process.wait)
    ended_s = time.perf_counter() - start
    outcome = await load
    answered = [at for at, status in zip(outcome.planned, outcome.status, strict=True) if status != REFUSED]
    lost = sum(status not in (200, REFUSED) for status in outcome.status)
    return {
        "exit": code,
        "seconds": round(ended_s, 2),
        "lost": lost,
        "answered_until_s": round(max(answered) - 3, 2),
    } | {"statuses": outcome.summary()["statuses"]}


def memory(chosen: argparse.Namespace, texts: list[str]) -> dict[str, Any]:
    """Return how memory grows over long, and over a hundred requests that are over the limits."""
    with serving(chosen) as server:
        return asyncio.run(_memory(chosen, server, texts))


async def _memory(chosen: argparse.Namespace, server: Server, texts: list[str]) -> dict[str, Any]:
    pool = server.pool()
    mixed = [*bodies(texts), *bodies(texts, 8), *bodies([" ".join(texts[start : start + 9]) for start in range(90)])]
    mixed += [post("/v1/predict", b'{"text": 1}')] * 5
    await open_loop(pool, mixed, chosen.rate, 60)
    series = [server.resident_mb]
    statuses: set[int] = set()
    for minute in range(chosen.seconds // 60):
        outcome = await open_loop(pool, mixed, chosen.rate, 60, minute + 1)
        statuses |= set(outcome.status)
        series.append(server.resident_mb)
        print(f"{minute + 1} min: {series[-1]:.1f} MB", file=sys.stderr)
    large = post("/v1/predict", json.dumps({"text": "a" * 7_000_000}).encode())
    long = post("/v1/predict", json.dumps({"text": "a " * 600_000}).encode())
    many = post("/v1/predict", json.dumps({"texts": ["a"] * 2000}).encode())
    found = Outcome()
    for _ in range(2):  # the first round shows what the allocator keeps once
        at = server.resident_mb
        found = await open_loop(server.pool(), [large, long, many], 20, 5)
    return {
        "rate": chosen.rate,
        "seconds": chosen.seconds,
        "statuses": sorted(statuses),
        "resident_mb": [round(one, 1) for one in series],
        "growth_mb": round(series[-1] - series[0], 1),
        "over_limit": found.summary(413) | {"growth_mb": round(server.resident_mb - at, 2)},
    }


def start(chosen: argparse.Namespace, texts: list[str]) -> dict[str, Any]:
    """Return seconds from the command to the first answer that says ready, and memory after some requests."""
    seconds, resident = [], []
    for _ in range(chosen.rounds):
        begun = time.perf_counter()
        with serving(chosen) as server:
            url = f"http://127.0.0.1:{server.port}/health/ready"
            with urllib.request.urlopen(url, timeout=10) as answer:
                assert answer.status == 200
            seconds.append(round(time.perf_counter() - begun, 3))
            _all_well(asyncio.run(closed_loop(server.pool(), bodies(texts), 64, 5)))
            resident.append(round(server.resident_mb, 1))
    return {"seconds": seconds, "resident_mb": resident}


def _all_well(outcome: Outcome) -> None:
    if set(outcome.status) != {200}:
        sys.exit(f"not all were answered: {outcome.summary()['statuses']}")


def _spread(values: Sequence[float]) -> list[float]:
    """Return lower quartile, median and upper quartile."""
    return [round(one, 3) for one in statistics.quantiles(values, n=4, method="inclusive")]


PARTS = {one.__name__: one for one in (throughput, peers, overload, ending, memory, start)}


def main() -> None:
    """Measure one part, append its line to the results, and print it."""
    from benchmarks import machine

    parser = argparse.ArgumentParser(description="How a server holds")
    parser.add_argument("part", choices=tuple(PARTS))
    parser.add_argument("bundle", type=Path)
    parser.add_argument("table", type=Path, help="CSV with a column text")
    parser.add_argument("--backend", default="onnx-int8")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=600, help="of the long load")
    parser.add_argument("--rate", type=float, default=500.0, help="requests a second, for ending and memory")
    parser.add_argument(
        "--peer-python", help="interpreter that has fastapi and litserve, beside torch and transformers"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 32], help="texts of a request")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to")
    chosen = parser.parse_args()
    with chosen.table.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    line: dict[str, Any] = {
        "part": chosen.part,
        "backend": chosen.backend,
        "date": time.strftime("%Y-%m-%d"),
        "processor": machine.processor(),
    }
    line |= {"cores": len(os.sched_getaffinity(0))} | PARTS[chosen.part](chosen, texts)
    with chosen.out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line))


if __name__ == "__main__":
    main()
