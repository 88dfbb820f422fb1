"""FLOP of training steps, counted as they happen: of real tokens, with the layers that are trained at the time.

Knows nothing of seconds or of what a machine could do.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastbert.models.frozen_prefix import layers_left_out
from fastbert.models.work import Work, measure_work
from fastbert.training.step import Stepper


class FlopMeter:
    """Counts the FLOP of steps; the model is measured again whenever other parameters of it are trained.

    token_id: one that occurs in the training rows.
    """

    def __init__(self, stepper: Stepper, token_id: int) -> None:
        self._stepper = stepper
        self._token_id = token_id
        self._measured: dict[tuple[bool, ...], Work] = {}

    def flop(self, parts: Sequence[Sequence[int]]) -> float:
        """Return the FLOP of one step, forward and backward, from the lengths of the windows of each part.

        Padding is not counted, nor are frozen layers that are not run again.
        """
        work = self._work()
        passes = 2 if self._stepper.r_drop else 1
        return passes * sum(work.of(lengths) for lengths in parts)

    def _work(self) -> Work:
        stepper = self._stepper
        trained = tuple(parameter.requires_grad for parameter in stepper.model.parameters())
        if trained not in self._measured:
            kept = 0 if stepper.prefix is None else stepper.prefix.num_layers
            with layers_left_out(stepper.model, kept):
                arguments = (stepper.model, stepper.runtime, stepper.input_names, self._token_id)
                if kept:
                    measure_work(*arguments)  # the first calls of layers that are left out are true ones
                self._measured[trained] = measure_work(*arguments).training
        return self._measured[trained]
