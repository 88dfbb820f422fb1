"""Models by several configurations, compared on the same rows, which none of them was trained on.

Where few rows are held out their score is chance; each configuration is then trained on several splits of the training
rows, and the answers are those to all rows held out. Knows nothing of what the configurations differ in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.models.loading import HeadFactory
from fastbert.tasks.base import Example, Prediction
from fastbert.training.callbacks import Callback
from fastbert.training.learner import Learner
from fastbert.training.state import Stage, together

# With fewer rows held out a score decides little: of 200 rows an accuracy of 0.8 is known to 0.03. Then so much
# is held out, in as many splits as it takes, but no more than four: each costs a training of every configuration. No
# row is held out twice: the same row counted as two would make the error of the score too small.
ENOUGH_ROWS, SPLIT_SHARE, MOST_SPLITS = 200, 0.2, 4


@dataclass(frozen=True)
class Trials:
    """What was answered. answers: to the examples, by the name of the configuration.

    own_split: whether the models were trained on the split of the data.
    stages: what was trained, by the name of the configuration, on all splits.
    """

    num_splits: int
    examples: Sequence[Example]
    answers: Mapping[str, Sequence[Prediction]]
    own_split: bool
    stages: Mapping[str, Sequence[Stage]] = field(default_factory=dict)

    def stage(self, name: str, kept: str = "") -> Stage:
        """Return what was trained as one stage of another model.    kept: the configuration whose model goes on."""
        return together(name, [one for config, found in self.stages.items() if config != kept for one in found])


def run_trials(
    data: DataBunch,
    configs: Mapping[str, TrainConfig],
    *,
    head: HeadFactory | None = None,
    callbacks: Sequence[Callback] = (),
    on_fit: Callable[[str], None] = lambda what: None,
    on_trained: Callable[[str, Learner], None] = lambda name, learner: None,
) -> Trials:
    """Train by each configuration on each split; return all answers.

    configs: by name.    on_fit: is told the name, and which split, of what is trained next.    on_trained: is given
        the learner of each name and split; who does not keep it lets go of its memory.
    """
    seed = next(iter(configs.values())).seed
    count = num_splits(data)
    splits = [data] if count == 0 else data.splits_anew(count, SPLIT_SHARE, seed)
    answers: dict[str, list[Prediction]] = {}
    stages: dict[str, list[Stage]] = {}
    for name, config in configs.items():
        answers[name], stages[name] = [], []
        for place, split in enumerate(splits, start=1):
            part = name + (f", split {place} of {len(splits)}" if len(splits) > 1 else "")
            on_fit(part)
            learner = Learner(split, config=config, head=head, callbacks=callbacks)
            learner.part = f"{part}, "
            learner.fit()
            answers[name] += learner.predictions("valid")
            stages[name] += learner.history.stages
            on_trained(name, learner)
            del learner  # before the next one is made
    examples = [example for split in splits for example in split.examples("valid")]
    return Trials(len(splits), examples, answers, count == 0, stages)


def num_splits(data: DataBunch) -> int:
    """Return how many splits are wanted; 0 where the validation rows are enough, the user's own, or all by folds."""
    if data.folded or len(data.splits["valid"]) >= ENOUGH_ROWS or not data.valid_held_out:
        return 0
    held_out = SPLIT_SHARE * (len(data.splits["train"]) + len(data.splits["valid"]))
    return min(math.ceil(ENOUGH_ROWS / held_out), MOST_SPLITS)
