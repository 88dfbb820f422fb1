"""A bundle opened as a predictor: the same answer however texts are batched, and what is refused."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbert.data.examples import TextExample
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError, ConfigError, DataError, MissingExtraError
from fastbert.inference import predictor as predictor_module
from fastbert.inference.pipeline import Backend, predict_features
from fastbert.inference.predictor import Predictor, as_examples, chunks, num_characters
from fastbert.labels import Labels
from fastbert.models.loading import load_saved_model
from fastbert.tasks.base import Array, Batch, Prediction, Task
from fastbert.tasks.classification import Classification, MultiLabel, SingleLabel
from fastbert.tasks.label_prediction import LabelPrediction
from tests.bundles import MULTI, NAMES, SINGLE, open_tiny, save_bundle, tiny_bundle
from tests.helpers import DEFAULT_WORDS, FAMILIES
from tests.models.test_heads import MeanHead

TEXTS = ["the app is slow", "bug", "", "good " * 50, "please help me , the export button does nothing"]
WINDOWED = SingleLabel(Labels(NAMES), "windows")
sentences = st.lists(st.sampled_from(DEFAULT_WORDS), max_size=40).map(" ".join)


class Recorder:
    """A backend that notes the shape of each batch and says nothing."""

    name = "recorder"
    workers = 1
    batch_tokens = 8192

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def forward(self, batch: Batch) -> dict[str, Array]:
        """Return logits of zero."""
        self.shapes.append(batch["input_ids"].shape)
        return {"logits": np.zeros((len(batch["input_ids"]), len(NAMES)))}


def scores_of(predictions: list[Prediction]) -> np.ndarray:
    return np.array([list(prediction.scores.values()) for prediction in predictions]).reshape(-1, 3)


def load(tmp_path: Path, task: Task = SINGLE, family: str = "bert") -> Predictor:
    return Predictor.load(tiny_bundle(tmp_path / "model", family, task))


def quiet(tmp_path: Path) -> tuple[Predictor, Recorder]:
    """Return a predictor with a backend that only records."""
    predictor, recorder = load(tmp_path), Recorder()
    predictor.backend = recorder
    return predictor, recorder


# --- the same answer --------------------------------------------------------------------------------


@pytest.mark.parametrize("task", [SINGLE, MULTI, WINDOWED], ids=["single", "multi", "windows"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_text_alone_gets_the_answer_that_it_gets_among_others(family: str, task: Task, tmp_path: Path) -> None:
    predictor = load(tmp_path, task, family)

    together = scores_of(predictor(TEXTS))
    alone = np.vstack([scores_of(predictor([text])) for text in TEXTS])

    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)
    assert float(np.ptp(together, axis=0).max()) > 1e-3  # the texts do differ


@pytest.mark.parametrize("family", FAMILIES)
def test_pairs_of_every_family_keep_their_answers_in_a_batch(family: str, tmp_path: Path) -> None:
    predictor = load(tmp_path, SINGLE, family)
    pairs = [("the app", "is slow"), ("good " * 40, "bad"), ("", "help"), ("bug", "not " * 30)]

    together = scores_of(predictor(pairs))
    alone = np.vstack([scores_of(predictor([pair])) for pair in pairs])

    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)


def test_the_second_text_matters(tmp_path: Path) -> None:
    predictor = load(tmp_path)

    one, two = scores_of(predictor([("the app", "is slow"), ("the app", "is great")]))

    assert not np.allclose(one, two)


@settings(max_examples=20)
@given(texts=st.lists(sentences | st.tuples(sentences, sentences), max_size=8))
def test_answers_come_in_the_order_of_the_texts(
    texts: list[str | tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "order" / "model"
    predictor = Predictor.load(folder if folder.is_dir() else tiny_bundle(folder))

    answers = predictor(texts)

    assert [answer.text if answer.pair is None else (answer.text, answer.pair) for answer in answers] == texts
    np.testing.assert_allclose(scores_of(answers)[::-1], scores_of(predictor(texts[::-1])), rtol=0, atol=1e-5)


def test_a_predictor_answers_what_the_model_says(tmp_path: Path) -> None:
    predictor = load(tmp_path)
    model = load_saved_model(tmp_path / "model", SINGLE).eval()
    ids_BL = torch.tensor([[2, *predictor.tokenizer.backend.encode("the app", add_special_tokens=False).ids, 3]])

    (answer,) = predictor(["the app"])

    expected = torch.softmax(model(input_ids=ids_BL)["logits"].double(), dim=-1)[0].tolist()
    assert list(answer.scores.values()) == pytest.approx(expected, abs=1e-6)
    assert answer.labels == (NAMES[int(np.argmax(expected))],)


def test_windows_of_a_long_text_are_shown(tmp_path: Path) -> None:
    short, long = load(tmp_path, WINDOWED)(["bug", "good " * 50])

    assert isinstance(short, LabelPrediction) and isinstance(long, LabelPrediction)
    assert short.windows == ()
    assert len(long.windows) == 3
    assert (long.windows[0].pieces[0][0], long.windows[-1].pieces[-1][1]) == (0, len("good " * 50) - 1)


def test_a_cut_text_says_so(tmp_path: Path) -> None:
    assert [answer.cut for answer in load(tmp_path)(["bug", "good " * 50])] == [False, True]


@pytest.mark.parametrize(("threshold", "count"), [(0.0, 3), (1.0, 0)])
def test_the_rule_of_the_bundle_decides(threshold: float, count: int, tmp_path: Path) -> None:
    encoder = open_tiny(tmp_path / "encoder")
    folder = save_bundle(tmp_path / "model", encoder, MULTI, decisions=Decisions(threshold))

    (answer,) = Predictor.load(folder)(["the app"])

    assert len(answer.labels) == count


# --- batches ----------------------------------------------------------------------------------------


def test_no_texts_have_no_answers_and_run_nothing(tmp_path: Path) -> None:
    predictor, recorder = quiet(tmp_path)

    assert predictor([]) == []
    assert recorder.shapes == []


def test_batches_hold_texts_of_like_length_within_the_budget(tmp_path: Path) -> None:
    predictor, recorder = quiet(tmp_path)
    examples = as_examples(["bug", "good " * 20] * 20)
    features = SINGLE.encode(examples, predictor.tokenizer, 24)

    predict_features(SINGLE, recorder, features, examples, Decisions(), predictor.tokenizer, batch_tokens=110)

    assert recorder.shapes == [*[(5, 22)] * 4, *[(20, 3)]]


def test_one_very_long_text_is_read_in_several_passes(tmp_path: Path) -> None:
    """All its windows went through the encoder at once, whatever the budget: memory grew with the text."""
    predictor, recorder = load(tmp_path, WINDOWED), Recorder()
    examples = as_examples(["good " * 2000, "bug"])
    features = predictor.task.encode(examples, predictor.tokenizer, predictor.bundle.max_tokens)

    def answer(backend: Backend, batch_tokens: int) -> list[Prediction]:
        decisions = predictor.bundle.decisions
        return predict_features(
            predictor.task, backend, features, examples, decisions, predictor.tokenizer, batch_tokens
        )

    answer(recorder, 256)
    apart, together = answer(predictor.backend, 256), answer(predictor.backend, 100_000)

    assert max(rows * length for rows, length in recorder.shapes) <= 256
    assert sum(rows for rows, _ in recorder.shapes) == len(features) > 100
    assert isinstance(apart[0], LabelPrediction)
    assert len(apart[0].windows) == len(features) - 1
    np.testing.assert_allclose(scores_of(apart), scores_of(together), atol=1e-6)


def test_a_stream_answers_like_a_list(tmp_path: Path) -> None:
    predictor = load(tmp_path)

    streamed = list(predictor.stream(iter(TEXTS), chunk=2))

    assert [answer.labels for answer in streamed] == [answer.labels for answer in predictor(TEXTS)]
    np.testing.assert_allclose(scores_of(streamed), scores_of(predictor(TEXTS)), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("chunk", "taken"), [(3, 3), (1, 1), (0, 1)])
def test_a_stream_takes_one_chunk_of_texts_at_a_time(chunk: int, taken: int, tmp_path: Path) -> None:
    """A chunk of 0 ended the stream without an answer."""
    predictor, _ = quiet(tmp_path)
    read: list[int] = []

    def source() -> Iterator[str]:
        for number in range(10):
            read.append(number)
            yield "bug"

    answers = predictor.stream(source(), chunk=chunk)

    assert next(answers).text == "bug"
    assert len(read) == taken
    assert len(list(answers)) == 9


# --- refused ----------------------------------------------------------------------------------------


def test_a_single_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(tmp_path)("the app")

    assert str(caught.value) == (
        "A predictor is called with a list of texts; a single text was given.\n  Write model([text])."
    )


def test_a_chunk_ends_early_where_texts_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictor_module, "CHUNK_CHARACTERS", 10)

    found = list(chunks(["a" * 4, "b" * 4, "c" * 4, "d" * 30, "e", "f"], len, most=4))

    assert [[len(text) for text in chunk] for chunk in found] == [[4, 4, 4], [30], [1, 1]]
    assert list(chunks([], len, 4)) == []


def test_the_characters_of_a_pair_are_those_of_both_texts() -> None:
    assert num_characters(TextExample("abc", "de")) == 5
    assert num_characters(TextExample("abc")) == 3


def test_a_stream_of_a_single_text_is_refused(tmp_path: Path) -> None:
    """Its characters were taken for texts."""
    with pytest.raises(DataError, match="a single text was given"):
        next(load(tmp_path).stream("the app"))


@pytest.mark.parametrize(
    ("item", "kind"),
    [(3, "int"), (None, "NoneType"), (["a", "b"], "list"), (("a", "b", "c"), "tuple"), (("a", 1), "tuple")],
)
def test_what_is_no_text_is_refused_with_its_place(item: object, kind: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(tmp_path)(["the app", item])  # type: ignore[list-item]

    assert str(caught.value) == f"Item 1 is {kind}; expected a text, or a tuple of two texts."


def test_the_place_in_a_stream_counts_from_its_beginning(tmp_path: Path) -> None:
    """It counted from the beginning of the chunk."""
    predictor, _ = quiet(tmp_path)

    with pytest.raises(DataError, match="Item 5 is int"):
        list(predictor.stream(["bug"] * 5 + [7], chunk=2))  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("name", "hint"), [("trch", "Did you mean 'torch'?"), ("zebra", "Known: auto, torch")]
)  # fmt: skip
def test_an_unknown_backend_is_refused(name: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Predictor.load(tiny_bundle(tmp_path / "model"), backend=name)

    assert caught.value.message == f"'{name}' is not a backend."
    assert (caught.value.hint or "").startswith(hint)


def test_a_backend_whose_packages_are_missing_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_bundle(tmp_path / "model")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(MissingExtraError) as caught:
        Predictor.load(folder, backend="torch")

    assert str(caught.value) == (
        "The backend 'torch' needs the package torch, which is not installed.\n"
        '  Install it with `pip install "fastbert-nlp[train]"`.'
    )


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="looks like a plain Hugging Face checkpoint"):
        Predictor.load(open_tiny(tmp_path / "encoder").source)


def test_a_changed_bundle_is_refused_unless_that_is_asked_for(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "model")
    (folder / "config.json").write_text((folder / "config.json").read_text() + "\n")

    with pytest.raises(BundleError, match=r"config\.json was changed after it was saved"):
        Predictor.load(folder)
    assert Predictor.load(folder, verify=False).labels == NAMES


# --- a head of one's own ----------------------------------------------------------------------------


def test_a_bundle_with_a_head_of_its_own_asks_for_it(tmp_path: Path) -> None:
    folder = save_bundle(tmp_path / "model", open_tiny(tmp_path / "encoder"), head=MeanHead)

    with pytest.raises(BundleError) as caught:
        Predictor.load(folder)

    assert str(caught.value) == (
        f"{folder}: the model was trained with a head of its own, my.package:Head.\n"
        "  Pass it: Predictor.load(folder, head=...). An export needs it no more."
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_a_head_of_ones_own_answers(family: str, tmp_path: Path) -> None:
    folder = save_bundle(tmp_path / "model", open_tiny(tmp_path / "encoder", family), head=MeanHead)
    predictor = Predictor.load(folder, head=MeanHead)

    together, alone = scores_of(predictor(TEXTS)), np.vstack([scores_of(predictor([text])) for text in TEXTS])

    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)


def test_a_head_for_a_bundle_without_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="do not fit the head that was passed"):
        Predictor.load(tiny_bundle(tmp_path / "model"), head=MeanHead)


# --- what it says of itself -------------------------------------------------------------------------


@pytest.mark.parametrize("task", [SINGLE, MULTI], ids=["single", "multi"])
def test_a_predictor_shows_task_backend_and_labels(task: Classification, tmp_path: Path) -> None:
    predictor = load(tmp_path, task)

    assert repr(predictor) == f"Predictor({tmp_path / 'model'}, {task.name}, torch: bug, praise, question)"
    assert predictor.task == task


def test_many_labels_are_not_all_shown(tmp_path: Path) -> None:
    task = MultiLabel(Labels(tuple("abcdefghi")))

    predictor = load(tmp_path, task)

    assert repr(predictor).endswith("torch: a, b, c, d, e, f, g, h, ...)")
    assert predictor.labels == tuple("abcdefghi")


def test_examples_of_a_table_are_answered_with_their_labels_ignored(tmp_path: Path) -> None:
    predictor = load(tmp_path)
    examples = [TextExample("the app", labels=("bug",)), TextExample("the app", labels=("praise",))]

    one, two = predictor.predict_examples(examples)

    assert one.labels == two.labels
    # not equal to the last bit: on some processors a row's place in the batch decides how it is summed
    np.testing.assert_allclose(scores_of([one]), scores_of([two]), atol=1e-6)


def test_a_pair_is_refused_by_a_model_of_single_texts(bundle: Path) -> None:
    with pytest.raises(DataError, match=r"item 0 is a pair of texts; this model was trained on single texts"):
        Predictor.load(bundle)([("one", "two")])
