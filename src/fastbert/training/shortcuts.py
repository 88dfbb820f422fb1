"""What makes a fit faster and changes nothing else: for its length, and put back after it.

Rows of the vocabulary that do not occur are set aside, frozen layers are run once for each window, batches with much
padding are packed, dropout draws its own random numbers, and the C library keeps freed memory. The first three say in
the log what they do. Knows no loop and no learner.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from torch import nn

from fastbert.config import TrainConfig
from fastbert.data.batches import epoch_padding, prediction_batches
from fastbert.data.databunch import DataBunch
from fastbert.inference.torch_backend import to_tensors
from fastbert.models.dropout import drawing_dropout
from fastbert.models.freezing import layer_modules
from fastbert.models.frozen_prefix import FrozenPrefix, can_be_skipped, frozen_layers
from fastbert.models.optimizers import find_optimizer
from fastbert.models.packing import packing
from fastbert.models.trained_rows import occurring_rows_trained
from fastbert.runtime import Runtime, freed_memory_kept
from fastbert.tasks.base import pad_batch

# Share of padding from which packed steps are faster (benchmarks/packing.py); batches sorted by length hold 1 to 6 %.
PACKING_PAYS = 0.2
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shortcuts:
    """What the frozen layers say of the training and of the validation rows, or None to run them each time.

    packed: whether the layers get the real tokens of a batch alone.
    """

    train: FrozenPrefix | None = None
    valid: FrozenPrefix | None = None
    packed: bool = False


@contextlib.contextmanager
def shortcuts(model: nn.Module, data: DataBunch, config: TrainConfig, runtime: Runtime) -> Iterator[Shortcuts]:
    """Prepare a model for one fit, and put it back as it was.

    Validation rows are kept in float32, so that their scores are those of the saved model.
    """
    with freed_memory_kept(), drawing_dropout(model), contextlib.ExitStack() as stack:
        if find_optimizer(config.optimizer).elementwise:
            ids = _occurring(data)
            if stack.enter_context(occurring_rows_trained(model, ids)):
                _log.info("word embeddings: the %d rows that occur are trained", len(ids))
        if not keeps_frozen_layers(model, config):
            yield Shortcuts(packed=stack.enter_context(_packed(model, data, config)))
            return
        exact = replace(runtime, precision="fp32")
        valid = None if data.folded else _prefix(model, data, "valid", config, exact)  # by folds it is not read
        yield Shortcuts(_prefix(model, data, "train", config, runtime), valid)


def keeps_frozen_layers(model: nn.Module, config: TrainConfig) -> bool:
    """Return whether a fit runs frozen layers once: where there are some, and their output is read more than once."""
    return config.freeze != "gradual" and math.ceil(config.epochs or 0) > 1 and frozen_layers(model) > 0


@contextlib.contextmanager
def _packed(model: nn.Module, data: DataBunch, config: TrainConfig) -> Iterator[bool]:
    """Pack batches for a block where they hold so much padding that it pays; yield whether that is done."""
    share = epoch_padding(
        data.training_costs(), batch_size=config.batch_size, batch_tokens=config.batch_tokens, seed=config.seed
    )
    if share < PACKING_PAYS:
        yield False
        return
    with packing(model, only_training=True) as packs:
        if packs:
            _log.info("batches are packed: %.0f %% of their tokens would be padding", 100 * share)
        yield packs


def _occurring(data: DataBunch) -> npt.NDArray[np.integer]:
    """Return the token ids of the training rows, and that of the padding beside them."""
    padding = [] if data.tokenizer is None else [data.tokenizer.pad_id]
    return np.unique(np.concatenate([data.encoded("train").features.windows.ids_T, np.array(padding, np.int64)]))


def _prefix(
    model: nn.Module, data: DataBunch, split: str, config: TrainConfig, runtime: Runtime
) -> FrozenPrefix | None:
    """Return the outputs of the frozen layers for all windows of a split, or None where that cannot be done."""
    tokenizer, num_frozen = data.tokenizer, frozen_layers(model)
    assert tokenizer is not None  # a learner's data has one
    encoded = data.encoded(split)
    prefix = FrozenPrefix(
        model,
        num_frozen,
        runtime=runtime,
        input_names=tokenizer.input_names,
        num_windows=len(encoded.features),
        num_tokens=int(encoded.features.length_W.sum()),
    )
    try:
        # always in this order, whatever the seed: what is kept depends on weights and rows alone
        batches = prediction_batches(encoded.costs, batch_tokens=config.batch_tokens)
        passes = (windows for rows in batches for windows in encoded.passes_of(rows, config.batch_tokens))
        for number, windows in enumerate(passes):
            tensors = to_tensors(pad_batch(windows, tokenizer.pad_id), runtime.device)
            if number == 0 and not can_be_skipped(prefix, tensors):
                _log.info("the layers of this encoder cannot be skipped; frozen ones are run each time")
                return None
            prefix.add(tensors)
    except OSError as error:
        _log.warning("no room for what the frozen layers say (%s); they are run each time", error.strerror or error)
        return None
    _log.info(
        "%s rows: %d frozen layers of %d were run once (%.0f MB kept)",
        split,
        num_frozen,
        len(layer_modules(model)),
        prefix.num_bytes / 1e6,
    )
    return prefix
