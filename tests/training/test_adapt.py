"""A corpus and an encoder in, an adapted encoder out; interrupted runs, examples on disk, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file

from fastbert.config import Precision
from fastbert.errors import ConfigError, DataError, EncoderError
from fastbert.models.loading import open_encoder
from fastbert.models.masked_lm import load_masked_lm
from fastbert.runtime import Runtime
from fastbert.training.adapt import NewEncoder, adapt, prepare, prepare_new, pretrain
from fastbert.training.adapt_plan import FACTS
from fastbert.training.adapt_state import working_folder
from fastbert.training.callbacks import Callback
from fastbert.training.state import RunState
from tests.helpers import tiny_encoder
from tests.training.corpora import quick, write_corpus


class Interrupt(Callback):
    """Ends a run in the middle of an epoch, as a killed process would."""

    def __init__(self, epoch: float) -> None:
        self.epoch = epoch

    def on_step(self, state: RunState) -> None:
        if state.epoch > self.epoch:
            raise KeyboardInterrupt


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def same_weights(first: Path, second: Path) -> bool:
    ours, others = weights(first), weights(second)
    return ours.keys() == others.keys() and all(torch.equal(ours[name], others[name]) for name in ours)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_held_out_loss_falls_and_the_result_opens_everywhere(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt")
    result = adapt([corpus], encoder, tmp_path / "out", quick(epochs=15))

    losses = [scores["loss"] for scores in result.progress.evaluations]
    assert len(losses) == 16 and losses[-1] < losses[0] - 0.6
    assert result.scores["perplexity"] == pytest.approx(np.exp(losses[-1]))
    assert names_in(tmp_path) == ["corpus.txt", "out"]
    assert not load_masked_lm(open_encoder(str(tmp_path / "out"))).new
    for auto in (transformers.AutoModel, transformers.AutoModelForMaskedLM):
        _, found = auto.from_pretrained(tmp_path / "out", output_loading_info=True)
        assert not found["missing_keys"]
    assert transformers.AutoTokenizer.from_pretrained(tmp_path / "out").mask_token == "[MASK]"
    assert json.loads((tmp_path / "out" / FACTS).read_text())["scores"] == dict(result.scores)


def test_the_same_run_gives_the_same_weights_and_another_seed_others(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt")
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        adapt([corpus], encoder, tmp_path / name, quick(epochs=1, seed=seed))

    assert same_weights(tmp_path / "a", tmp_path / "b")
    assert not same_weights(tmp_path / "a", tmp_path / "c")


@pytest.mark.parametrize("next_sentence", [False, True])
def test_a_resumed_run_ends_with_the_weights_of_the_unbroken_one(
    next_sentence: bool, encoder: str, tmp_path: Path
) -> None:
    corpus, config = write_corpus(tmp_path / "corpus.txt"), quick(next_sentence=next_sentence)
    whole = adapt([corpus], encoder, tmp_path / "whole", config)
    with pytest.raises(KeyboardInterrupt):
        adapt([corpus], encoder, tmp_path / "out", config, callbacks=[Interrupt(1.5)])
    assert names_in(tmp_path) == [".out.adapting", "corpus.txt", "whole"]
    resumed = adapt([corpus], encoder, tmp_path / "out", config, if_exists="resume")

    assert same_weights(tmp_path / "whole", tmp_path / "out")
    assert resumed.progress.evaluations == whole.progress.evaluations
    assert (resumed.progress.steps, resumed.progress.tokens) == (whole.progress.steps, whole.progress.tokens)
    assert names_in(tmp_path) == ["corpus.txt", "out", "whole"]


def test_examples_written_beforehand_give_the_weights_of_those_made_when_needed(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt")
    adapt([corpus], encoder, tmp_path / "made", quick())
    adapt([corpus], encoder, tmp_path / "written", quick(pregenerate=3))
    adapt([corpus], encoder, tmp_path / "repeated", quick(pregenerate=1))

    assert same_weights(tmp_path / "made", tmp_path / "written")
    assert not same_weights(tmp_path / "made", tmp_path / "repeated")


def test_examples_on_disk_are_used_again_by_a_resumed_run(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt")
    with pytest.raises(KeyboardInterrupt):
        adapt([corpus], encoder, tmp_path / "out", quick(pregenerate=2), callbacks=[Interrupt(1.5)])
    examples = working_folder(tmp_path / "out") / "examples"
    before = (examples / "examples.json").stat().st_mtime_ns
    with pytest.raises(KeyboardInterrupt):
        adapt([corpus], encoder, tmp_path / "out", quick(pregenerate=2), callbacks=[Interrupt(2.5)], if_exists="resume")

    assert (examples / "examples.json").stat().st_mtime_ns == before


def test_the_masks_of_the_text_held_out_are_always_the_same(encoder: str, tmp_path: Path) -> None:
    ready = prepare([write_corpus(tmp_path / "corpus.txt")], encoder, quick())

    before = ready.held_out.ids_T.copy()
    ready.run(tmp_path / "out")
    again = prepare([tmp_path / "corpus.txt"], encoder, quick())

    assert np.array_equal(ready.held_out.ids_T, before) and np.array_equal(again.held_out.ids_T, before)
    assert not np.array_equal(ready.examples(0).places_M, ready.examples(1).places_M)


def test_next_sentence_prediction_is_learned_with_the_words(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt")
    result = adapt([corpus], encoder, tmp_path / "out", quick(next_sentence=True, epochs=2))

    assert 0 <= result.scores["next_accuracy"] <= 1
    assert json.loads((tmp_path / "out" / "config.json").read_text())["architectures"] == ["BertForPreTraining"]
    _, found = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "out", output_loading_info=True)
    assert not found["missing_keys"]


def test_pairs_of_one_kind_are_said_and_not_scored(encoder: str, tmp_path: Path) -> None:
    """Documents of one line have no text that follows another."""
    several = write_corpus(tmp_path / "several.txt", num_documents=60)
    lines = write_corpus(tmp_path / "lines.txt", num_documents=100, num_sentences=1)
    ready = prepare([several, lines], encoder, quick(next_sentence=True, epochs=1))
    assert ready.held_out.next_N is not None

    one_kind = replace(ready.held_out, next_N=np.ones_like(ready.held_out.next_N))
    result = replace(ready, held_out=one_kind).run(tmp_path / "out")

    assert any("% of the pairs are of texts that do not follow each other" in one for one in ready.plan.warnings)
    assert "of the pairs are" not in " ".join(prepare([several], encoder, quick(next_sentence=True)).plan.warnings)
    assert "next_accuracy" not in result.scores


def test_a_new_head_is_said_and_learns_alone_first(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt")
    ready = prepare([corpus], encoder, quick())
    adapt([corpus], encoder, tmp_path / "out", quick(epochs=1))
    again = prepare([corpus], str(tmp_path / "out"), quick())

    assert ready.plan.head_steps > 0 and again.plan.head_steps == 0
    assert "the encoder has no masked-LM head and gets a new one" in repr(ready.plan.view())
    assert "no masked-LM head" not in repr(again.plan.view())


@pytest.mark.parametrize("family", ["roberta", "distilbert", "modernbert"])
def test_other_families_are_adapted(family: str, tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path / family, family)
    result = adapt([write_corpus(tmp_path / "corpus.txt")], str(folder), tmp_path / "out", quick(epochs=1))

    assert np.isfinite(result.scores["loss"])
    assert not load_masked_lm(open_encoder(str(tmp_path / "out"))).new


@pytest.mark.parametrize("kind", ["wordpiece", "bpe"])
def test_an_encoder_is_trained_from_nothing(kind: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt")
    new = NewEncoder("tiny", 300, "bpe" if kind == "bpe" else "wordpiece")
    result = pretrain([corpus], tmp_path / "out", new, quick(epochs=2))
    again = pretrain([corpus], tmp_path / "again", new, quick(epochs=2))

    assert result.scores["loss"] < result.progress.evaluations[0]["loss"]
    assert open_encoder(str(tmp_path / "out")).config.num_hidden_layers == 2
    assert result.scores == again.scores and same_weights(tmp_path / "out", tmp_path / "again")
    assert result.plan.head_steps == 0


# --- what is refused ----------------------------------------------------------------------------------


def test_an_existing_folder_is_replaced_only_if_it_is_ones_own(encoder: str, tmp_path: Path) -> None:
    corpus, out = write_corpus(tmp_path / "corpus.txt"), tmp_path / "out"
    out.mkdir()
    with pytest.raises(ConfigError, match=r"out exists already\.") as refused:
        adapt([corpus], encoder, out, quick())
    assert "--overwrite" in str(refused.value.hint)
    with pytest.raises(ConfigError, match="is no adapted encoder; it is not replaced, not even with --overwrite"):
        adapt([corpus], encoder, out, quick(), if_exists="overwrite")
    out.rmdir()
    adapt([corpus], encoder, out, quick(epochs=1))
    adapt([corpus], encoder, out, quick(epochs=1, seed=3), if_exists="overwrite")

    assert json.loads((out / FACTS).read_text())["plan"]["options"]["seed"] == 3


def test_an_interrupted_run_is_not_thrown_away(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt")
    with pytest.raises(KeyboardInterrupt):
        adapt([corpus], encoder, tmp_path / "out", quick(), callbacks=[Interrupt(1.5)])

    with pytest.raises(ConfigError, match="a run was interrupted here; its last epoch is in") as error:
        adapt([corpus], encoder, tmp_path / "out", quick())
    assert "Go on with --resume" in str(error.value.hint)
    with pytest.raises(ConfigError, match="with another corpus, encoder or options"):
        adapt([corpus], encoder, tmp_path / "out", quick(seed=9), if_exists="resume")


def test_there_must_be_something_to_resume(encoder: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no interrupted run to go on with"):
        adapt([write_corpus(tmp_path / "corpus.txt")], encoder, tmp_path / "out", quick(), if_exists="resume")


def test_next_sentences_need_documents(encoder: str, tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("\n\n".join(f"the app {word}" for word in "crash error bug nothing does".split() * 9))

    with pytest.raises(DataError, match="here [0-9]+ of [0-9]+ are a single line"):
        adapt([lines], encoder, tmp_path / "out", quick(next_sentence=True))


def test_a_text_in_which_nothing_is_masked_is_refused(encoder: str, tmp_path: Path) -> None:
    path = tmp_path / "tiny.txt"
    path.write_text("the app\n\ngood\n")

    with pytest.raises(
        DataError, match="The corpus has [12] tokens, of which none is masked|held out have [12] tokens"
    ):
        adapt([path], encoder, tmp_path / "out", quick(mask_rate=0.01))


def test_a_rough_measure_is_said(encoder: str, tmp_path: Path) -> None:
    ready = prepare([write_corpus(tmp_path / "corpus.txt")], encoder, quick())

    assert any("are masked in the text held out: its loss is a rough one" in one for one in ready.plan.warnings)


def test_long_documents_are_counted(encoder: str, tmp_path: Path) -> None:
    long, short = (prepare([write_corpus(tmp_path / "c.txt")], encoder, quick(max_tokens=size)) for size in (24, 64))

    count = long.train.num_documents
    assert long.plan.notes == (f"{count} of {count} documents are longer than a sequence and go on in the next.",)
    assert short.plan.notes == ()


def test_sequences_longer_than_the_encoder_are_refused(encoder: str, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="max_tokens is 65; this encoder takes at most 64"):
        adapt([write_corpus(tmp_path / "corpus.txt")], encoder, tmp_path / "out", quick(max_tokens=65))


def test_the_default_length_is_what_a_short_encoder_takes(encoder: str, tmp_path: Path) -> None:
    assert prepare([write_corpus(tmp_path / "c.txt")], encoder, quick(max_tokens=None)).config.max_tokens == 64


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"mask_rate": 0.0}, "mask_rate is 0.0; it must be above 0"),
        ({"epochs": 0}, "epochs is 0; it must be at least 1"),
        ({"max_tokens": 4}, "max_tokens is 4; it must be at least 8"),
        ({"mask_rat": 0.2}, "'mask_rat' is not an option"),
    ],
)
def test_options_out_of_range_are_refused(option: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        quick(**option)


def test_the_precision_that_was_chosen_belongs_to_a_run(
    encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where "auto" is another precision a run cannot go on as if it were the same; what it was may be asked for."""
    corpus = write_corpus(tmp_path / "corpus.txt")

    def key(auto: Precision, asked: Precision = "auto") -> str:
        chosen = Runtime(torch.device("cpu"), auto if asked == "auto" else asked, "")
        monkeypatch.setattr("fastbert.training.adapt.choose_runtime", lambda precision: chosen)
        return prepare([corpus], encoder, quick(precision=asked)).key()

    assert key("fp32") == key("bf16", "fp32")
    assert key("fp32") != key("bf16")


@pytest.mark.parametrize("options", [{"pregenerate": 1}, {"pregenerate": 2, "mask_rate": 0.4}])
def test_other_examples_on_disk_are_made_anew(options: dict[str, float], encoder: str, tmp_path: Path) -> None:
    """A run that was killed in its first epoch leaves examples; the next one may ask for more of them, or others."""
    corpus, out = write_corpus(tmp_path / "corpus.txt"), tmp_path / "out"
    left = prepare([corpus], encoder, quick(**options))
    left._pregenerated(working_folder(out))(0)
    adapt([corpus], encoder, out, quick(pregenerate=2))
    adapt([corpus], encoder, tmp_path / "whole", quick(pregenerate=2))

    assert same_weights(out, tmp_path / "whole")


def test_no_more_examples_are_written_than_epochs_need(encoder: str, tmp_path: Path) -> None:
    ready = prepare([write_corpus(tmp_path / "corpus.txt")], encoder, quick(epochs=1, pregenerate=40))
    ready._pregenerated(tmp_path / "work")(0)

    assert len(list((tmp_path / "work" / "examples").glob("*.npz"))) == 1


def test_a_corpus_in_another_script_is_said(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt")
    text = corpus.read_text(encoding="utf-8")
    corpus.write_text(text.replace("app", "ሰላም").replace("the", "ነው"), encoding="utf-8")
    unknown = "\n\n".join(f"ሰላም ነው {number}" for number in range(60))
    (tmp_path / "unknown.txt").write_text(unknown, encoding="utf-8")

    warnings = prepare([corpus], encoder, quick()).plan.warnings
    assert any("% of the tokens are unknown to the encoder's vocabulary" in one for one in warnings)
    with pytest.raises(DataError, match="none is masked: the vocabulary knows none of them"):
        prepare([tmp_path / "unknown.txt"], encoder, quick())


def test_a_vocabulary_too_small_for_its_characters_is_said(tmp_path: Path) -> None:
    lines = ["".join(chr(0x4E00 + (17 * line + place) % 300) for place in range(100)) for line in range(60)]
    (tmp_path / "corpus.txt").write_text("\n\n".join(lines), encoding="utf-8")

    warnings = prepare_new([tmp_path / "corpus.txt"], NewEncoder("tiny", 200), quick()).plan.warnings

    assert any("Give a larger --vocab-size, or --vocabulary bpe" in one for one in warnings)


def test_only_what_is_new_is_called_new(encoder: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus.txt")
    adapt([corpus], encoder, tmp_path / "masked", quick(epochs=1))
    bare = prepare([corpus], encoder, quick(next_sentence=True)).plan.reasons
    ready = prepare([corpus], str(tmp_path / "masked"), quick(next_sentence=True))

    assert bare[0].startswith(
        "the encoder has no masked-LM head and no next-sentence head and gets new ones, its decoder"
    )
    assert ready.plan.reasons[0].startswith("the encoder has no next-sentence head and gets a new one; it learns alone")
    assert ready.model.new == {"cls.seq_relationship.weight", "cls.seq_relationship.bias"}
