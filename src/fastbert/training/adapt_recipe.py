"""The defaults of learning a language: rate and epochs, from the size of the encoder and of the corpus.

Pure arithmetic with a sentence for each choice; what the user set is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fastbert.config import AdaptConfig
from fastbert.data.batches import num_steps

# (parameters up to, peak rate). Gururangan et al. 2020 (arXiv 2004.10964) adapt RoBERTa-base at 1e-4 on small data,
# Sun et al. 2019 (arXiv 1905.05583) BERT-base at 5e-5; small encoders want the larger of them.
_ADAPT_RATES = ((40e6, 1e-4), (math.inf, 5e-5))
# From scratch: BERT-base at 1e-4 (Devlin et al. 2019), small ones more, as a function of their width.
_PRETRAIN_RATES = ((15e6, 1e-3), (60e6, 5e-4), (math.inf, 1e-4))
# A small corpus is read many times, with other masks each time (100 epochs in Gururangan et al. 2020).
ADAPT_STEPS, PRETRAIN_STEPS = 1500, 10_000
EPOCHS = (3, 40)  # least, most
# A new head starts blind: alone, at this rate, for a tenth of the steps or so many, while the encoder waits.
HEAD_RATE, HEAD_STEPS, HEAD_SHARE = 1e-3, 200, 0.1


@dataclass(frozen=True)
class Facts:
    """What the recipe reads. num_sequences: of an epoch.    from_scratch: the encoder is random."""

    num_sequences: int
    num_parameters: int
    from_scratch: bool = False


def choose(config: AdaptConfig, facts: Facts) -> tuple[AdaptConfig, tuple[str, ...]]:
    """Return the configuration with every open choice made, and why, one sentence each.

    >>> chosen, reasons = choose(AdaptConfig(), Facts(2503, 22_700_000))
    >>> chosen.lr, chosen.epochs
    (0.0001, 19)
    """
    reasons: list[str] = []
    changes: dict[str, object] = {}
    if config.lr is None:
        rates = _PRETRAIN_RATES if facts.from_scratch else _ADAPT_RATES
        changes["lr"] = rate = next(rate for limit, rate in rates if facts.num_parameters <= limit)
        reasons.append(f"lr {rate:g}: {facts.num_parameters / 1e6:.0f} M parameters")
    if config.epochs is None:
        wanted = PRETRAIN_STEPS if facts.from_scratch else ADAPT_STEPS
        steps = num_steps(facts.num_sequences, config.batch_size)
        changes["epochs"] = epochs = min(max(math.ceil(wanted / steps), EPOCHS[0]), EPOCHS[1])
        reasons.append(f"{epochs} epochs, {EPOCHS[0]} to {EPOCHS[1]}: {wanted:,} steps where the corpus allows")
    return config.changed(**changes), tuple(reasons)


def head_steps(total_steps: int, *, is_new_head: bool) -> int:
    """Return after how many steps the encoder begins to learn, too.

    >>> head_steps(1000, is_new_head=True), head_steps(1000, is_new_head=False)
    (100, 0)
    """
    return min(HEAD_STEPS, math.ceil(HEAD_SHARE * total_steps)) if is_new_head else 0
