"""Summaries written by beam search, against transformers' own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, GenerationConfig

from fastbert.bundle import has_decoder
from fastbert.errors import ConfigError, EncoderError
from fastbert.inference.generation import AbstractiveSummarizer, BeamSearch
from tests.seq2seq import LIMIT, tiny_seq2seq

TEXTS = ["the app is slow and the page is bad .", "i love it", "the export button does nothing on my page ."]


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_summaries_are_those_of_transformers_one_text_at_a_time(family: str, tmp_path: Path) -> None:
    folder = tiny_seq2seq(tmp_path / family, family)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSeq2SeqLM.from_pretrained(folder).eval()

    found = AbstractiveSummarizer.open(str(folder), beams=3, max_summary_tokens=6)(TEXTS)

    options = {"num_beams": 3, "max_new_tokens": 6, "no_repeat_ngram_size": 3, "early_stopping": True}
    with torch.inference_mode():
        written = [model.generate(**tokenizer(text, return_tensors="pt"), **options)[0] for text in TEXTS]
    assert found == [" ".join(str(tokenizer.decode(ids, skip_special_tokens=True)).split()) for ids in written]
    assert any(found)


def test_a_prefix_of_the_checkpoint_stands_before_each_text(tmp_path: Path) -> None:
    plain = AbstractiveSummarizer.open(str(tiny_seq2seq(tmp_path / "plain")), max_summary_tokens=6)
    prefixed = AbstractiveSummarizer.open(str(tiny_seq2seq(tmp_path / "t5", prefix="please : ")), max_summary_tokens=6)

    assert prefixed(TEXTS) == plain([f"please : {text}" for text in TEXTS])


def test_a_blank_text_has_an_empty_summary(tmp_path: Path) -> None:
    summarize = AbstractiveSummarizer.open(str(tiny_seq2seq(tmp_path / "t5")), max_summary_tokens=6)

    assert summarize(["", *TEXTS, " \n"]) == ["", *summarize(TEXTS), ""]


def test_texts_that_are_too_long_are_counted(tmp_path: Path) -> None:
    summarize = AbstractiveSummarizer.open(str(tiny_seq2seq(tmp_path / "t5")), beams=1)

    summarize(["page " * 100, "page"])

    assert (summarize.cut, summarize.search.max_summary_tokens, summarize([])) == (1, LIMIT, [])


def test_the_least_length_of_a_checkpoint_gives_way_to_the_most_that_is_asked_for(tmp_path: Path) -> None:
    """facebook/bart-large-cnn writes 56 tokens at least."""
    folder = tiny_seq2seq(tmp_path / "bart", "bart")
    settings = GenerationConfig.from_pretrained(folder)
    settings.update(min_length=56, max_length=142)
    settings.save_pretrained(folder)

    found = AbstractiveSummarizer.open(str(folder), max_summary_tokens=6)(TEXTS)

    assert all(0 < len(summary.split()) <= 6 for summary in found)


@pytest.mark.parametrize("family", ["t5", "bart"])
@pytest.mark.parametrize(
    "setting", [{"num_return_sequences": 2}, {"return_dict_in_generate": True}, {"num_beam_groups": 2}]
)
def test_settings_of_a_checkpoint_change_no_form_of_its_answers(
    family: str, setting: dict[str, object], tmp_path: Path
) -> None:
    folder = tiny_seq2seq(tmp_path / family, family)
    plain = AbstractiveSummarizer.open(str(folder), beams=4, max_summary_tokens=6)(TEXTS)
    summarize = AbstractiveSummarizer.open(str(folder), beams=4, max_summary_tokens=6)
    for name, value in setting.items():
        setattr(summarize.model.generation_config, name, value)

    assert summarize(TEXTS) == plain


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_a_checkpoint_that_asks_for_tuples_writes_the_same(family: str, tmp_path: Path) -> None:
    folder = tiny_seq2seq(tmp_path / family, family)
    plain = AbstractiveSummarizer.open(str(folder), max_summary_tokens=6)(TEXTS)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**settings, "return_dict": False}), encoding="utf-8")

    assert AbstractiveSummarizer.open(str(folder), max_summary_tokens=6)(TEXTS) == plain


def test_a_checkpoint_without_a_decoder_is_refused(encoder: str) -> None:
    with pytest.raises(EncoderError, match=r"has no decoder \(bert\): it cannot write texts"):
        AbstractiveSummarizer.open(encoder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"beams": 0}, "beams is 0; expected at least 1"),
        ({"max_summary_tokens": 1}, "max_summary_tokens is 1; expected at least 2"),
        ({"no_repeat": -1}, "no_repeat is -1; expected at least 0"),
    ],
)
def test_numbers_out_of_range_are_refused(values: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BeamSearch(**values)


def test_a_summary_longer_than_what_is_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="max_summary_tokens is 99, more than the 64 tokens that are read of a text"):
        AbstractiveSummarizer.open(str(tiny_seq2seq(tmp_path / "t5")), max_summary_tokens=99)


def test_a_decoder_is_told_from_the_configuration_of_a_folder(encoder: str, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{", encoding="utf-8")
    folders = [str(tiny_seq2seq(tmp_path / "t5")), encoder, str(tmp_path / "broken"), "minilm"]

    assert [has_decoder(Path(folder)) for folder in folders] == [True, False, False, False]
