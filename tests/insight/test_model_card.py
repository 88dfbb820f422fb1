"""The card is checked on its text: front matter, numbers, code that is Python, caveats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fastbert.bundle import Bundle
from fastbert.decisions.abstain import Abstention
from fastbert.decisions.rules import Decisions
from fastbert.insight.evidence import Evidence
from fastbert.insight.model_card import (
    caveats,
    escape_markdown,
    markdown_table,
    model_card,
    wilson_interval,
)
from fastbert.insight.run_facts import RunFacts, read_facts
from fastbert.insight.uncertainty import Uncertainty, uncertainty
from fastbert.labels import Labels
from fastbert.tasks.classification import MultiLabel
from tests.insight.made_rows import single
from tests.insight.made_up import BUNDLE, PER_LABEL

FACTS_OF_40 = RunFacts(rows={"test": 40})


def card_of(bundle: Bundle) -> str:
    return model_card(Evidence(bundle, "test", PER_LABEL), Uncertainty())


def test_the_front_matter_is_what_a_hub_reads() -> None:
    lines = card_of(BUNDLE).split("---")[1].strip().splitlines()

    assert lines == [
        "library_name: transformers",
        "pipeline_tag: text-classification",
        "tags:",
        "- fastbert",
        "- single-label",
    ]


def test_the_card_shows_scores_by_split_and_by_label() -> None:
    card = card_of(BUNDLE)

    assert "| f1\\_macro | 0.8200 | 0.8125 |" in card
    assert "| mcc | - | 0.7700 |" in card
    assert "| Bugs | 0.9100 | 0.9200 | 0.9150 | 50 |" in card


def test_a_label_of_markup_is_shown_as_text() -> None:
    card = card_of(BUNDLE)

    assert "| &lt;b&gt;&amp; | 0.0000 |" in card
    assert "<b>" not in card


def test_the_card_tells_how_to_use_the_model_both_ways() -> None:
    card = card_of(BUNDLE)

    assert 'Predictor.load("feedback-model")' in card
    assert "fastbert predict feedback-model TABLE" in card
    assert 'pipeline("text-classification", model="feedback-model", top_k=None)' in card


@pytest.mark.parametrize("part", [0, 1])
def test_the_code_of_the_card_is_python(part: int) -> None:
    named = replace(BUNDLE, folder=Path('it\'s a "model"'))
    code = card_of(named).split("```python\n")[1 + part].split("```")[0]

    assert compile(code, "README.md", "exec")


def test_a_model_of_pairs_is_called_with_pairs() -> None:
    card = card_of(replace(BUNDLE, facts={"plan": {"layout": {"pair": "answer"}}}))

    assert 'model([("A text", "and a second one")])' in card
    assert '"text_pair"' in card


def test_a_head_of_its_own_cannot_be_opened_by_transformers() -> None:
    card = card_of(replace(BUNDLE, head="mine:MyHead"))

    assert "Not possible: the model has a head of its own, `mine:MyHead`." in card
    assert "from transformers import pipeline" not in card
    assert "head=YourHead" in card


def test_a_head_that_pools_cannot_be_opened_by_transformers_but_needs_no_class_of_yours() -> None:
    card = card_of(replace(BUNDLE, pooling="mean"))

    assert "Not possible: the head pools the encoder's output (mean)." in card
    assert "head=YourHead" not in card


def test_the_threshold_of_a_multi_label_model_is_told() -> None:
    multi = replace(BUNDLE, task=MultiLabel(Labels(("a", "b"))), decisions=Decisions(0.37))

    assert "Every label whose score is at least 0.37 is given; there may be none." in card_of(multi)


def test_caveats_name_rare_and_missed_labels_and_the_interval() -> None:
    found = caveats(Evidence(BUNDLE, "test", PER_LABEL), read_facts(BUNDLE.facts), Uncertainty())

    assert found[:4] == [
        "accuracy 0.9000 was measured on 100 rows: the 95 % interval of such a sample is 0.826 to 0.945.",
        "Labels with fewer than 30 test rows, whose scores are rough: <b>&.",
        "Labels that were not found even once: <b>&.",
        "It reads at most 256 tokens at once; longer texts are cut.",
    ]


def test_scores_of_validation_rows_are_called_too_good() -> None:
    facts = read_facts(BUNDLE.facts)
    multi = replace(BUNDLE, task=MultiLabel(Labels(("a", "b"))))

    one, several = (caveats(Evidence(bundle, "valid"), facts, Uncertainty())[0] for bundle in (BUNDLE, multi))

    assert "also chose the weights that were kept" in one
    assert "also chose the weights and the threshold that were kept" in several


@pytest.mark.parametrize("name", ["new.csv", "valid", "test"])
def test_rows_that_are_given_chose_nothing(name: str) -> None:
    given = Evidence(BUNDLE, name, PER_LABEL, own_scores={"accuracy": 0.8})

    found = " ".join(caveats(given, read_facts(BUNDLE.facts), Uncertainty()))

    assert f"The rows of {name} were given after the training: no weights were chosen by them." in found
    assert "also chose" not in found and "held back as a test split" not in found


def test_the_interval_of_accuracy_is_that_of_the_rows_that_were_answered() -> None:
    found = single(Decisions(abstention=Abstention(confidence=0.8)))  # every fifth row is at 0.6
    saved = Evidence(found.bundle, "test")  # without rows, as older versions saved it

    of_rows, of_facts = (" ".join(caveats(one, FACTS_OF_40, Uncertainty())) for one in (found, saved))

    sentence = (
        "accuracy 1.0000 was measured on the 32 of 40 rows that were answered: the 95 % interval of such a sample"
    )
    assert f"{sentence} is {wilson_interval(1.0, 32)[0]:.3f} to 1.000." in of_rows
    assert sentence in of_facts


def test_rows_in_units_have_the_interval_of_units() -> None:
    found = single()
    wrong_first_N = np.argsort(np.argsort(found.right_N, kind="stable"))
    unlike, alike = (
        replace(found, rows=replace(found.rows, units_N=n)) for n in (wrong_first_N // 4, np.arange(40) // 10)
    )

    unlike_said, alike_said = (" ".join(caveats(one, RunFacts(), uncertainty(one))) for one in (unlike, alike))

    low, high = uncertainty(unlike).scores["accuracy"]
    assert (
        f"measured on 40 rows, in 10 units: the 95 % interval of such a sample is {low:.3f} to {high:.3f}."
        in unlike_said
    )
    # what no draw of units changes is as sure as of so many rows
    assert (
        "40 rows, in 4 units: the 95 % interval of such a sample is {:.3f} to {:.3f}".format(*wilson_interval(0.8, 4))
        in alike_said
    )


def test_wilson_interval_matches_the_published_example() -> None:
    # 81 of 263: 0.2553 to 0.3662 (Newcombe 1998, Statistics in Medicine 17, table I, method 3)
    assert wilson_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_a_cell_cannot_break_a_table() -> None:
    assert markdown_table(["a"], [["x|y\nz"]]).splitlines()[2] == "| x\\|y z |"
    assert escape_markdown("[a](b)") == "\\[a\\](b)"


def test_intervals_stand_beside_the_scores_they_are_of() -> None:
    unsure = Uncertainty({"accuracy": (0.85, 0.94)}, {"Bugs": (0.88, 0.95)}, "Intervals are made up.")

    card = model_card(Evidence(BUNDLE, "test", PER_LABEL), unsure)

    assert "| accuracy | 0.8500 | 0.9000 | 0.850 to 0.940 |" in card
    assert "| Bugs | 0.9100 | 0.9200 | 0.9150 | 50 | 0.880 to 0.950 |" in card
    assert "Intervals are made up." in card


def test_the_card_says_what_it_was_trained_on_and_how_to_do_it_again() -> None:
    facts = {**BUNDLE.facts, "run": {"tables": {"train": "rows.csv"}}}

    card = card_of(replace(BUNDLE, facts=facts))

    assert "| Billing | 600 | 70 | 38 |" in card
    assert "fastbert train rows.csv" in card
    assert "Train it again" not in card_of(BUNDLE)
