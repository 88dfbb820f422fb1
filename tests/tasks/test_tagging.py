"""Tagging: targets, loss, legal answers in characters, scores. A whole run is in `test_tagging_run.py`."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.examples import Entity, Range, TaggedExample, TextExample
from fastbert.decisions.rules import Decisions
from fastbert.errors import BundleError
from fastbert.labels import Labels
from fastbert.tasks import tagging
from fastbert.tasks.base import Example, Prediction
from fastbert.tasks.entities_prediction import EntitiesPrediction, ScoredEntity, entities_in
from fastbert.tasks.tagging import IGNORED, Tagging
from fastbert.tasks.token_scores import units_of
from tests.tasks.rows import LONG, RNG, tokenizer

TASK = Tagging(Labels(("part", "sign")))
APP, EXPORT, BUTTON = Entity(4, 7, "part"), Entity(24, 30, "sign"), Entity(24, 37, "part")
ROWS = [
    TaggedExample(LONG, (APP, BUTTON), where="row 1"),
    TaggedExample("the page is slow", (), where="row 2"),
    TaggedExample("page", (Entity(0, 4, "part"),), where="row 3"),
]


def logits_for(rows: list[TaggedExample], max_tokens: int, sure: float = 8.0) -> np.ndarray:
    """Return the outputs of a model that knows the truth, (W, L, 5)."""
    features = TASK.encode(rows, tokenizer(), max_tokens)
    tag_WL = features.padded("tag", IGNORED)
    logits = RNG.normal(size=(*tag_WL.shape, 5)).astype(np.float32)
    logits[..., :] += sure * (np.arange(5) == tag_WL[..., None])
    return logits


def decode(rows: list[TaggedExample], max_tokens: int, logits: np.ndarray) -> list[Prediction]:
    features = TASK.encode(rows, tokenizer(), max_tokens)
    return TASK.decode({"logits": logits}, features, rows, Decisions())


def said(*entities: Entity, score: float = 0.5) -> EntitiesPrediction:
    found = [ScoredEntity("x", entity.label, entity.start, entity.end, score) for entity in entities]
    return EntitiesPrediction.of(found, TextExample(LONG))


def test_targets_stand_at_the_first_token_of_each_unit() -> None:
    features = TASK.encode(ROWS, tokenizer(), 32)

    labels = TASK.targets(features, 32, RNG)["labels"]

    begin, goes_on = 1, 2  # O, B-part, I-part, B-sign, I-sign
    assert labels[0].tolist() == [IGNORED, 0, begin, 0, 0, 0, 0, begin, goes_on, *[0] * 6, IGNORED]
    assert labels[2].tolist() == [IGNORED, begin, *[IGNORED] * 14]


def test_an_entity_within_a_word_is_learned_with_the_word() -> None:
    torn = [TaggedExample("the page", (Entity(5, 7, "sign"),), where="row 1")]

    assert TASK.targets(TASK.encode(torn, tokenizer(), 16), 16, RNG)["labels"].tolist() == [[IGNORED, 0, 3, IGNORED]]
    assert "begin or end within a word (row 1, characters 5-7)" in " ".join(TASK.warnings({"train": torn}))


def test_windows_have_the_targets_of_the_whole_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a window begins inside a word: its first piece there is not where answers are read."""
    asked: list[str] = []

    def noted(example: Example) -> Sequence[Range]:
        asked.append(example.where)
        return units_of(example)

    monkeypatch.setattr(tagging, "units_of", noted)
    text = "the page" + " app" * 30 + " is"  # all apps are one word of the file
    words = ((0, 3), (4, 8), (9, 128), (129, 131))
    rows = [TaggedExample(text, (Entity(9, 128, "part"),), where="row 1", words=words), ROWS[0]]

    whole = TASK.encode(rows, tokenizer(), 64)
    times = len(asked)
    windows = TASK.encode(rows, tokenizer(), 12)

    assert len(windows) > 2 + len(whole) == 4
    assert len(asked) == 2 * times  # not for each window: texts of 100,000 characters have thousands
    known = [dict(zip(one.columns["token"].tolist(), one.columns["tag"].tolist(), strict=True)) for one in whole]
    for window in windows:
        pairs = zip(window.columns["token"].tolist(), window.columns["tag"].tolist(), strict=True)
        assert all(tag == (known[window.example][token] if token >= 0 else IGNORED) for token, tag in pairs)
    assert [tag for tag in known[0].values() if tag != IGNORED] == [0, 0, 1, 0]


def test_texts_to_predict_have_no_targets() -> None:
    features = TASK.encode([TextExample("the page")], tokenizer(), 16)

    assert set(features.columns["tag"].tolist()) == {IGNORED}


def test_loss_is_the_mean_of_torch_over_the_units() -> None:
    logits = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[IGNORED, 0, 1, IGNORED], [IGNORED, 3, IGNORED, IGNORED]])

    total, count = TASK.loss({"logits": logits}, {"labels": labels})

    assert count == 3.0
    expected = torch.nn.functional.cross_entropy(logits.reshape(-1, 5), labels.reshape(-1))
    torch.testing.assert_close(total / count, expected)


def test_answers_are_characters_of_the_text_with_scores() -> None:
    found = decode(ROWS, 32, logits_for(ROWS, 32))

    assert [entities_in(one) for one in found] == [example.entities for example in ROWS]
    assert isinstance(found[0], EntitiesPrediction)
    assert [(entity.text, entity.label) for entity in found[0].entities] == [("app", "part"), ("export button", "part")]
    assert all(0.9 < entity.score <= 1.0 for entity in found[0].entities)


@given(st.integers(6, 20))
def test_windows_change_no_answer_of_a_model_that_knows(max_tokens: int) -> None:
    rows = [TaggedExample(f"{LONG} {LONG}", (APP, Entity(len(LONG) + 5, len(LONG) + 8, "sign")), where="row")]

    (found,) = decode(rows, max_tokens, logits_for(rows, max_tokens))

    assert entities_in(found) == rows[0].entities
    assert not found.cut


@given(st.integers(0, 2**32 - 1))
def test_whatever_the_model_says_entities_lie_in_words_and_apart(seed: int) -> None:
    logits = np.random.default_rng(seed).normal(scale=9.0, size=(3, 16, 5)).astype(np.float32)

    for prediction, example in zip(decode(ROWS, 32, logits), ROWS, strict=True):
        assert isinstance(prediction, EntitiesPrediction)
        behind = 0
        for entity in prediction.entities:
            assert entity.start >= behind and entity.text == example.text[entity.start : entity.end]
            assert entity.text == entity.text.strip() and 0.0 <= entity.score <= 1.0
            behind = entity.end


def test_a_token_of_two_words_is_one_entity() -> None:
    """Words of a file may be shorter than a token: the second goes on with the first."""
    row = TaggedExample("slow", words=((0, 2), (2, 4)))
    logits = np.zeros((1, 3, 5), np.float32)
    logits[0, 1, 1] = 5.0  # B-part

    assert entities_in(decode([row], 16, logits)[0]) == (Entity(0, 4, "part"),)


def test_scores_are_strict_and_partial() -> None:
    scores = TASK.score([said(APP, EXPORT), said(), said()], ROWS)

    assert scores["precision"] == 0.5
    assert scores["recall"] == pytest.approx(1 / 3)
    assert scores["exact_match"] == pytest.approx(1 / 3)
    assert scores["f1_partial"] == pytest.approx(2 * 1.5 / 5)
    assert TASK.score_labels([said(APP), said(), said()], ROWS)["part"]["recall"] == pytest.approx(1 / 3)


def test_the_error_of_f1_falls_with_the_root_of_the_rows() -> None:
    answers = [said(APP, BUTTON), said(APP), said()]

    few, many = (TASK.score_error(answers * times, ROWS * times) for times in (20, 80))

    assert 0.0 < few < 0.1
    assert many == pytest.approx(few / 2, rel=0.35)
    assert TASK.score_error([said()], [ROWS[1]]) == 0.0


def test_the_error_of_a_difference_is_none_where_nothing_differs() -> None:
    answers, others = [said(APP, BUTTON), said(APP), said()] * 20, [said(APP, BUTTON), said(), said()] * 20

    assert TASK.score_error(answers, ROWS * 20, against=answers) == 0.0
    assert 0.0 < TASK.score_error(answers, ROWS * 20, against=others) < 0.1


def test_rows_are_ordered_by_what_is_missed_and_wrong() -> None:
    assert TASK.row_loss(said(APP, EXPORT, score=0.75), ROWS[0]) == 1.75
    assert TASK.row_loss(said(APP, BUTTON), ROWS[0]) == 0.0


@pytest.mark.parametrize(("found", "expected"), [((APP, BUTTON), "right"), ((APP,), "partly"), ((EXPORT,), "wrong")])
def test_agreement(found: tuple[Entity, ...], expected: str) -> None:
    assert TASK.agreement(said(*found), ROWS[0]) == expected


def test_a_row_without_entities_is_right_with_none() -> None:
    assert TASK.agreement(said(), ROWS[1]) == "right"


def test_unknown_entities_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="row 9: a text without entities given cannot be scored"):
        TASK.score([said()], [TaggedExample("a", where="row 9")])


def test_the_head_starts_at_the_shares_of_the_tags() -> None:
    shares = np.exp(TASK.prior_logits(ROWS))

    assert shares.sum() == pytest.approx(1.0)
    # 14 + 4 + 1 units: three begin, one of them goes on; one is added to each count
    assert shares.tolist() == pytest.approx([16 / 24, 4 / 24, 2 / 24, 1 / 24, 1 / 24])


def test_counts_and_strata_are_of_entity_types() -> None:
    assert TASK.counts(ROWS) == {"part": 3, "sign": 0}
    assert TASK.strata(ROWS) == [("part",), (), ("part",)]


def test_the_model_knows_the_tags_by_name() -> None:
    names = TASK.model_options["id2label"]

    assert names == {0: "O", 1: "B-part", 2: "I-part", 3: "B-sign", 4: "I-sign"}
    assert TASK.describe() == "tagging, 2 entity types"


def test_it_is_made_again_from_json() -> None:
    assert Tagging.from_json(json.loads(json.dumps(TASK.to_json()))) == TASK


def test_damaged_json_is_refused() -> None:
    with pytest.raises(BundleError, match=r"the task 'tagging' has 3 for labels; expected a list of names"):
        Tagging.from_json({"name": "tagging", "labels": 3})
