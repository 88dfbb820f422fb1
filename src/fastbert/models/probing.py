"""Whether a changed way to compute works, and gives the answers of before: found by trying, on two made-up texts.

Knows nothing of what was changed, and no family of encoders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import nn

from fastbert.config import Precision
from fastbert.errors import ConfigError
from fastbert.runtime import Runtime

PROBE_IDS = ((0, 1, 2, 3, 4, 5, 6), (6, 5, 4, 3, 2, 1, 0))  # every vocabulary has them
PROBE_LENGTHS = (7, 4)
TOLERANCE = 1e-5  # of a logit, in float32
_FAILURES = (RuntimeError, IndexError, ValueError, TypeError)  # what was changed, each says in its own words


def probe(model: nn.Module) -> torch.Tensor | None:
    """Return what a model says of two texts, one of them padded; None if it says nothing (`said`)."""
    device = next(model.parameters()).device
    ids = torch.tensor(PROBE_IDS, device=device)
    mask = (torch.arange(ids.shape[1]) < torch.tensor(PROBE_LENGTHS)[:, None]).long().to(device)
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            return said(model(input_ids=ids, attention_mask=mask), mask)
    finally:
        model.train(was_training)


def said(outputs: Mapping[str, object], mask_WL: torch.Tensor) -> torch.Tensor | None:
    """Return the logits of windows, (W, ...), or None if there are none.

    Those of tokens are 0 where there is padding, which nobody reads; two outputs of tokens are laid side by side.
    """
    found = [output for name, output in outputs.items() if name.endswith("logits") and isinstance(output, torch.Tensor)]
    if not found:
        return None
    logits = found[0] if len(found) == 1 else torch.stack(found, dim=-1)
    if logits.dim() == 3 and logits.shape[1] == mask_WL.shape[1]:
        logits = logits * mask_WL[..., None]
    return logits


def answers_alike(model: nn.Module, before: torch.Tensor) -> bool:
    """Return whether a model gives the logits of an earlier probe; False if it fails on it."""
    try:
        after = probe(model)
    except _FAILURES:
        return False
    return after is not None and after.shape == before.shape and torch.allclose(after, before, rtol=0, atol=TOLERANCE)


def working_runtime(model: nn.Module, runtime: Runtime, input_names: Sequence[str], asked: Precision) -> Runtime:
    """Return the runtime if a model computes in its precision, else the same device in float32.

    transformers' DeBERTa, the first one, masks with a number that neither bfloat16 nor float16 can hold.
    model: on the device.    asked: the precision that the user chose.
    Raises ConfigError where the user chose the one that fails. What fails in float32 as well is left to say so itself.
    """
    if runtime.precision == "fp32" or (why := _failure(model, runtime, input_names)) is None:
        return runtime
    plain = replace(runtime, precision="fp32", reason=f"this encoder fails in {runtime.precision}")
    if _failure(model, plain, input_names) is not None:
        return runtime
    if asked != "auto":
        raise ConfigError(
            f"precision is {runtime.precision}, in which this encoder fails: {why}.",
            "Use --precision auto or fp32; to answer, --backend torch.",
        )
    return plain


def _failure(model: nn.Module, runtime: Runtime, input_names: Sequence[str]) -> str | None:
    """Return how a forward pass fails, None if it does not. The mode of the model is restored."""
    values = {
        "input_ids": torch.tensor(PROBE_IDS),
        "attention_mask": torch.ones(len(PROBE_IDS), len(PROBE_IDS[0])).long(),
    }
    inputs = {name: values.get(name, torch.zeros_like(values["input_ids"])).to(runtime.device) for name in input_names}
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode(), runtime.autocast():
            model(**inputs)
    except _FAILURES as error:
        return str(error).strip().rstrip(".").splitlines()[0] if str(error).strip() else type(error).__name__
    finally:
        model.train(was_training)
    return None
