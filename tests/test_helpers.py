"""The doubles that all other tests rely on behave like the real things."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from tests.helpers import DEFAULT_WORDS, FAMILIES, tiny_encoder, word_tokenizer, write_csv


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_opens_with_the_auto_classes(family: str, tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path / "encoder", family)
    batch = AutoTokenizer.from_pretrained(folder)(
        ["the button", "the"], ["does nothing", "works"], padding=True, return_tensors="pt"
    )

    hidden_BLE = AutoModel.from_pretrained(folder)(**batch).last_hidden_state
    classifier = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3)
    logits_BC = classifier(**batch).logits

    assert hidden_BLE.shape == (*batch["input_ids"].shape, 32)
    assert logits_BC.shape == (2, 3)
    assert torch.isfinite(logits_BC).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_reads_its_longest_input(family: str, tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path, family)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    batch = tokenizer(["the button " * 99], truncation=True, return_tensors="pt")

    hidden_BLE = AutoModel.from_pretrained(folder)(**batch).last_hidden_state

    assert tokenizer.model_max_length == 64
    assert hidden_BLE.shape == (1, 64, 32)
    assert torch.isfinite(hidden_BLE).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_padding_does_not_change_the_hidden_states(family: str, tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path, family)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()

    alone = model(**tokenizer(["the app"], return_tensors="pt")).last_hidden_state
    padded_batch = tokenizer(["the app", "the export button works"], padding=True, return_tensors="pt")
    padded = model(**padded_batch).last_hidden_state

    torch.testing.assert_close(padded[:1, : alone.shape[1]], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_saved_tokenizer_equals_the_one_in_memory(family: str, tmp_path: Path) -> None:
    saved = AutoTokenizer.from_pretrained(tiny_encoder(tmp_path, family))
    expected = word_tokenizer(family=family).encode("The app", "is SLOW, zebra").ids

    assert saved("The app", "is SLOW, zebra")["input_ids"] == expected


BERT_PAIR = ["[CLS]", "the", "app", "[SEP]", "slow", "[SEP]"]
ROBERTA_PAIR = ["<s>", "the", "app", "</s>", "</s>", "slow", "</s>"]


@pytest.mark.parametrize(
    ("family", "tokens", "type_ids"),
    [(family, BERT_PAIR, [0, 0, 0, 0, 1, 1]) for family in ("bert", "albert", "deberta-v2")]
    + [(family, ROBERTA_PAIR, [0] * 7) for family in ("roberta", "xlm-roberta", "mpnet")],
)
def test_a_pair_is_framed_as_in_its_family(family: str, tokens: list[str], type_ids: list[int]) -> None:
    encoding = word_tokenizer(family=family).encode("the app", "slow")

    assert encoding.tokens == tokens
    assert encoding.type_ids == type_ids


@pytest.mark.parametrize(
    ("family", "pad_id"), [("bert", 0), ("roberta", 1), ("xlm-roberta", 1), ("mpnet", 1), ("deberta-v2", 0)]
)
def test_pad_id_is_that_of_the_real_family(family: str, pad_id: int, tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path, family)

    assert AutoTokenizer.from_pretrained(folder).pad_token_id == pad_id
    assert AutoModel.from_pretrained(folder).config.pad_token_id == pad_id


@pytest.mark.parametrize("family", ["distilbert", "roberta", "xlm-roberta", "mpnet", "modernbert"])
def test_families_without_token_types_do_not_offer_them(family: str, tmp_path: Path) -> None:
    batch = AutoTokenizer.from_pretrained(tiny_encoder(tmp_path, family))("the app", "slow")

    assert set(batch) == {"input_ids", "attention_mask"}


def test_the_same_call_writes_the_same_weights(tmp_path: Path) -> None:
    first = tiny_encoder(tmp_path / "first") / "model.safetensors"
    torch.rand(3)  # moves the global generator
    second = tiny_encoder(tmp_path / "second") / "model.safetensors"

    assert first.read_bytes() == second.read_bytes()


def test_writing_an_encoder_leaves_the_global_generator_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)

    tiny_encoder(tmp_path)

    assert torch.equal(torch.rand(3), expected)


def test_many_words_enlarge_the_vocabulary(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(200)]

    folder = tiny_encoder(tmp_path, words=words)

    assert AutoModel.from_pretrained(folder).config.vocab_size == 205
    assert AutoTokenizer.from_pretrained(folder)("word199")["input_ids"][1] == 204


def test_unknown_words_and_offsets() -> None:
    encoding = word_tokenizer(["hello"]).encode("Hello, zebra")

    assert encoding.tokens == ["[CLS]", "hello", "[UNK]", "[UNK]", "[SEP]"]
    assert encoding.offsets[1:4] == [(0, 5), (5, 6), (7, 12)]


def test_default_words_are_distinct() -> None:
    assert len(set(DEFAULT_WORDS)) == len(DEFAULT_WORDS)


def test_write_csv_quotes_what_needs_quotes(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["text", "label"], [["one; two", 1], ['say "hi"', 2]], delimiter=";")

    assert path.read_bytes() == b'text;label\n"one; two";1\n"say ""hi""";2\n'


def test_tests_run_with_one_thread() -> None:
    assert torch.get_num_threads() == 1
