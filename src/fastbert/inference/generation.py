"""Abstractive summaries: written word by word by a model with a decoder (T5, BART), by beam search. Needs torch.

Knows nothing of tables. Axes: B texts of a batch, L tokens of a text, T tokens of a summary.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import torch
from transformers import GenerationConfig, PreTrainedModel

from fastbert.config import Precision
from fastbert.data.batches import prediction_batches
from fastbert.data.examples import TextExample
from fastbert.data.features import EncodedRows
from fastbert.errors import ConfigError, EncoderError
from fastbert.inference.summaries import texts_to_summarize
from fastbert.inference.torch_backend import to_tensors
from fastbert.models.loading import Encoder, load_writer, open_encoder
from fastbert.runtime import Runtime, choose_runtime
from fastbert.tasks.base import pad_batch
from fastbert.tasks.texts import encode_texts

BATCH_TOKENS = 8192  # of a pass, over all beams
INPUTS = ("input_ids", "attention_mask")
# What a decoder needs to begin and to end; all else in a `generation_config` is how one author wanted texts written.
TOKEN_SETTINGS = (
    "pad_token_id",
    "bos_token_id",
    "eos_token_id",
    "decoder_start_token_id",
    "forced_bos_token_id",
    "forced_eos_token_id",
)


@dataclass(frozen=True)
class BeamSearch:
    """How a summary is written. A checkpoint carries the first two and the third as its `generation_config`.

    beams: candidates that are kept at each word.    max_summary_tokens: after so many it ends.
    no_repeat: no run of so many tokens is written twice (Paulus et al. 2018, arXiv 1705.04304); 0 allows it.
    """

    beams: int = 4
    max_summary_tokens: int = 128
    no_repeat: int = 3

    def __post_init__(self) -> None:
        for name, value, least in (
            ("beams", self.beams, 1),
            ("max_summary_tokens", self.max_summary_tokens, 2),
            ("no_repeat", self.no_repeat, 0),
        ):
            if value < least:
                raise ConfigError(f"{name} is {value}; expected at least {least}.")

    @classmethod
    def of(cls, model: PreTrainedModel, *, beams: int | None = None, max_summary_tokens: int | None = None) -> Self:
        """Return what is given, else what the checkpoint says, else the defaults."""
        saved = model.generation_config
        found = {
            "beams": _number(saved, "num_beams", least=2) if beams is None else beams,
            "max_summary_tokens": _number(saved, "max_new_tokens")
            if max_summary_tokens is None
            else max_summary_tokens,
            "no_repeat": _number(saved, "no_repeat_ngram_size"),
        }
        return cls(**{name: value for name, value in found.items() if value is not None})

    def to_options(self) -> dict[str, int | bool]:
        """Return the options of `generate` in transformers."""
        names = {"num_beams": self.beams, "max_new_tokens": self.max_summary_tokens}
        search = {"no_repeat_ngram_size": self.no_repeat, "early_stopping": self.beams > 1, "do_sample": False}
        return {**names, **search, "num_return_sequences": 1, "num_beam_groups": 1, "return_dict_in_generate": False}

    def settings(self, saved: GenerationConfig) -> GenerationConfig:
        """Return these options with the tokens of saved settings, and none of the lengths, penalties and draws of them.

        A model that is trained on new summaries learns their length, and settings for sampling cannot be saved
        beside a beam search.
        """
        tokens = {name: getattr(saved, name, None) for name in TOKEN_SETTINGS}
        return GenerationConfig(
            **{name: value for name, value in tokens.items() if value is not None}, **self.to_options()
        )


class AbstractiveSummarizer:
    """Writes a summary of each text.

    cut: how many texts so far were longer than max_tokens, and read by their beginning.

    >>> summarize = AbstractiveSummarizer.open("summarizer/")    # doctest: +SKIP
    >>> summarize(["A long text. ..."])                          # doctest: +SKIP
    ['What it says.']
    """

    def __init__(
        self, encoder: Encoder, model: PreTrainedModel, runtime: Runtime, search: BeamSearch, max_tokens: int
    ) -> None:
        check_lengths(encoder, max_tokens, search.max_summary_tokens)
        self.encoder = encoder
        self.model = model
        self.runtime = runtime
        self.search = search
        self.max_tokens = max_tokens
        self.cut = 0

    @classmethod
    def open(
        cls,
        name: str,
        *,
        beams: int | None = None,
        max_summary_tokens: int | None = None,
        precision: Precision = "fp32",
    ) -> Self:
        """Open a checkpoint with a decoder: a folder, or a hub name.

        Raises EncoderError for one that cannot be opened or has no decoder, ConfigError for a number out of range.
        """
        encoder = open_encoder(name, decoder=True)
        runtime = choose_runtime(precision)
        model = load_writer(encoder).to(runtime.device).eval()  # type: ignore[arg-type]  # a device is one
        search = BeamSearch.of(model, beams=beams, max_summary_tokens=max_summary_tokens)
        limit = encoder.tokenizer.max_tokens
        if max_summary_tokens is None:
            search = replace(search, max_summary_tokens=min(search.max_summary_tokens, limit))
        return cls(encoder, model, runtime, search, limit)

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """Return the summary of each text, in order; a blank one has an empty summary."""
        texts = texts_to_summarize(texts)
        summaries = [""] * len(texts)
        places = [place for place, text in enumerate(texts) if text.strip()]
        if not places:
            return summaries
        start = prefix_of(self.encoder)
        examples = [TextExample(start + texts[place], None) for place in places]
        tokenizer = self.encoder.tokenizer
        features = encode_texts(examples, None, tokenizer, max_tokens=self.max_tokens, truncation="head")
        self.cut += int(features.windows.table_W["cut"].sum())
        encoded = EncodedRows.of(features, len(places))
        for rows in prediction_batches(encoded.costs, batch_tokens=BATCH_TOKENS // self.search.beams):
            batch = pad_batch(encoded.windows_of(rows), tokenizer.pad_id)
            ids_BT = self._generate(to_tensors({name: batch[name] for name in INPUTS}, self.runtime.device))
            lines = self.encoder.fast_tokenizer.batch_decode(ids_BT, skip_special_tokens=True)
            for row, line in zip(rows.tolist(), lines, strict=True):
                summaries[places[row]] = " ".join(line.split())
        return summaries

    def _generate(self, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
        was_training = self.model.training
        self.model.eval()
        try:
            with torch.inference_mode(), self.runtime.autocast():
                generate = cast("Any", self.model).generate
                return cast("torch.Tensor", generate(**tensors, generation_config=self._settings()))
        finally:
            self.model.train(was_training)

    def _settings(self) -> GenerationConfig:
        """Return those of the checkpoint with this search; a least length above the most asked for gives way."""
        settings, most = copy.deepcopy(self.model.generation_config), self.search.max_summary_tokens
        found = {name: getattr(settings, name, None) or 0 for name in ("min_length", "min_new_tokens")}
        least = {name: most for name, value in found.items() if value > most}
        settings.update(**self.search.to_options(), **least)  # at once: single ones may not go together with the old
        return settings


def check_lengths(encoder: Encoder, max_tokens: int, max_summary_tokens: int) -> None:
    """Raise EncoderError for texts longer than a checkpoint takes, ConfigError for summaries longer than the texts."""
    most = encoder.tokenizer.max_tokens
    if max_tokens > most:
        raise EncoderError(f"max_tokens is {max_tokens}; '{encoder.name}' takes at most {most}.")
    if max_summary_tokens > max_tokens:
        raise ConfigError(
            f"max_summary_tokens is {max_summary_tokens}, more than the {max_tokens} tokens that are read of a text.",
            f"Give at most {max_tokens}.",
        )


def prefix_of(encoder: Encoder) -> str:
    """Return what the checkpoint expects before a text to summarise, such as "summarize: " for T5; mostly nothing."""
    tasks = getattr(encoder.config, "task_specific_params", None) or {}
    return str(tasks.get("summarization", {}).get("prefix", ""))


def _number(settings: object, name: str, least: int = 1) -> int | None:
    value = getattr(settings, name, None)
    return value if isinstance(value, int) and value >= least else None
