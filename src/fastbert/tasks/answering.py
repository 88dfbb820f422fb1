"""Extractive question answering: the part of a context that answers a question, or none where it has no answer.

The question is the text, the context the pair. Windows slide over a long context and each begins with the question.
Two outputs say of each token how much the answer begins, or ends, there; [CLS] stands for "no answer" (Devlin et al.
2019, sections 4.2 and 4.3). Torch is touched only inside `loss`.

Axes: W windows, L tokens, N rows of a data set.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self, cast

import numpy as np
import numpy.typing as npt

from fastbert.config import DataConfig
from fastbert.data.answer_tokens import ABSENT, NONE, WHOLE, WIDENED, find_answer_tokens
from fastbert.data.checks import text_warnings
from fastbert.data.examples import Answer, QuestionExample
from fastbert.data.features import Features, PieceFinder, Range
from fastbert.data.offsets import PAIR, TEXT, Offsets
from fastbert.data.windows import Windows
from fastbert.decisions.answers import MAX_ANSWER_TOKENS, ContextTokens, best_answers
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError, DataError
from fastbert.metrics.answers import answer_matches, answer_scores, best_no_answer_threshold, normalized_answer
from fastbert.tasks.answer_prediction import answered, decide
from fastbert.tasks.base import Agreement, Array, Batch, Example, Feature, Prediction, Task

if TYPE_CHECKING:
    import torch

    from fastbert.data.reading import AnyLayout
    from fastbert.data.tokens import Tokenizer

OVERLAP_SHARE = 3  # windows of 384 tokens share 128 of the context, as in run_squad.py; shorter ones as large a part
LONG_ANSWERS = 0.99  # share of the training answers that may be decided for; 30 tokens are what SQuAD needs
MAX_MARGIN = 1e6  # logits; stands for infinity in what is saved
EPSILON = 1e-15  # keeps the logarithm finite
WITH, WITHOUT = "with an answer", "without an answer"


@dataclass(frozen=True)
class Answering(Task):
    """A part of a context that answers a question.

    unanswerable: some training questions have no answer in their context, and the model may say so.
    max_answer_tokens: of the longest answer that is given.
    """

    unanswerable: bool = False
    max_answer_tokens: int = MAX_ANSWER_TOKENS

    name: ClassVar[str] = "answering"
    head: ClassVar[str] = "QuestionAnswering"
    pipeline: ClassVar[str] = "question-answering"
    monitor: ClassVar[str] = "f1"
    answer_metric: ClassVar[str] = "exact_match"
    counted: ClassVar[str] = "question"
    headlines: ClassVar[tuple[str, ...]] = (
        *("f1", "exact_match"),
        *("f1_answered", "exact_match_answered", "no_answer_accuracy"),
    )
    outputs: ClassVar[tuple[str, ...]] = ("start_logits", "end_logits")
    by_token: ClassVar[bool] = True
    pairs: ClassVar[bool | None] = True
    always_windows: ClassVar[bool] = True
    default_max_tokens: ClassVar[int] = 384  # max_seq_length of run_squad.py

    @classmethod
    def from_examples(cls, examples: Sequence[Example], layout: AnyLayout, config: DataConfig) -> Self:
        """Make the task for training rows. Raises DataError where no question has an answer."""
        answers = [_answers(example) for example in examples]
        lengths = [_rough_tokens(found[0].text) for found in answers if found]
        if not lengths:
            raise DataError(
                f"None of the {len(examples):,} questions has an answer.",
                "Name the column of the answers with --label.",
            )
        longest = int(np.quantile(lengths, LONG_ANSWERS, method="lower"))
        return cls(unanswerable=len(lengths) < len(answers), max_answer_tokens=max(MAX_ANSWER_TOKENS, longest))

    @property
    def model_options(self) -> dict[str, object]:
        """Return the number of outputs a token: whether the answer starts, and whether it ends there."""
        return {"num_labels": 2}

    @property
    def fitted(self) -> str:
        """Return "margin of no answer" where there may be none."""
        return "margin of no answer" if self.unanswerable else ""

    def describe(self) -> str:
        """Return the task, and whether it may find no answer."""
        return "answering of questions by a part of their context" + (", or by nothing" if self.unanswerable else "")

    def rule(self, decisions: Decisions) -> str:
        """Return how the outputs become an answer."""
        best = (
            f"The answer is the part of the context, of at most {self.max_answer_tokens} tokens, whose first and last "
            "token have the highest sum of start and end logit in any window."
        )
        if not self.unanswerable:
            return best
        none = "None is given where the sum at the first token ([CLS]) of every window is higher"
        return f"{best} {none}{_by_how_much(decisions.no_answer_margin)}."

    @property
    def caveat(self) -> str:
        """Return that answers are quotations, and what happens where there is none."""
        where_none = "it may say that there is none" if self.unanswerable else "it gives one all the same"
        return f"It answers in the words of the context; where that has no answer, {where_none}."

    def strata(self, examples: Sequence[Example]) -> list[tuple[str, ...]]:
        """Return whether each question has an answer."""
        return [(WITH if _answers(example) else WITHOUT,) for example in examples]

    def counts(self, examples: Sequence[Example]) -> dict[str, int]:
        """Return how many questions have an answer, and how many have none."""
        found = Counter(name for (name,) in self.strata(examples))
        return {name: found[name] for name in (WITH, WITHOUT) if found[name]}

    def warnings(self, splits: Mapping[str, Sequence[Example]]) -> list[str]:
        """Return what looks wrong with the texts, contexts in two splits, and questions unlike those in train."""
        found = text_warnings(splits)
        contexts = {example.pair for example in splits.get("train", ())}
        for split, examples in splits.items():
            shared = sum(example.pair in contexts for example in examples) if split != "train" else 0
            if shared:
                found.append(
                    f"{shared:,} of {len(examples):,} questions in {split} are about a context that is in train too: "
                    "the scores will look better than they are. Remove these questions from train."
                )
            without = self.counts(examples).get(WITHOUT, 0)
            if without and not self.unanswerable:
                found.append(
                    f"{without:,} of {len(examples):,} questions in {split} have no answer, but all in train have one: "
                    "the model will answer every question. Add some without an answer to train."
                )
        return found

    def token_warnings(self, features: Sequence[Feature]) -> list[str]:
        """Return how many answers were widened to whole tokens, and how many are in no window as a whole."""
        return _token_warnings(Features.of(features))

    def encode(
        self, examples: Sequence[Example], tokenizer: Tokenizer, max_tokens: int, first_index: int = 0
    ) -> Features:
        """Return the windows of each question with the place of its answer, and the characters of their tokens."""
        windows, offsets = tokenizer.encode_with_offsets(
            [example.text for example in examples],
            [example.pair or "" for example in examples],
            max_tokens=max_tokens,
            truncation="windows",
            slide="pair",
            overlap=max_tokens // OVERLAP_SHARE,
        )
        known = all(example.truth is not None for example in examples)
        answers = [_answers(example) for example in examples if known]
        targets_W = find_answer_tokens(windows, offsets, answers) if known else None
        columns: dict[str, Array] = {
            "context": offsets.source_T == PAIR,
            "start": offsets.start_T,
            "end": offsets.end_T,
        }
        windows = windows.counted_from(first_index) if first_index else windows
        return Features(windows, targets_W, _piece_finder(windows, offsets), columns)

    def targets(self, features: Sequence[Feature], length: int, rng: np.random.Generator) -> Batch:
        """Return `start_positions` and `end_positions`, int64 (W,)."""
        targets_W = Features.of(features).targets_W
        if targets_W is None:
            raise ValueError("features of questions whose answers are not known have no targets")
        return {"start_positions": targets_W[:, 0].astype(np.int64), "end_positions": targets_W[:, 1].astype(np.int64)}

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Return the cross entropy of start and end, their mean summed over windows, and the number of windows."""
        from fastbert.models import losses

        return losses.span_sum(
            outputs["start_logits"],
            outputs["end_logits"],
            batch["start_positions"],
            batch["end_positions"],
            batch["attention_mask"],
        )

    def decode(
        self,
        outputs: Mapping[str, Array],
        features: Sequence[Feature],
        examples: Sequence[Example],
        decisions: Decisions,
    ) -> list[Prediction]:
        """Return one answer per example, the best of all its windows."""
        packed = Features.of(features)
        firsts, owners = packed.merged
        tokens = ContextTokens(
            cast("npt.NDArray[np.bool_]", packed.padded("context", 0)),
            cast("npt.NDArray[np.int32]", packed.padded("start", 0)),
            cast("npt.NDArray[np.int32]", packed.padded("end", 0)),
        )
        start_WL, end_WL = (cast("npt.NDArray[np.float32]", outputs[name]) for name in self.outputs)
        ranked = best_answers(start_WL, end_WL, tokens, np.array(owners), max_answer_tokens=self.max_answer_tokens)
        cut_N = packed.windows.table_W["cut"][firsts].tolist()
        return [
            decide(found, example, cut=cut, unanswerable=self.unanswerable, margin=decisions.no_answer_margin)
            for found, example, cut in zip(ranked, examples, cut_N, strict=True)
        ]

    @property
    def answer_columns(self) -> tuple[str, ...]:
        """Return the answer, its characters in the context, and its score."""
        return ("answer", "start", "end", "score")

    def score(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, float]:
        """Return exact match and F1 as the official scripts of SQuAD compute them (`metrics.answers`)."""
        return answer_scores(_texts(predictions), _questions(examples))

    def score_error(
        self,
        predictions: Sequence[Prediction],
        examples: Sequence[Example],
        against: Sequence[Prediction] | None = None,
    ) -> float:
        """Return the standard error of F1: of a mean over rows it is known, and nothing need be drawn."""
        _, f1_N = answer_matches(_texts(predictions), _questions(examples))
        if against is not None:
            f1_N = f1_N - answer_matches(_texts(against), _questions(examples))[1]
        return float(f1_N.std() / math.sqrt(len(f1_N))) if len(f1_N) else 0.0

    def check_truths(self, examples: Sequence[Example]) -> None:
        """Raise DataError where no question has an answer, and the model always gives one."""
        if not self.unanswerable and not any(_answers(example) for example in examples):
            raise DataError(
                f"None of the {len(examples):,} questions has an answer, but the model always gives one.",
                "Name the column of the answers with --label, or train with some questions that have none.",
            )

    def row_loss(self, prediction: Prediction, example: Example) -> float:
        """Return the negative logarithm of the probability of the right answers.

        Where none of them is among the alternatives, they may have all that these leave.
        """
        known, said = _answers(example), answered(prediction)
        right = set(map(normalized_answer, cast("QuestionExample", example).right_texts))
        if not known:
            return -math.log(max(said.no_answer, EPSILON))
        among = [span.score for span in said.alternatives if normalized_answer(span.answer) in right]
        rest = 1.0 - said.no_answer - sum(span.score for span in said.alternatives)
        return -math.log(max(sum(among) if among else rest, EPSILON))

    def agreement(self, prediction: Prediction, example: Example) -> Agreement:
        """Return "right" for an exact match, "partly" for one that shares words."""
        exact_N, f1_N = answer_matches(_texts([prediction]), _questions([example]))
        return "right" if exact_N[0] else "partly" if f1_N[0] else "wrong"

    def fit_decisions(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Decisions:
        """Return the margin of no answer with the best F1 on these rows, if there are both kinds of questions."""
        has_answer_N = np.array([bool(_answers(example)) for example in examples], np.bool_)
        if not self.unanswerable or has_answer_N.all() or not has_answer_N.any():
            return Decisions()
        best = [said.alternatives[0].answer if said.alternatives else "" for said in map(answered, predictions)]
        _, f1_N = answer_matches(best, _questions(examples))
        margins_N = np.clip([answered(one).margin for one in predictions], -MAX_MARGIN, MAX_MARGIN)
        return Decisions(no_answer_margin=best_no_answer_threshold(margins_N, f1_N, has_answer_N)[0])

    def redecide(self, predictions: Sequence[Prediction], decisions: Decisions) -> list[Prediction]:
        """Return the answers at another margin of no answer."""
        margin = decisions.no_answer_margin if self.unanswerable else math.inf
        return [answered(prediction).at_margin(margin) for prediction in predictions]

    def to_json(self) -> dict[str, object]:
        """Return all fields."""
        return {
            "name": self.name,
            "unanswerable": self.unanswerable,
            "max_answer_tokens": self.max_answer_tokens,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Self:
        """Read what `to_json` wrote."""
        unanswerable, longest = values.get("unanswerable"), values.get("max_answer_tokens")
        if not isinstance(unanswerable, bool) or not isinstance(longest, int) or longest < 1:
            raise BundleError(
                f"bundle.json: the task 'answering' has {unanswerable!r} for unanswerable and {longest!r} for "
                "max_answer_tokens; expected true or false, and a number from 1."
            )
        return cls(unanswerable, longest)


def _token_warnings(features: Features) -> list[str]:
    if features.targets_W is None:
        return []
    firsts, owners = features.merged
    held_N4 = np.zeros((len(firsts), 4), np.bool_)
    held_N4[owners, features.targets_W[:, 2].astype(np.intp)] = True
    widened = int(held_N4[:, WIDENED].sum())
    absent = int((held_N4[:, ABSENT] & ~held_N4[:, WHOLE] & ~held_N4[:, WIDENED]).sum())
    answers = f"of {int((~held_N4[:, NONE]).sum()):,} answers"
    found = []
    if widened:
        found.append(
            f"{widened:,} {answers} begin or end inside of a token: the whole token is learned, and will be answered."
        )
    if absent:
        found.append(
            f"{absent:,} {answers} are in no window as a whole and cannot be learned. Give longer windows with "
            "--max-tokens, or shorter answers."
        )
    return found


def _piece_finder(windows: Windows, offsets: Offsets) -> PieceFinder:
    """Return what finds the characters of the question that a window begins with."""

    def find(example: int, window: int) -> Sequence[Range]:
        table_W = windows.table_W
        (place,) = np.flatnonzero((table_W["example"] == example) & (table_W["window"] == window))
        tokens = np.arange(table_W["length"][place]) + table_W["start"][place]
        of_text = tokens[offsets.source_T[tokens] == TEXT]
        return [(int(offsets.start_T[of_text[0]]), int(offsets.end_T[of_text[-1]]))] if len(of_text) else []

    return find


def _by_how_much(margin: float) -> str:
    if margin == 0:
        return ""
    return f" by more than {margin:.4g}" if margin > 0 else f", or by less than {-margin:.4g} lower"


def _rough_tokens(text: str) -> int:
    """Return about how many tokens a text has: no tokenizer is known yet. A long word has several, a sign is one.

    >>> _rough_tokens("in Reykjavik (1986)")
    6
    """
    words = re.findall(r"\w+|[^\w\s]", text)
    return sum(-(-len(word) // 6) if word.isascii() else len(word) for word in words)


def _texts(predictions: Sequence[Prediction]) -> list[str]:
    return [answered(prediction).answer for prediction in predictions]


def _questions(examples: Sequence[Example]) -> Sequence[QuestionExample]:
    return cast("Sequence[QuestionExample]", examples)


def _answers(example: Example) -> tuple[Answer, ...]:
    """Return the answers to a question. Raises ValueError where they are not known."""
    answers = cast("QuestionExample", example).answers
    if answers is None:
        raise ValueError(f"{example.where}: a question whose answers are not known cannot be scored")
    return answers
