"""What is noticed while tagged text is read: said once, with places and counts."""

from __future__ import annotations

import pytest

from fastbert.data.examples import Entity, TaggedExample
from fastbert.data.rows import SkippedRows
from fastbert.data.tagging_notes import ReadOptions
from fastbert.errors import DataError
from fastbert.labels import Labels
from tests.data.tagged import notes

ONE = TaggedExample("Maria", (Entity(0, 5, "PER"),))


def test_nothing_noted_is_nothing_said() -> None:
    assert notes().report([ONE]).sentences() == []


def test_problems_are_one_error_in_the_order_of_the_file() -> None:
    noted = notes()
    noted.bad(9, "a line has no tag", "Add it.", what="token 'b' has no tag")
    noted.again(10, "token 'c' has no tag")
    noted.bad(2, "a line has no token", "Add one.")

    with pytest.raises(DataError) as caught:
        noted.report([ONE])

    assert str(caught.value) == (
        "train.conll: 3 lines cannot be read.\n"
        "  line 2: a line has no token\n"
        "  line 9: token 'b' has no tag\n"
        "  line 10: token 'c' has no tag\n"
        "  Add one. To leave these out and go on, use `--on-bad-row skip`."
    )


def test_texts_to_predict_are_not_told_of_an_option_of_training() -> None:
    noted = notes(options=ReadOptions(labels_required=False))
    noted.bad(9, "a line has no token", "Add it.")

    with pytest.raises(DataError) as caught:
        noted.report([ONE])

    assert str(caught.value) == "train.conll, line 9: a line has no token.\n  Add it."


def test_problems_are_left_out_and_counted_if_the_user_says_so() -> None:
    noted = notes(options=ReadOptions(skip=True))
    noted.bad(9, "a line has no tag", "Add it.", what="token 'b' has no tag")

    report = noted.report([ONE])

    assert report.skipped == (SkippedRows("a line has no tag", 1, (9,)),)
    assert report.num_rows == 2


@pytest.mark.parametrize("skip", [True, False])
def test_a_file_of_which_nothing_is_left_is_an_error(skip: bool) -> None:
    noted = notes(options=ReadOptions(skip=skip))
    noted.left_out(3, "its answer is 'reject'")

    with pytest.raises(DataError, match=r"none of the 1 texts can be used: its answer is 'reject' \(row 3\)"):
        noted.report([])


def test_an_unknown_label_is_an_error_even_if_bad_rows_are_left_out() -> None:
    noted = notes(options=ReadOptions(Labels(("LOC", "PER")), skip=True))
    noted.check_label(4, "PRE")

    with pytest.raises(DataError) as caught:
        noted.report([ONE])

    assert str(caught.value) == (
        "train.conll, line 4: label 'PRE' is not one of the 2 labels (LOC, PER).\n  Did you mean 'PER'?"
    )


def test_changes_are_counted_and_the_first_five_are_listed() -> None:
    noted = notes()
    for line in range(1, 8):
        noted.changed("an entity is left out", f"line {line}")

    assert noted.report([ONE]).sentences() == [
        "train.conll: an entity is left out, 7 times (line 1; line 2; line 3; line 4; line 5; ...)."
    ]


def test_labels_that_no_text_has_are_mentioned() -> None:
    noted = notes(options=ReadOptions(Labels(("LOC", "PER"))))

    assert noted.report([ONE]).warnings == (
        "No text of train.conll has the label 'LOC': nothing is learned or measured there.",
    )


def test_a_file_without_any_entity_is_mentioned() -> None:
    assert notes().report([TaggedExample("a", ())]).warnings == ("No text of train.conll has an entity.",)


def test_texts_to_predict_need_no_entities() -> None:
    assert notes().report([TaggedExample("a")]).warnings == ()
