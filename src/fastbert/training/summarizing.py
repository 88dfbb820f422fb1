"""Training a model that writes summaries: a short loop of its own, for generation is no pass of an encoder.

Steps, optimizers, schedules, batches and runtime are those of every other training. After each epoch the loss of the
held-out rows chooses the weights to keep; at the end their summaries are written and measured by ROUGE. Knows nothing
of tables or of how anything is shown.

Axes: B texts of a batch, L tokens of a text, T tokens of a summary, V words.
"""

from __future__ import annotations

import math
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from transformers import PreTrainedModel

from fastbert.config import Precision, TrainConfig
from fastbert.data.batches import num_steps, prediction_batches, training_steps
from fastbert.data.examples import TextExample
from fastbert.data.features import EncodedRows, Features
from fastbert.data.summary_pairs import SummaryPair, hold_out
from fastbert.data.windows import Windows
from fastbert.errors import ConfigError, TrainingError
from fastbert.inference.generation import AbstractiveSummarizer, BeamSearch, check_lengths, prefix_of
from fastbert.inference.summaries import lead
from fastbert.inference.torch_backend import model_inputs, to_tensors
from fastbert.metrics.text import mean_rouge
from fastbert.models.dropout import drawing_dropout
from fastbert.models.loading import Encoder, load_writer, save_model
from fastbert.models.optimizers import apply_schedule, find_optimizer, make_optimizer
from fastbert.models.schedules import Schedule, find_schedule, make_schedule
from fastbert.option_values import check_range
from fastbert.runtime import Runtime, choose_runtime, seed_everything, untouched_rng
from fastbert.tasks.base import Batch, Feature, pad_batch
from fastbert.tasks.texts import encode_texts
from fastbert.training.step import Stepper, make_scaler

NO_TOKEN = -100  # what transformers and torch's cross entropy leave out
INPUTS = ("input_ids", "attention_mask", "labels")
SCORED_ROWS = 200  # held-out rows that are summarised at the end: beam search is slow


@dataclass(frozen=True)
class SummarizerConfig:
    """How a summariser is trained.

    max_tokens: of a text, None for what the checkpoint takes; what is longer is cut at its end.
    max_summary_tokens: of a summary, in training and when it is written; None for 128, or max_tokens if that is less.
    """

    epochs: int = 3
    lr: float = 5e-5  # default of transformers' Trainer
    batch_size: int = 8
    optimizer: str = "adamw"
    schedule: str = "warmup_linear"
    max_tokens: int | None = None
    max_summary_tokens: int | None = None
    valid_share: float = 0.1
    seed: int = 0
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        for name, value in (("epochs", self.epochs), ("batch_size", self.batch_size)):
            if value < 1:
                raise ConfigError(f"{name} is {value}; expected at least 1.")
        check_range("seed", self.seed, 0, 2**32 - 1)
        for length in (self.max_tokens, self.max_summary_tokens):
            if length is not None and length < 8:
                raise ConfigError(f"A length in tokens is {length}; expected at least 8.")
        find_optimizer(self.optimizer)
        find_schedule(self.schedule)


@dataclass(frozen=True)
class EpochRecord:
    """One epoch. loss: mean of its steps.    valid_loss: mean over the held-out summary tokens, without dropout.

    best: the least valid_loss so far.
    """

    epoch: int
    loss: float
    valid_loss: float
    best: bool


@dataclass(frozen=True)
class CutRows:
    """How many texts and summaries were longer than what is read, and learned by their beginning."""

    texts: int
    summaries: int


@dataclass(frozen=True)
class TrainedSummarizer:
    """A trained model that summarises, and how it was trained. cut: in training or held out.

    rouge, lead: of its summaries of held-out texts and of the first 3 sentences of these; scored: how many texts.
    """

    summarize: AbstractiveSummarizer
    records: tuple[EpochRecord, ...]
    num_trained: int
    scored: int
    rouge: Mapping[str, float]
    lead: Mapping[str, float]
    cut: CutRows

    def save(self, folder: Path) -> Path:
        """Write an ordinary Hugging Face checkpoint, whole or not at all; `AutoModelForSeq2SeqLM` opens it too.

        Raises TrainingError if the folder exists by now or the disk fails; nothing is left then.
        """
        target = folder.resolve()
        working = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.part"
        try:
            working.mkdir(parents=True)
            save_model(self.summarize.model, self.summarize.encoder, working, self.summarize.max_tokens)
            working.rename(target)
        except OSError as error:
            raise TrainingError(
                f"{folder}: the model could not be written ({error.strerror or error}). Nothing was left there.",
                "Free some space or choose another folder, and train again.",
            ) from error
        finally:
            shutil.rmtree(working, ignore_errors=True)
        return folder

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        scores = {"scored": self.scored, "rouge": dict(self.rouge), "lead": dict(self.lead)}
        return {
            "trained": self.num_trained,
            "epochs": [asdict(record) for record in self.records],
            **scores,
            "cut": asdict(self.cut),
        }


@dataclass(frozen=True)
class SummaryTargets:
    """The summaries of the rows that are encoded, as what a step asks of a task."""

    windows: Windows

    def targets(self, features: Sequence[Feature], length: int, rng: np.random.Generator) -> Batch:
        """Return {"labels": int64 (B, T)}, NO_TOKEN behind the end of a summary."""
        chosen = self.windows.select(Features.of(features).example_W.astype(np.intp))
        places_BT, mask_BT = chosen.places_WL()
        return {"labels": np.where(mask_BT, chosen.ids_T[places_BT], NO_TOKEN).astype(np.int64)}

    def loss(
        self, outputs: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Return the sum of the cross entropy over the tokens of all summaries, and how many these are."""
        logits_BTV, labels_BT = outputs["logits"].float(), batch["labels"]
        flat = logits_BTV.flatten(0, 1), labels_BT.flatten()
        loss_sum = functional.cross_entropy(*flat, ignore_index=NO_TOKEN, reduction="sum")
        return loss_sum, float((labels_BT != NO_TOKEN).sum())


def train_summarizer(
    pairs: Sequence[SummaryPair],
    encoder: Encoder,
    config: SummarizerConfig | None = None,
    on_epoch: Callable[[EpochRecord], None] = lambda record: None,
) -> TrainedSummarizer:
    """Train a checkpoint with a decoder (`open_encoder(name, decoder=True)`) to write the summaries of texts.

    The weights of the epoch with the least held-out loss are kept. Same seed, same machine, same result.
    Raises ConfigError or EncoderError for what cannot be, TrainingError where training diverges.
    """
    config = config or SummarizerConfig()
    max_tokens = config.max_tokens or encoder.tokenizer.max_tokens
    search = BeamSearch()
    search = replace(search, max_summary_tokens=config.max_summary_tokens or min(search.max_summary_tokens, max_tokens))
    check_lengths(encoder, max_tokens, search.max_summary_tokens)
    train, valid = hold_out(pairs, share=config.valid_share, seed=config.seed)
    runtime = choose_runtime(config.precision)
    with untouched_rng():
        seed_everything(config.seed)
        model = load_writer(encoder).to(runtime.device)  # type: ignore[arg-type]  # a device is one
        model.generation_config = search.settings(model.generation_config)
        run = _Run(encoder, model, runtime, config, (max_tokens, search.max_summary_tokens))
        with drawing_dropout(model):
            records, cut = run.train(train, valid, on_epoch)
    summarize = AbstractiveSummarizer(encoder, model.eval(), runtime, search, max_tokens)
    scored = valid[:SCORED_ROWS]
    wanted = [pair.summary for pair in scored]
    rouge = mean_rouge(summarize([pair.text for pair in scored]), wanted)
    first = mean_rouge([lead(pair.text) for pair in scored], wanted)
    return TrainedSummarizer(summarize, tuple(records), len(train), len(scored), rouge, first, cut)


def _tensors(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return parameters and buffers, those that have several names once: embeddings that are tied to the decoder."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def _keep(model: torch.nn.Module, kept: dict[str, torch.Tensor]) -> None:
    """Copy the weights into kept, in place where it holds some already."""
    for name, value in _tensors(model).items():
        if name in kept:
            kept[name].copy_(value.detach())
        else:
            kept[name] = value.detach().cpu().clone()


def _put_back(model: torch.nn.Module, kept: Mapping[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, value in _tensors(model).items():
            value.copy_(kept[name])


@dataclass(frozen=True)
class _Rows:
    """Texts and summaries in tokens."""

    texts: EncodedRows
    summaries: SummaryTargets
    cut: CutRows


@dataclass(frozen=True)
class _Run:
    """What stays the same from epoch to epoch. lengths: most tokens of a text and of a summary."""

    encoder: Encoder
    model: PreTrainedModel
    runtime: Runtime
    config: SummarizerConfig
    lengths: tuple[int, int]

    def train(
        self, train: Sequence[SummaryPair], valid: Sequence[SummaryPair], on_epoch: Callable[[EpochRecord], None]
    ) -> tuple[list[EpochRecord], CutRows]:
        """Train for all epochs, leave the best weights in the model, and return what was cut."""
        steps = self.config.epochs * num_steps(len(train), self.config.batch_size)
        schedule = make_schedule(self.config.schedule, steps)
        rows, held = self._encode(train), self._encode(valid)
        stepper = self._stepper(rows)
        records: list[EpochRecord] = []
        best, kept = math.inf, dict[str, torch.Tensor]()
        for epoch in range(self.config.epochs):
            loss = self._epoch(epoch, rows.texts, stepper, schedule)
            valid_loss = self._held_out_loss(held)
            if not math.isfinite(valid_loss):
                raise TrainingError(f"The held-out loss is {valid_loss}: training has diverged.", "Use a lower --lr.")
            if valid_loss < best:
                best = valid_loss
                _keep(self.model, kept)
            records.append(EpochRecord(epoch + 1, loss, valid_loss, best=valid_loss == best))
            on_epoch(records[-1])
        _put_back(self.model, kept)
        return records, CutRows(rows.cut.texts + held.cut.texts, rows.cut.summaries + held.cut.summaries)

    def _encode(self, pairs: Sequence[SummaryPair]) -> _Rows:
        start, tokenizer = prefix_of(self.encoder), self.encoder.tokenizer
        examples = [TextExample(start + pair.text, None) for pair in pairs]
        features = encode_texts(examples, None, tokenizer, max_tokens=self.lengths[0], truncation="head")
        summaries = tokenizer.encode([pair.summary for pair in pairs], [None] * len(pairs), max_tokens=self.lengths[1])
        cut = CutRows(int(features.windows.table_W["cut"].sum()), int(summaries.table_W["cut"].sum()))
        return _Rows(EncodedRows.of(features, len(pairs)), SummaryTargets(summaries), cut)

    def _stepper(self, rows: _Rows) -> Stepper:
        return Stepper(
            self.model,
            rows.summaries,
            make_optimizer(self.model, self.config.optimizer, lr=self.config.lr),
            self.runtime,
            INPUTS,
            self.encoder.tokenizer.pad_id,
            TrainConfig().clip_norm,
            make_scaler(self.runtime),
        )

    def _epoch(self, epoch: int, encoded: EncodedRows, stepper: Stepper, schedule: Schedule) -> float:
        """Train for one epoch; return the mean loss of its steps."""
        config = self.config
        steps = training_steps(
            encoded.costs,
            batch_size=config.batch_size,
            batch_tokens=TrainConfig().batch_tokens,
            seed=config.seed,
            epoch=epoch,
        )
        losses = []
        for number, parts in enumerate(steps):
            apply_schedule(stepper.optimizer, schedule, epoch * len(steps) + number)
            rng = np.random.default_rng([config.seed, epoch, number])
            losses.append(stepper.step(stepper.prepare([encoded.windows_of(rows) for rows in parts], rng)).loss)
        return float(np.mean(losses))

    def _held_out_loss(self, rows: _Rows) -> float:
        total, count = 0.0, 0.0
        self.model.eval()
        rng = np.random.default_rng(0)  # nothing is drawn
        # No more rows than in a step: a pass holds a number for each token of the summaries and word of the vocabulary.
        size = {"batch_tokens": TrainConfig().batch_tokens, "max_rows": self.config.batch_size}
        for chosen in prediction_batches(rows.texts.costs, **size):
            features = rows.texts.windows_of(chosen)
            batch = pad_batch(features, self.encoder.tokenizer.pad_id)
            batch |= rows.summaries.targets(features, batch["input_ids"].shape[1], rng)
            tensors = to_tensors(batch, self.runtime.device)
            with torch.inference_mode(), self.runtime.autocast():
                outputs = self.model(**model_inputs(tensors, INPUTS))
            loss_sum, part_count = rows.summaries.loss(outputs, tensors)
            total, count = total + float(loss_sum), count + part_count
        return total / count
