"""The masked language model against transformers' own, for every family."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import transformers
from transformers import AutoModel, AutoModelForMaskedLM

from fastbert.errors import EncoderError
from fastbert.models.loading import load_bare_encoder, open_encoder
from fastbert.models.losses import cross_entropy_sum
from fastbert.models.masked_lm import MaskedLanguageModel, load_masked_lm
from fastbert.models.pooling import pooling_of
from tests.helpers import FAMILIES, tiny_encoder


def batch(model: MaskedLanguageModel, names: tuple[str, ...]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Return inputs with padding, and labels that are -100 where nothing is predicted."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 60, (3, 12), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    labels = torch.full_like(ids, -100)
    chosen = (torch.rand(ids.shape, generator=generator) < 0.3) & mask.bool()
    labels[chosen] = torch.randint(5, 60, (int(chosen.sum()),), generator=generator)
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
    return {name: inputs[name] for name in names}, labels


def change_config(folder: Path, **changes: object) -> None:
    place = folder / "config.json"
    place.write_text(json.dumps(json.loads(place.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def logits(model: torch.nn.Module, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    found = model.eval()(**inputs).logits
    assert isinstance(found, torch.Tensor)
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_loss_and_gradients_are_those_of_transformers(family: str, tmp_path: Path) -> None:
    encoder = open_encoder(str(tiny_encoder(tmp_path, family)))
    ours = load_masked_lm(encoder).eval()
    inputs, labels = batch(ours, encoder.tokenizer.input_names)

    expected = ours.model(**inputs, labels=labels).loss
    torch.autograd.backward(expected)
    gradients = {name: one.grad.clone() for name, one in ours.model.named_parameters() if one.grad is not None}
    ours.zero_grad()
    places = (labels.flatten() != -100).nonzero().squeeze(1)
    total, count = cross_entropy_sum(ours(inputs, places).logits_MV, labels.flatten()[places])
    torch.autograd.backward(total / count)

    assert count == len(places) > 5
    assert torch.allclose(total / count, expected, atol=1e-6)
    for name, parameter in ours.model.named_parameters():
        assert (parameter.grad is None) == (name not in gradients)
        assert parameter.grad is None or torch.allclose(parameter.grad, gradients[name], atol=1e-6), name


def test_both_losses_of_bert_are_those_of_transformers(encoder: str) -> None:
    opened = open_encoder(encoder)
    ours = load_masked_lm(opened, next_sentence=True).eval()
    inputs, labels = batch(ours, opened.tokenizer.input_names)
    following = torch.tensor([0, 1, 1])

    expected = ours.model(**inputs, labels=labels, next_sentence_label=following).loss
    places = (labels.flatten() != -100).nonzero().squeeze(1)
    outputs = ours(inputs, places)
    assert outputs.next_W2 is not None
    first = torch.nn.functional.cross_entropy(outputs.logits_MV, labels.flatten()[places])
    second = torch.nn.functional.cross_entropy(outputs.next_W2, following)

    assert torch.allclose(first + second, expected, atol=1e-6)


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert"])
def test_an_encoder_without_a_head_gets_one_whose_decoder_is_tied(family: str, tmp_path: Path) -> None:
    ours = load_masked_lm(open_encoder(str(tiny_encoder(tmp_path, family))))

    embeddings = ours.model.get_input_embeddings()
    decoder = ours.model.get_output_embeddings()
    assert ours.new
    assert isinstance(embeddings, torch.nn.Embedding) and isinstance(decoder, torch.nn.Linear)
    assert decoder.weight is embeddings.weight
    assert id(decoder.weight) not in {id(parameter) for parameter in ours.new_parameters()}


def test_what_is_saved_opens_with_head_and_pooler(encoder: str, tmp_path: Path) -> None:
    opened = open_encoder(encoder)
    ours = load_masked_lm(opened).eval()
    with torch.no_grad():
        next(ours.model.base_model.parameters()).add_(0.1)
    ours.save(opened, tmp_path / "saved")
    again = open_encoder(str(tmp_path / "saved"))

    assert not load_masked_lm(again).new
    assert again.config.attention_probs_dropout_prob == opened.config.attention_probs_dropout_prob == 0.1
    assert again.tokenizer.max_tokens == opened.tokenizer.max_tokens
    inputs, _ = batch(ours, opened.tokenizer.input_names)
    masked, info = AutoModelForMaskedLM.from_pretrained(tmp_path / "saved", output_loading_info=True)
    assert not info["missing_keys"]
    assert torch.allclose(logits(masked, inputs), logits(ours.model, inputs))
    bare, info = AutoModel.from_pretrained(tmp_path / "saved", output_loading_info=True)
    assert not info["missing_keys"]
    before = AutoModel.from_pretrained(encoder)
    assert torch.equal(bare.pooler.dense.weight, before.pooler.dense.weight)


def test_what_a_checkpoint_says_of_pooling_is_kept(tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path / "cls")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}', encoding="utf-8")
    opened = open_encoder(str(folder))
    (tmp_path / "saved").mkdir()

    load_masked_lm(opened).save(opened, tmp_path / "saved")

    assert pooling_of(tmp_path / "saved") == "cls"


def test_next_sentences_need_a_family_that_knows_them(tmp_path: Path) -> None:
    opened = open_encoder(str(tiny_encoder(tmp_path, "roberta")))

    with pytest.raises(EncoderError, match="has no head for next-sentence prediction"):
        load_masked_lm(opened, next_sentence=True)


def test_a_family_without_a_masked_language_model_is_refused(tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path)
    config = transformers.GPT2Config(vocab_size=80, n_embd=32, n_layer=1, n_head=2, pad_token_id=0)
    transformers.GPT2Model(config).save_pretrained(folder)

    with pytest.raises(EncoderError, match="has no masked language model in transformers"):
        load_masked_lm(open_encoder(str(folder)))


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path)
    (folder / "model.safetensors").write_bytes(b"x")

    with pytest.raises(EncoderError, match="cannot be opened"):
        load_masked_lm(open_encoder(str(folder)))


def test_weights_of_another_shape_than_the_configuration_says_are_refused(tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 48}), encoding="utf-8")
    opened = open_encoder(str(folder))

    for load in (load_masked_lm, load_bare_encoder):
        with pytest.raises(EncoderError, match="the weights are those of another model than config"):
            load(opened)


def test_new_biases_start_at_zero_whatever_the_memory_held(tmp_path: Path) -> None:
    """The library leaves those of Longformer, Data2Vec and FNet as they were allocated."""
    folder = tiny_encoder(tmp_path, "roberta")
    config = transformers.LongformerConfig(
        vocab_size=len(transformers.AutoTokenizer.from_pretrained(folder)),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        attention_window=[8, 8],
        max_position_embeddings=66,
        pad_token_id=1,
    )
    transformers.LongformerModel(config).save_pretrained(folder)
    torch.use_deterministic_algorithms(True)  # fills what is allocated with NaN
    try:
        ours = load_masked_lm(open_encoder(str(folder)))
    finally:
        torch.use_deterministic_algorithms(False)

    biases = [name for name in ours.new if name.endswith("bias")]
    assert "lm_head.bias" in biases and not any(ours.model.get_parameter(name).any() for name in biases)


def test_an_untied_decoder_is_not_called_tied(tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path, "bert")
    assert load_masked_lm(open_encoder(str(folder))).is_tied
    change_config(folder, tie_word_embeddings=False)

    assert not load_masked_lm(open_encoder(str(folder))).is_tied


def test_a_checkpoint_that_answers_in_tuples_is_read(tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path, "bert")
    change_config(folder, return_dict=False)
    opened = open_encoder(str(folder))
    ours = load_masked_lm(opened).eval()
    inputs, _ = batch(ours, opened.tokenizer.input_names)

    assert ours(inputs, torch.arange(5)).logits_MV.shape[0] == 5


def test_a_tokenizer_larger_than_the_embeddings_is_refused(tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path, "bert")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"word{number}" for number in range(99)])
    tokenizer.save_pretrained(folder)

    with pytest.raises(EncoderError, match=r"its tokenizer has tokens up to number \d+, its embeddings end at \d+"):
        load_masked_lm(open_encoder(str(folder)))
