"""Training a model that writes summaries: it learns, repeats itself, and is an ordinary checkpoint."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, GenerationConfig

from fastbert.data.summary_pairs import SummaryPair, hold_out
from fastbert.errors import BundleError, ConfigError, EncoderError, TrainingError
from fastbert.inference.generation import AbstractiveSummarizer
from fastbert.inference.predictor import Predictor
from fastbert.models.loading import Encoder, load_writer, open_encoder
from fastbert.tasks.base import pad_batch
from fastbert.training.summarizing import EpochRecord, SummarizerConfig, TrainedSummarizer, _keep, train_summarizer
from tests.feedback import differing, weights
from tests.seq2seq import tiny_seq2seq

# One word of a text decides its summary.
SUMMARIES = {"bad": "a crash", "slow": "please help", "great": "i love it", "fast": "thanks"}
PAIRS = [
    SummaryPair(f"the {thing} is {mood} and {other}", summary)
    for thing in ("app", "page", "bill", "login")
    for other in ("old", "new")
    for mood, summary in SUMMARIES.items()
]
FAST: dict[str, Any] = {"epochs": 2, "lr": 0.01, "max_tokens": 16, "max_summary_tokens": 8, "precision": "fp32"}


@pytest.fixture(scope="module", params=["t5", "bart"])
def writer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    folder = tiny_seq2seq(tmp_path_factory.mktemp("writers") / request.param, request.param)
    return open_encoder(str(folder), decoder=True)


def train(writer: Encoder, **options: object) -> TrainedSummarizer:
    return train_summarizer(PAIRS, writer, SummarizerConfig(**{**FAST, **options}))


def test_it_learns_what_to_write(writer: Encoder) -> None:
    trained = train(writer, epochs=20)

    assert trained.rouge["rouge1"] > 0.9
    assert trained.rouge["rouge1"] > trained.lead["rouge1"]
    assert (trained.num_trained, trained.scored) == (29, 3)


def test_the_loss_of_the_first_step_is_that_of_transformers(writer: Encoder) -> None:
    """One step over all rows: the mean over tokens, as the model itself computes it; dropout is off."""
    config = SummarizerConfig(**{**FAST, "epochs": 1, "batch_size": 64})
    model = AutoModelForSeq2SeqLM.from_pretrained(writer.source)
    tokenizer = AutoTokenizer.from_pretrained(writer.source)
    records: list[EpochRecord] = []
    quiet = open_encoder(_without_dropout(writer), decoder=True)

    train_summarizer(PAIRS, quiet, config, on_epoch=records.append)

    kept, _ = hold_out(PAIRS, share=0.1, seed=0)
    texts = tokenizer([pair.text for pair in kept], padding=True, return_tensors="pt")
    labels = tokenizer([pair.summary for pair in kept], padding=True, return_tensors="pt")
    ids = labels["input_ids"].masked_fill(labels["attention_mask"] == 0, -100)
    with torch.inference_mode():
        expected = float(
            model.eval()(**{name: texts[name] for name in ("input_ids", "attention_mask")}, labels=ids).loss
        )
    assert records[0].loss == pytest.approx(expected, rel=1e-5)


def _without_dropout(writer: Encoder) -> str:
    """Write the checkpoint beside itself, without dropout, and return the folder."""
    folder = Path(writer.source).with_name("quiet-" + Path(writer.source).name)
    model = AutoModelForSeq2SeqLM.from_pretrained(writer.source)
    for name in ("dropout_rate", "dropout", "attention_dropout", "activation_dropout"):
        if hasattr(model.config, name):
            setattr(model.config, name, 0.0)
    model.save_pretrained(folder)
    writer.fast_tokenizer.save_pretrained(folder)
    return str(folder)


def test_the_same_seed_gives_the_same_weights(writer: Encoder) -> None:
    torch.manual_seed(1)
    first = train(writer)
    torch.manual_seed(2)
    second = train(writer)

    assert first.records == second.records
    assert differing(weights(first.summarize.model), weights(second.summarize.model)) == []


def test_accumulated_gradients_equal_one_large_batch(writer: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = open_encoder(_without_dropout(writer), decoder=True)
    whole = train(quiet, optimizer="sgd")
    monkeypatch.setattr("fastbert.training.summarizing.TrainConfig", lambda: _Small())
    parts = train(quiet, optimizer="sgd")

    for first, second in zip(whole.records, parts.records, strict=True):
        np.testing.assert_allclose([first.loss, first.valid_loss], [second.loss, second.valid_loss], rtol=1e-4)


class _Small:
    """A few rows a part."""

    batch_tokens, clip_norm = 30, 1.0


def test_the_weights_of_the_least_held_out_loss_are_kept(writer: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([2.0, 1.0, 3.0, 2.0, 1.0])
    monkeypatch.setattr("fastbert.training.summarizing._Run._held_out_loss", lambda run, rows: next(losses))

    three, two = (train(writer, epochs=epochs, schedule="none") for epochs in (3, 2))

    assert [record.best for record in three.records] == [True, True, False]
    assert differing(weights(three.summarize.model), weights(two.summarize.model)) == []


def test_weights_with_several_names_are_kept_once(writer: Encoder) -> None:
    model = load_writer(writer)
    kept: dict[str, torch.Tensor] = {}
    _keep(model, kept)
    first = {name: value.data_ptr() for name, value in kept.items()}
    with torch.no_grad():
        next(model.parameters()).add_(1)
    _keep(model, kept)

    assert len(first) == len(list(model.parameters())) + len(list(model.buffers()))
    assert {name: value.data_ptr() for name, value in kept.items()} == first
    assert torch.equal(kept[next(iter(kept))], next(model.parameters()))


def test_no_more_rows_are_passed_than_in_a_step(writer: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass holds a number for each token of a summary and word of the vocabulary."""
    sizes = []

    def pad(features: Any, pad_id: int) -> Any:  # noqa: ANN401
        sizes.append(len(features))
        return pad_batch(features, pad_id)

    monkeypatch.setattr("fastbert.training.summarizing.pad_batch", pad)
    train(writer, epochs=1, valid_share=0.5, batch_size=4)

    assert len(sizes) >= 4 and max(sizes) <= 4


def test_a_loss_that_is_no_number_ends_training(writer: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastbert.training.summarizing._Run._held_out_loss", lambda run, rows: float("nan"))

    with pytest.raises(TrainingError, match="The held-out loss is nan: training has diverged"):
        train(writer)


def test_what_was_cut_is_counted(writer: Encoder) -> None:
    long = [SummaryPair(f"{pair.text} " * 20, f"{pair.summary} " * 20) for pair in PAIRS[:12]]

    trained = train_summarizer([*long, *PAIRS[12:]], writer, SummarizerConfig(**{**FAST, "epochs": 1}))

    assert trained.to_json()["cut"] == {"texts": 12, "summaries": 12}


def test_weights_of_another_shape_than_the_configuration_says_are_refused(writer: Encoder, tmp_path: Path) -> None:
    folder = shutil.copytree(writer.source, tmp_path / "writer")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    wider = {name: 2 * config[name] for name in ("d_ff", "encoder_ffn_dim", "decoder_ffn_dim") if name in config}
    (folder / "config.json").write_text(json.dumps(config | wider), encoding="utf-8")

    with pytest.raises(EncoderError, match="the weights are those of another model than config"):
        train(open_encoder(str(folder), decoder=True))


def test_what_is_saved_writes_the_same_summaries(writer: Encoder, tmp_path: Path) -> None:
    trained = train(writer)
    texts = [pair.text for pair in PAIRS[:5]]

    opened = AbstractiveSummarizer.open(str(trained.save(tmp_path / "model")))

    assert opened(texts) == trained.summarize(texts)
    assert (opened.search, opened.max_tokens) == (trained.summarize.search, 16)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "model").generation_config.num_beams == 4


def test_how_the_checkpoint_wrote_before_is_not_how_it_writes_now(writer: Encoder, tmp_path: Path) -> None:
    """It sampled, or wrote no less than so much: settings that cannot be saved or that fit other summaries."""
    folder = shutil.copytree(writer.source, tmp_path / "sampling")
    settings = GenerationConfig.from_pretrained(folder)
    settings.update(do_sample=True, temperature=0.7, top_k=5, min_length=7)
    settings.save_pretrained(folder)

    train(open_encoder(str(folder), decoder=True), epochs=1).save(tmp_path / "out")

    saved = json.loads((tmp_path / "out" / "generation_config.json").read_text(encoding="utf-8"))
    assert saved["decoder_start_token_id"] == settings.decoder_start_token_id
    assert (saved["do_sample"], saved["num_beams"], saved["max_new_tokens"]) == (False, 4, 8)
    assert not {"temperature", "top_k", "min_length"} & saved.keys()


def test_a_folder_that_is_there_is_not_replaced(writer: Encoder, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine").touch()

    with pytest.raises(TrainingError, match="the model could not be written"):
        train(writer, epochs=1).save(tmp_path / "model")

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["mine", "model"]


def test_it_is_no_bundle_and_the_error_says_what_reads_it(writer: Encoder) -> None:
    with pytest.raises(
        BundleError, match="`fastbert summarize` reads it, with torch; it cannot be evaluated, exported"
    ):
        Predictor.load(writer.source)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs is 0; expected at least 1"),
        ({"batch_size": 0}, "batch_size is 0; expected at least 1"),
        ({"seed": -1}, "seed is -1; it must be at least 0"),
        ({"optimizer": "adam"}, "Optimizer 'adam' is not known"),
        ({"schedule": "linear"}, "Schedule 'linear' is not known"),
        ({"max_tokens": 4}, "A length in tokens is 4; expected at least 8"),
        ({"max_tokens": 100}, "max_tokens is 100; .* takes at most 64"),
        ({"max_summary_tokens": 20}, "max_summary_tokens is 20, more than the 16 tokens that are read of a text"),
    ],
)
def test_wrong_options_are_refused(writer: Encoder, options: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, EncoderError), match=message):
        train(writer, **options)
