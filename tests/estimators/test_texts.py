"""X in every form that scikit-learn passes on, and what is said of one that holds no texts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars
import pytest
from scipy import sparse  # type: ignore[import-untyped]  # no stubs

from fastbert.errors import DataError
from fastbert.estimators.texts import Texts, listed_rows, read_texts

TEXTS = ["the app is slow", "the page is fast"]
PAIRS = [("who", "anna"), ("where", "berlin")]


@pytest.mark.parametrize(
    "X",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        np.array(TEXTS).reshape(-1, 1),
        [[text] for text in TEXTS],
        pd.Series(TEXTS),
        pd.Series(TEXTS, dtype=object, index=[7, 3]),
        pd.Index(TEXTS),
        polars.Series(TEXTS),
        pd.DataFrame({"note": TEXTS}),
        polars.DataFrame({"note": TEXTS}),
    ],
)
def test_one_text_a_row_is_read_from_anything(X: object) -> None:
    found = read_texts(X)

    assert (found.rows(), found.num_columns, {type(text) for text in found.texts}) == (TEXTS, 1, {str})


@pytest.mark.parametrize(
    "X",
    [
        PAIRS,
        [list(pair) for pair in PAIRS],
        np.array(PAIRS),
        pd.DataFrame(PAIRS),
        pd.DataFrame(PAIRS, columns=["question", "context"]),
        polars.DataFrame(PAIRS, schema=["question", "context"], orient="row"),
    ],
)
def test_two_texts_a_row_are_pairs(X: object) -> None:
    found = read_texts(X)

    assert (found.rows(), len(found), found.num_columns) == (PAIRS, 2, 2)


@pytest.mark.parametrize(
    ("X", "names"),
    [(pd.DataFrame({"note": TEXTS}), ("note",)), (pd.DataFrame([[text] for text in TEXTS]), ()), (TEXTS, ())],
)
def test_the_columns_of_a_frame_have_names(X: object, names: tuple[str, ...]) -> None:
    assert read_texts(X).names == names


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("a text", "X is a single text; expected one text for each row.\n  Put it in a list: [text]."),
        ([], "X has 0 rows; a minimum of 1 is required."),
        (["a", None, "b", float("nan"), pd.NA], r"X: 3 of 5 texts are missing (rows 1, 3, 4): None or NaN."),
        (pd.Series(["a", None]), "X: 1 of 2 texts are missing (row 1)"),
        ([("a", "b"), ("c", None)], "column 1 of X: 1 of 2 texts are missing (row 1)"),
        (["a", 3], "X, row 1, is of type int; expected text."),
        (np.ones((2, 1)), "X, row 0, is of type float; expected text."),
        (np.ones((2, 3)), "X has 3 columns; expected one text a row, or two.\n  Choose the text"),
        ([("a", "b", "c")], "X has 3 columns"),
        ([("a", "b"), ("c",)], "The rows of X differ in length"),
        (["a", ("b", "c")], "The rows of X differ in length"),
        (np.full((1, 1, 1), "a"), "X has 3 dimensions"),
        (sparse.csr_matrix(np.eye(2)), "X is a sparse matrix; expected texts.\n  Leave the vectorizer out"),
        ({"text": ["a"]}, "X is of type dict; expected texts."),
    ],
)
def test_an_x_without_texts_is_refused(X: object, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_texts(X)

    assert str(caught.value).startswith(message)
    assert isinstance(caught.value, ValueError)


def test_blank_texts_are_found_in_both_columns() -> None:
    assert Texts(["a", " ", "b"], ["c", "d", ""]).blank_rows() == [1, 2]


def test_many_rows_are_named_by_the_first() -> None:
    assert listed_rows(range(10, 20)) == "rows 10, 11, 12, 13, 14, ..."
