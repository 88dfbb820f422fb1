"""Run the Hugging Face Trainer on every data set, batch size and seed.

Two processes at a time, one thread each, at the lowest priority. Resumable: a combination that is in the
results file is skipped, so stop it and start it as you like. Seeds are the outermost loop and short data sets
come first, so a partial run is balanced.

    nohup python benchmarks/run_peers.py --out /tmp/peer_results.jsonl > /tmp/peer_run.log 2>&1 &
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.datasets import NAMES

SYSTEM = "hf_trainer"
SEEDS = (0, 1, 2)
BATCH_SIZES = (32, 8)
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
    "GOMP_SPINCOUNT": "0",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
Combination = tuple[str, int, int]  # data set, batch size, seed


def finished(out: Path) -> set[Combination]:
    """Return the combinations whose line is in the results file."""
    if not out.exists():
        return set()
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    return {(line["dataset"], line["batch"], line["seed"]) for line in lines if line["system"] == SYSTEM}


def measure(combination: Combination, out: Path) -> bool:
    """Measure one combination in a process of its own; return whether it succeeded."""
    name, batch_size, seed = combination
    script = str(Path(__file__).resolve().parent / "peers" / "trainer.py")
    options = ["--data", name, "--batch-size", str(batch_size), "--seed", str(seed), "--out", str(out)]
    started = time.perf_counter()
    _say(f"start {name} batch={batch_size} seed={seed}")
    code = subprocess.run([sys.executable, script, *options], env=os.environ | ENVIRONMENT, check=False).returncode
    verdict = "done" if code == 0 else f"FAILED with exit code {code}"
    _say(f"{verdict} {name} batch={batch_size} seed={seed} {time.perf_counter() - started:.0f} s")
    return code == 0


def main() -> int:
    """Run what is missing; return 1 if any combination failed."""
    parser = argparse.ArgumentParser(description="Measure the Hugging Face Trainer on all data sets")
    parser.add_argument("--out", type=Path, default=Path("/tmp/peer_results.jsonl"), help="JSON lines, appended to")
    parser.add_argument("--data", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    os.nice(19)
    everything = [(name, batch, seed) for seed, name, batch in itertools.product(SEEDS, options.data, BATCH_SIZES)]
    done = finished(options.out)
    missing = [combination for combination in everything if combination not in done]
    _say(f"{len(missing)} of {len(everything)} combinations to do")
    with ThreadPoolExecutor(options.processes) as pool:
        succeeded = list(pool.map(lambda combination: measure(combination, options.out), missing))
    _say(f"{succeeded.count(True)} done, {succeeded.count(False)} failed")
    return 0 if all(succeeded) else 1


def _say(message: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {message}\n")


if __name__ == "__main__":
    sys.exit(main())
