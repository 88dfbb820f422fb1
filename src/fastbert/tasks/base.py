"""What every task must answer. The loop, batching, bundle and server know nothing more than this.

A task is a frozen dataclass: it serialises to its own JSON and knows one problem type: how
an example becomes windows, what its targets and its loss are, how outputs become predictions
and how predictions are scored. Knows nothing of files, optimisers or devices.

Axes: W windows of a batch, B examples of a batch, L tokens, C classes.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, Self, cast

import numpy as np
import numpy.typing as npt

from fastbert.config import DecisionConfig
from fastbert.data.examples import Example as Example  # named here too, where the author of a task looks
from fastbert.data.features import Array as Array
from fastbert.data.features import Feature as Feature
from fastbert.data.features import Features
from fastbert.errors import ConfigError

if TYPE_CHECKING:
    import torch

    from fastbert.config import DataConfig
    from fastbert.data.reading import AnyLayout
    from fastbert.data.tokens import Tokenizer
    from fastbert.decisions.rules import Decisions
    from fastbert.labels import Labels

Batch = dict[str, Array]
Divergence = Literal["softmax", "sigmoid", "square"]
Agreement = Literal["right", "partly", "wrong"]

DRAWS, DRAWN_ROWS = 50, 2000  # of the bootstrap: an error good to a tenth, at a bounded cost


@dataclass(frozen=True)
class Prediction(ABC):
    """The answer for one text; each task adds what it answers.

    labels: label names decided, for tasks that have labels; may be empty.
    scores: a number by label name, as the task defines it.
    text, pair: what it was made from.    cut: True if a part of the text was not read.
    """

    labels: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    text: str = field(default="", kw_only=True)
    pair: str | None = field(default=None, kw_only=True)
    cut: bool = field(default=False, kw_only=True)

    @property
    @abstractmethod
    def answer(self) -> Hashable:
        """Return what was decided, without scores: two predictions with equal answers agree."""

    def agrees(self, other: Prediction) -> bool:
        """Return whether another prediction for the same text has the same answer, or as good as."""
        return self.answer == other.answer

    @property
    @abstractmethod
    def numbers(self) -> Mapping[Hashable, float]:
        """Return the scores behind the answer, by what they are of."""

    @property
    @abstractmethod
    def cells(self) -> tuple[str, ...]:
        """Return the cells of a table, in the order of the task's `answer_columns`."""

    @abstractmethod
    def describe(self) -> str:
        """Return the answer in one line for people."""

    @abstractmethod
    def to_json(self) -> dict[str, object]:
        """Return plain values for JSON."""

    def _source_json(self) -> dict[str, object]:
        """Return what every prediction says of its text: the pair, and whether it was cut."""
        pair: dict[str, object] = {} if self.pair is None else {"pair": [self.text, self.pair]}
        return pair | ({"cut": True} if self.cut else {})


class Task(ABC):
    """One problem type. Subclasses are frozen dataclasses; see `regression` for the shortest one."""

    name: ClassVar[str]
    head: ClassVar[str]  # completes AutoModelFor<head>
    pipeline: ClassVar[str] = ""  # of transformers, that opens the bundle too
    monitor: ClassVar[str]  # the score that chooses the weights to keep; higher is better, always
    stand_ins: ClassVar[tuple[str, ...]] = ("log_loss",)  # what chooses instead where it is undefined; lower is better
    answer_metric: ClassVar[str]  # a score of the answers as decided, higher is better; an export has to keep both
    headlines: ClassVar[tuple[str, ...]]  # the scores that are shown first
    losses: ClassVar[tuple[str, ...]] = ("default",)  # that `with_loss` knows
    tried_losses: ClassVar[tuple[str, ...]] = ()  # what "auto" compares with the default where labels are imbalanced
    counted: ClassVar[str] = "label"  # what `counts` counts, for people
    outputs: ClassVar[tuple[str, ...]] = ("logits",)  # of the model, that `decode` reads
    divergence: ClassVar[Divergence | None] = None  # of two passes over one batch (`r_drop`); None: there is none
    by_token: ClassVar[bool] = False  # whether outputs are (W, L, ...), and the loss a sum over windows
    pairs: ClassVar[bool | None] = None  # whether it reads two texts; None: as the training table had it
    always_windows: ClassVar[bool] = False  # whether a longer text is read in windows, whatever `truncation` says
    default_max_tokens: ClassVar[int] = 512  # of an input, where nothing is asked for and the encoder takes so many

    @classmethod
    @abstractmethod
    def from_examples(cls, examples: Sequence[Example], layout: AnyLayout, config: DataConfig) -> Self:
        """Make the task for training rows. Raises DataError where nothing can be learned from them."""

    @property
    @abstractmethod
    def model_options(self) -> dict[str, object]:
        """Return the options of the model's configuration: label names, problem type."""

    @property
    def label_names(self) -> tuple[str, ...]:
        """Return the names of the model's outputs, in their order; () where they have none."""
        return tuple(cast("dict[int, str]", self.model_options.get("id2label", {})).values())

    @property
    def known_labels(self) -> Labels | None:
        """Return the labels that further rows may have, None where any truth will do."""
        return None

    def describe(self) -> str:
        """Return the task in one phrase for people."""
        return f"{self.name}, {len(self.label_names)} labels"

    @property
    def fitted(self) -> str:
        """Return what `fit_decisions` fits to validation rows, for people; nothing if nothing."""
        return ""

    @abstractmethod
    def rule(self, decisions: Decisions) -> str:
        """Return how outputs become answers, as a sentence for people."""

    @property
    def caveat(self) -> str:
        """Return what a reader of its answers must know, as a sentence, or nothing."""
        return ""

    def with_loss(self, kind: str, examples: Sequence[Example]) -> Self:
        """Return the task with another loss than its default. Raises ConfigError for one that it does not have."""
        hint = f"Use loss={' or '.join(self.losses)}."
        raise ConfigError(f"loss is '{kind}', which the task '{self.name}' does not know.", hint)

    def imbalance(self, examples: Sequence[Example]) -> float:
        """Return how many times as frequent the most frequent of what can be learned is as the rarest; 1 if even."""
        return 1.0

    def repeats(self, examples: Sequence[Example]) -> npt.NDArray[np.float64] | None:
        """Return how often each training row comes in an epoch, on average; None: once."""
        return None

    # -- what it makes of training rows ---------------------------------------------------------

    @abstractmethod
    def strata(self, examples: Sequence[Example]) -> list[tuple[str, ...]]:
        """Return for each row what its share is kept of, when rows are held out."""

    @abstractmethod
    def counts(self, examples: Sequence[Example]) -> dict[str, int]:
        """Return how often what can be learned occurs, by name."""

    def warnings(self, splits: Mapping[str, Sequence[Example]]) -> list[str]:
        """Return what looks wrong in the rows, in sentences that say what to do."""
        return []

    def token_warnings(self, features: Sequence[Feature]) -> list[str]:
        """Return what looks wrong once the training rows are tokens, in sentences that say what to do."""
        return []

    def prior_logits(self, examples: Sequence[Example]) -> npt.NDArray[np.float64] | None:
        """Return the outputs of a model that knows only how often each label occurs, or None.

        The bias of a fresh head starts there, so that the first steps need not learn it.
        """
        return None

    # -- from text to loss and to answers -------------------------------------------------------

    @abstractmethod
    def encode(
        self, examples: Sequence[Example], tokenizer: Tokenizer, max_tokens: int, first_index: int = 0
    ) -> Sequence[Feature]:
        """Return the windows of examples, in order; example indices count from first_index."""

    @abstractmethod
    def targets(self, features: Sequence[Feature], length: int, rng: np.random.Generator) -> Batch:
        """Return the target arrays of a batch padded to length; may replace input_ids."""

    @abstractmethod
    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Return the SUM of the loss and the count it must be divided by.

        The loop adds up both and divides once per optimiser step, so that neither
        accumulation nor the number of ranks can change a result.
        """

    @abstractmethod
    def decode(
        self,
        outputs: Mapping[str, Array],
        features: Sequence[Feature],
        examples: Sequence[Example],
        decisions: Decisions,
    ) -> list[Prediction]:
        """Return one prediction per example. Numpy only.

        examples: those that the features are windows of, in order of first appearance.
        """

    @property
    @abstractmethod
    def answer_columns(self) -> tuple[str, ...]:
        """Return the columns that an answer adds to a table: the names of `Prediction.cells`."""

    def columns_of(self, decisions: Decisions) -> tuple[str, ...]:
        """Return the columns that an answer by a rule adds to a table."""
        return self.answer_columns

    # -- how good answers are ---------------------------------------------------------------------

    @abstractmethod
    def score(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, float]:
        """Return the metrics of predictions against what the examples say."""

    def ranking(self, scores: Mapping[str, float]) -> tuple[str, float] | None:
        """Return the score that chooses the weights to keep: its name, and a number that is higher where it is better.

        That is the monitored one, or the first stand-in where the rows leave it undefined; None without any.
        """
        if self.monitor in scores:
            return self.monitor, scores[self.monitor]
        return next(((name, -scores[name]) for name in self.stand_ins if name in scores), None)

    def score_error(
        self,
        predictions: Sequence[Prediction],
        examples: Sequence[Example],
        against: Sequence[Prediction] | None = None,
    ) -> float:
        """Return the standard error of the score that chooses (`ranking`), 0 where there is none.

        against: other predictions of the same rows; the error is then that of the difference to their score.
        It is the standard deviation over draws of the rows with replacement (the bootstrap of Efron 1979), of
        at most DRAWN_ROWS rows each; for more rows it is scaled by the root of their number.
        """
        rng = np.random.default_rng(0)
        drawn = min(len(examples), DRAWN_ROWS)
        found: dict[str, list[float]] = {}
        for rows in rng.integers(0, len(examples), (DRAWS, drawn)):
            said = [[answers[row] for row in rows] for answers in (predictions, against) if answers is not None]
            scores = [self.ranking(self.score(answers, [examples[row] for row in rows])) for answers in said]
            ranked = [one for one in scores if one is not None]
            if len(ranked) == len(said) and len({name for name, _ in ranked}) == 1:
                name, value = ranked[0]
                found.setdefault(name, []).append(value - (ranked[1][1] if len(ranked) > 1 else 0.0))
        # a stand-in counts only where no draw has the monitored score
        values = found.get(self.monitor) or next(iter(found.values()), [0.0])
        return float(np.std(values)) * math.sqrt(drawn / len(examples))

    def score_labels(
        self, predictions: Sequence[Prediction], examples: Sequence[Example]
    ) -> dict[str, dict[str, float | int | None]]:
        """Return the metrics of each label by name; {} where there are no labels."""
        return {}

    def collapsed(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> str:
        """Return that all rows have one answer though their truths differ, as half a sentence; nothing if not."""
        return ""

    def open_rule(self, decisions: Decisions) -> Decisions:
        """Return a rule without what holds answers back."""
        return decisions

    def confusion(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> list[list[int]] | None:
        """Return counts of true (rows) against decided labels (columns), or None where that has no meaning."""
        return None

    def check_truths(self, examples: Sequence[Example]) -> None:
        """Raise DataError for rows that measure nothing, because no answer of the model can be right there."""
        return

    @abstractmethod
    def row_loss(self, prediction: Prediction, example: Example) -> float:
        """Return how wrong one prediction is: a number by which rows can be ordered."""

    def agreement(self, prediction: Prediction, example: Example) -> Agreement:
        """Return whether a prediction is right, partly right or wrong."""
        return "right" if prediction.answer == example.truth else "wrong"

    @abstractmethod
    def fit_decisions(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Decisions:
        """Return the decision rule fitted on validation predictions."""

    def check_rule(self, config: DecisionConfig) -> None:
        """Raise ConfigError for options of a decision rule that the task does not know."""
        refuse_options(config, self.name)

    def fit_rule(
        self, predictions: Sequence[Prediction], examples: Sequence[Example], config: DecisionConfig
    ) -> Decisions:
        """Return the rule to save: what a user asks for, fitted on validation rows.

        predictions: with the model's own scores, by the default rule. `fit_decisions` is its quick form, by which
        weights are compared. Raises ConfigError for what the task does not know.
        """
        self.check_rule(config)
        return self.fit_decisions(predictions, examples)

    def redecide(self, predictions: Sequence[Prediction], decisions: Decisions) -> list[Prediction]:
        """Return predictions as another decision rule makes them; a task without one leaves them as they are."""
        return list(predictions)

    def pack(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, Array]:
        """Return what a rule can be fitted to again, as arrays without texts; {} where there is nothing to decide."""
        return {}

    def unpack(self, arrays: Mapping[str, Array]) -> tuple[list[Prediction], list[Example]]:
        """Return predictions by the default rule, and examples, without texts, from what `pack` returned."""
        return [], []

    @abstractmethod
    def to_json(self) -> dict[str, object]:
        """Return plain values, `name` among them, from which `from_json` makes the task again."""

    @classmethod
    @abstractmethod
    def from_json(cls, values: Mapping[str, object]) -> Self:
        """Make the task again. Raises BundleError where a value is missing or wrong."""


def refuse_options(config: DecisionConfig, task: str, known: Sequence[str] = ()) -> None:
    """Raise ConfigError for options of a decision rule that a task does not know; `calibrate` has its own meaning."""
    default = DecisionConfig().to_json()
    for name, value in config.to_json().items():
        if name not in known and value != default[name]:
            raise ConfigError(f"{name} is {value!r}, which the task '{task}' does not know.", "Leave it out.")


def pad_batch(features: Sequence[Feature], pad_id: int) -> Batch:
    """Return input_ids, attention_mask and token_type_ids as int64 of shape (W, L).

    Adds `example_of_window`, int64 of shape (W,): which row of the merged batch a window
    belongs to, counted from 0 in order of first appearance.
    """
    packed = Features.of(features)
    windows = packed.windows
    places_WL, mask_WL = windows.places_WL()
    return {
        "input_ids": np.where(mask_WL, windows.ids_T[places_WL], np.int64(pad_id)),
        "attention_mask": mask_WL.astype(np.int64),
        "token_type_ids": (
            np.zeros(mask_WL.shape, np.int64) if windows.types_T is None else windows.types_T[places_WL] * mask_WL
        ).astype(np.int64),
        "example_of_window": np.array(packed.merged[1], np.int64),
    }
