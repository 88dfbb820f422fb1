"""Metrics as lines of the log, from which SageMaker and its tuner read them by regular expressions.

Each number is a token `name=value;` whose name begins with its rows: eval_ of the validation rows after an evaluation,
valid_ and test_ of the model that was saved. So no name ends another, and an expression meets its own number only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from fastbert.errors import ConfigError, did_you_mean
from fastbert.sagemaker.parts import is_main
from fastbert.tasks import TASKS
from fastbert.training.callbacks import Callback
from fastbert.training.state import RunState

EVALUATED = "eval"
SAVED = ("valid", "test")  # the splits that are scored with the saved model
MOST_DEFINITIONS = 40  # that SageMaker takes
NUMBER = "([-+0-9.eE]+)"


def metric_line(values: Mapping[str, float]) -> str:
    """Return one line of metrics; what is no finite number is left out, for no expression would meet it.

    >>> metric_line({"eval_f1": 0.912345678, "eval_r2": float("nan"), "epoch": 2.0, "step": 500})
    'eval_f1=0.912346; epoch=2; step=500;'
    """
    finite = {name: value for name, value in values.items() if math.isfinite(value)}
    return " ".join(f"{_token(name)}={value:.6g};" for name, value in finite.items())


def scores_of(split: str, scores: Mapping[str, float]) -> dict[str, float]:
    """Return scores under the names of the lines."""
    return {f"{split}_{name}": float(value) for name, value in scores.items()}


def metric_definitions(task: str = "single_label") -> list[dict[str, str]]:
    """Return what boto3 takes as MetricDefinitions: the main scores of a task, and the training loss.

    A tuner should aim at a valid_ metric: it takes the last value that a job wrote, and those are of the saved model.
    Raises ConfigError for an unknown task.

    >>> metric_definitions()[1]
    {'Name': 'eval_accuracy', 'Regex': 'eval_accuracy=([-+0-9.eE]+);'}
    """
    if task not in TASKS:
        raise ConfigError(
            f"task is '{task}'; expected one of {', '.join(TASKS)}.",
            did_you_mean(task, TASKS) or "It is the task of the table.",
        )
    kind = TASKS[task]
    scores = dict.fromkeys([*kind.headlines, kind.monitor])
    names = ["train_loss", *(f"{split}_{name}" for split in (EVALUATED, *SAVED) for name in scores)]
    assert len(names) <= MOST_DEFINITIONS
    return [{"Name": name, "Regex": f"{_token(name)}={NUMBER};"} for name in map(_token, names)]


class MetricLines(Callback):
    """Writes one line for each evaluation of the model that is to be saved; models beside it have none.

    write: is given a line, without its end.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._part = ""

    def on_part(self, name: str) -> None:
        """Note what is trained next."""
        self._part = name

    def on_evaluate(self, state: RunState) -> None:
        """Write the scores, the loss of the last step, and where the training stands."""
        if is_main(self._part):
            place = {"train_loss": state.loss, "epoch": state.global_epoch, "step": state.global_step}
            self._write(metric_line({**scores_of(EVALUATED, state.scores), **place}))


def _token(name: str) -> str:
    return re.sub(r"\W+", "_", name)
