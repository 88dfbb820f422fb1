"""FastBert on a GPU against the Trainer with its best flags: base-size encoders, training and inference.

BERT and ModernBERT in their base size with random weights (speed needs no others), on texts of CoLA, GoEmotions and
IMDb. The Trainer has bfloat16, pads to the longest row, groups by length and fuses AdamW. Training is that of
`training.py`, in turn in one process; inference answers the same texts, tokens and all, sorted by length and in
bfloat16 on both sides. The table gives median ratios of neighbours with their quartiles, and FastBert's MFU.

    python benchmarks/gpu.py [--shapes bert modernbert] [--data cola goemotions imdb] [--rounds 3]
    python benchmarks/gpu.py --tiny --rounds 2    to try the script without a GPU
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# A script sees its own folder only, where `datasets` would hide the library of that name.
sys.path.sort(key=lambda entry: entry == str(Path(__file__).resolve().parent))  # that folder last
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
import transformers
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedTokenizerBase

from benchmarks import machine
from benchmarks.peers import trainer as peer
from benchmarks.training import FastBert, Peer, Work, read
from fastbert import Predictor

RESULTS = Path(__file__).resolve().parent / "results" / "gpu.jsonl"
ROWS = {"cola": (6000, 128), "goemotions": (6000, 128), "imdb": (1000, 512)}  # and tokens
TINY_ROWS, TINY = 64, {"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 128}
PEER_BATCH = 64
# Their own base sizes but for the vocabulary, which is MiniLM's, as are the texts' tokens.
SHAPES: dict[str, dict[str, Any]] = {
    "bert": {},
    "modernbert": {"bos_token_id": None, "eos_token_id": None, "cls_token_id": 101, "sep_token_id": 102},
}


def random_encoder(shape: str, folder: Path, tiny: bool) -> Path:
    """Write an encoder with random weights and MiniLM's tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(peer.minilm())
    options = SHAPES[shape] | (TINY if tiny else {})
    config = AutoConfig.for_model(shape, vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, **options)
    torch.manual_seed(0)
    AutoModel.from_config(config).save_pretrained(folder)
    tokenizer.model_max_length = 512
    if shape == "modernbert":
        tokenizer.model_input_names = ["input_ids", "attention_mask"]
    tokenizer.save_pretrained(folder)
    return folder


def measure(shape: str, name: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """Return examples a second of both, in training and in inference, round by round."""
    rows, tokens = ROWS[name]
    rows = TINY_ROWS if chosen.tiny else rows
    benchmark = read(name)
    with tempfile.TemporaryDirectory() as folder:
        work = Work(
            name, min(rows, len(benchmark.train)), tokens, encoder=str(random_encoder(shape, Path(folder), chosen.tiny))
        )
        ours, theirs = FastBert(benchmark, work), Peer(benchmark, work, best=True)
        texts = [text for text, _, _ in benchmark.train[: work.rows]]
        ours.train()  # warm
        theirs.train()
        trained = [(work.rows / ours.train(), work.rows / theirs.train()) for _ in range(chosen.rounds)]
        # a learner answers in float32; a bundle in what is asked for, where the machine has it
        bundle = ours.learner.save(Path(folder) / "bundle")
        model = Predictor.load(bundle, "torch-bf16" if ours.learner.runtime.precision == "bf16" else "torch")
        answer_peer(theirs, texts, tokens)
        model(texts)
        answered = [
            (
                _rate(lambda: model(texts), texts),
                _rate(lambda: answer_peer(theirs, texts, tokens), texts),
            )
            for _ in range(chosen.rounds)
        ]
    mfu, padding = ours.mfu()
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return {
        "shape": f"{shape}, tiny" if chosen.tiny else shape,
        "data": name,
        "device": device,
        "training": trained,
        "inference": answered,
        "mfu": round(mfu, 4),
        "padding_share": round(padding, 4),
        "machine": machine.describe(ours.learner.runtime.precision),
    }


def answer_peer(system: Peer, texts: list[str], max_tokens: int) -> list[int]:
    """Return class ids as a careful script does: tokens at once, sorted by length, bfloat16 autocast, no gradients."""
    tokenizer: PreTrainedTokenizerBase = system.tokenizer
    model: Any = system.trainer.model.eval()  # type: ignore[union-attr]
    ids = tokenizer(texts, truncation=True, max_length=max_tokens)["input_ids"]
    order = sorted(range(len(texts)), key=lambda index: -len(ids[index]))
    found = np.zeros(len(texts), int)
    with torch.inference_mode(), torch.autocast(model.device.type, dtype=torch.bfloat16):
        for start in range(0, len(order), PEER_BATCH):
            rows = order[start : start + PEER_BATCH]
            batch = tokenizer.pad({"input_ids": [ids[row] for row in rows]}, return_tensors="pt").to(model.device)
            found[rows] = model(**batch).logits.argmax(-1).cpu().numpy()
    return list(found)


def _rate(call: Callable[[], object], texts: list[str]) -> float:
    start = time.perf_counter()
    call()
    return len(texts) / (time.perf_counter() - start)


def table(lines: list[dict[str, Any]]) -> str:
    """Return the ratios as Markdown; a line without figures says why."""
    rows = ["| encoder | texts | device | training | inference | MFU |", "|---|---|---|---|---|---|"]
    for line in lines:
        if "reason" in line:
            rows.append(f"| - | - | {line['device']} | {line['reason']} | | |")
            continue
        cells = [_spread(line["training"]), _spread(line["inference"]), f"{line['mfu']:.0%}"]
        rows.append(f"| {line['shape']} | {line['data']} | {line['device']} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _spread(pairs: list[tuple[float, float]]) -> str:
    ratios = [mine / theirs for mine, theirs in pairs]
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return f"{middle:.2f} ({low:.2f} to {high:.2f}, {len(ratios)} rounds)"


def main() -> None:
    """Measure, append to the results and print."""
    parser = argparse.ArgumentParser(description="FastBert and the Trainer on a GPU")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--data", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tiny", action="store_true", help="a few rows and a tiny encoder, on any device")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON lines, appended to, but for --tiny")
    chosen = parser.parse_args()
    transformers.logging.set_verbosity_error()
    if not torch.cuda.is_available() and not chosen.tiny:
        raise SystemExit("There is no GPU here. Try the script with --tiny.")
    lines = []
    for shape in chosen.shapes:
        for name in chosen.data:
            lines.append(measure(shape, name, chosen))
            if not chosen.tiny:  # a trial is no result
                with chosen.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(lines[-1]) + "\n")
    print(table(lines))


if __name__ == "__main__":
    main()
