"""The defaults: learning rate, epochs and the rest, from task, encoder size and rows.

Pure arithmetic on a few facts, with a sentence for each choice; what the user set is kept.
Where the numbers come from: `LOG.md`, and the tables of the papers named beside them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fastbert.config import TrainConfig
from fastbert.data.batches import num_steps

# (parameters up to, peak rate). Small encoders want larger rates: BERT-Tiny to Medium sweep 3e-4 to
# 3e-5 (Turc et al. 2019), MiniLM-L6 measured here (LOG.md), base 2e-5 to 5e-5 (Devlin et al. 2019),
# large 1e-5 to 2e-5 (Mosbach et al. 2021 for stability).
_RATES = ((15e6, 2e-4), (40e6, 1e-4), (80e6, 5e-5), (200e6, 3e-5), (math.inf, 1.5e-5))
# Encoders that their authors train at other rates: DeBERTa-v3 lower, ModernBERT higher.
_FAMILY_FACTORS = {"deberta-v2": 0.7, "modernbert": 2.0, "electra": 1.5}
# Few rows want steps, not epochs (Mosbach et al. 2021; Zhang et al. 2021): SST-2 and app reviews learn all they can
# in about 600, and after 2,000 the best weights lay in the first half of most runs. Many labels want more: 28 of
# GoEmotions were still learning after 1,700 (LOG 2026-11-24).
MIN_STEPS = 650
MIN_STEPS_PER_LABEL = 50
EPOCHS = (3, 20)  # least, most
# From 24 to 112 rows with several labels a model was still learning after 20 epochs, which are 40 to 140 steps: 60
# ranked labels better on each of five draws (LOG 2026-11-30, benchmarks/few_labels.py).
MOST_EPOCHS_OF_FEW = 60
# After pairs of rows the head fits the encoder already: of 8 rows a label of TREC-6, 20 epochs made them worse.
EPOCHS_AFTER_PAIRS = 1.0
WARMUP = 0.1
RATE_FACTORS = {"lion": 0.2, "sgd": 300.0, "lamb": 20.0, "adafactor": 20.0}  # on the rate of AdamW
# With AdamW and Lion a weight moves by about the rate at each step, so in 700 steps at the encoder's rate a head that
# starts at random stays close to where it began, and the encoder is bent to fit it (Kumar et al. 2022, arXiv
# 2202.10054). The factor was measured (LOG 2026-11-24); of the other optimizers nothing is known.
HEAD_LR_FACTORS = {"adamw": 10.0, "lion": 10.0}


@dataclass(frozen=True)
class Facts:
    """What the recipe reads.

    num_parameters: of encoder and head.    model_type: of the encoder's configuration.
    has_new_head: False where the checkpoint brings a head that was trained on the same labels.
    is_few: whether rows are few and have several labels each, so that no pairs of rows come first.
    """

    num_rows: int
    num_labels: int
    num_parameters: int
    model_type: str
    has_new_head: bool = True
    is_few: bool = False


def choose(config: TrainConfig, facts: Facts) -> tuple[TrainConfig, tuple[str, ...]]:
    """Return the configuration with every open choice made, and why, one sentence each.

    >>> chosen, reasons = choose(TrainConfig(), Facts(8551, 2, 22_700_000, "bert"))
    >>> chosen.lr, chosen.epochs
    (7.1e-05, 3.0)
    """
    reasons: list[str] = []
    changes: dict[str, object] = {}
    if config.lr is None:
        changes["lr"] = rate = _rate(config, facts)
        reasons.append(f"lr {rate:g}: {facts.num_parameters / 1e6:.0f} M parameters, {config.optimizer}")
    if config.start == "auto":
        changes["start"] = "plain"
    if config.start == "probe":
        reasons.append("the head is trained alone first, on the frozen encoder")
    if config.head_lr_factor is None:
        is_new = facts.has_new_head and config.start not in ("probe", "contrastive")
        factor = HEAD_LR_FACTORS.get(config.optimizer, 1.0) if is_new else 1.0
        changes["head_lr_factor"] = factor
        if factor != 1:
            reasons.append(f"the head is new and learns at {factor:g} times the rate of the encoder")
    if config.epochs is None and config.start == "contrastive":
        changes["epochs"] = EPOCHS_AFTER_PAIRS
        reasons.append(f"{EPOCHS_AFTER_PAIRS:g} epoch: after the pairs the head fits the encoder already")
    elif config.epochs is None:
        changes["epochs"] = epochs = _epochs(facts, config.batch_size)
        reasons.append(f"{epochs:g} epochs{_why_so_many(facts)}")
    if config.warmup is None and config.schedule.startswith(("warmup", "wsd")):
        # In a run of a few steps a warm-up would leave hardly any: the first of them has rate 0.
        steps = num_steps(facts.num_rows, config.batch_size) * float(str(changes.get("epochs", config.epochs)))
        changes["warmup"] = WARMUP if steps * WARMUP >= 1 else 0.0
    return config.changed(**changes), tuple(reasons)


def _rate(config: TrainConfig, facts: Facts) -> float:
    rate = next(rate for limit, rate in _RATES if facts.num_parameters <= limit)
    rate *= _FAMILY_FACTORS.get(facts.model_type, 1.0)
    # Large batches: square-root rule (Krizhevsky 2014); never above the rate for 128 rows.
    rate *= min(2.0, math.sqrt(config.batch_size / 32))
    return float(f"{rate * RATE_FACTORS.get(config.optimizer, 1.0):.2g}")


def _why_so_many(facts: Facts) -> str:
    if facts.is_few:
        return f": few rows with several labels are read up to {MOST_EPOCHS_OF_FEW} times, in {MIN_STEPS} steps or so"
    return f", {EPOCHS[0]} to {EPOCHS[1]}: at least {_wanted_steps(facts)} steps where rows allow"


def _wanted_steps(facts: Facts) -> int:
    return max(MIN_STEPS, MIN_STEPS_PER_LABEL * facts.num_labels)


def _epochs(facts: Facts, batch_size: int) -> float:
    least, most = EPOCHS
    steps = max(1, math.ceil(facts.num_rows / batch_size))
    epochs = min(max(math.ceil(_wanted_steps(facts) / steps), least), most)
    if facts.is_few:
        epochs = max(epochs, min(math.ceil(MIN_STEPS / steps), MOST_EPOCHS_OF_FEW))
    return float(epochs)
