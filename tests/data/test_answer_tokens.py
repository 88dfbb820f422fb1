"""The tokens of answers in the windows of their contexts, against a search token by token."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.answer_tokens import ABSENT, NONE, WHOLE, WIDENED, find_answer_tokens
from fastbert.data.examples import Answer
from fastbert.data.offsets import PAIR, Offsets
from fastbert.data.tokens import Tokenizer
from fastbert.data.windows import Windows
from tests.data.test_offsets import byte_level, metaspace
from tests.data.test_tokens import small

QUESTION = "who is it ?"  # [CLS] who is it ? [SEP]: the context begins at token 6
CONTEXT = "anna loves the old page and the new app"


def encode(tokenizer: Tokenizer, contexts: list[str], max_tokens: int) -> tuple[Windows, Offsets]:
    return tokenizer.encode_with_offsets(
        [QUESTION] * len(contexts), contexts, max_tokens=max_tokens, truncation="windows", slide="pair", overlap=2
    )


def found(context: str, *answers: Answer, max_tokens: int = 64) -> list[list[int]]:
    """Return first token, last token and kind for each window."""
    windows: list[list[int]] = find_answer_tokens(*encode(small(), [context], max_tokens), [answers]).tolist()
    return windows


def test_an_answer_is_found_by_its_first_and_last_token() -> None:
    assert found(CONTEXT, Answer("old page", 15)) == [[9, 10, WHOLE]]


@pytest.mark.parametrize(("text", "start"), [("age", 20), ("pag", 19), ("old pa", 15), ("d page", 17)])
def test_an_answer_that_is_part_of_a_token_is_widened(text: str, start: int) -> None:
    first = 10 if start > 18 else 9

    assert found(CONTEXT, Answer(text, start)) == [[first, 10, WIDENED]]


def test_white_space_at_the_ends_of_an_answer_widens_nothing() -> None:
    assert found(CONTEXT, Answer(" old page ", 14)) == [[9, 10, WHOLE]]


def test_a_question_without_answer_and_a_window_without_it_point_at_the_first_token() -> None:
    answers = [(), (Answer("anna", 0),)]

    windows = find_answer_tokens(*encode(small(), [CONTEXT, CONTEXT], 12), answers).tolist()

    assert windows == [[0, 0, NONE]] * 3 + [[6, 6, WHOLE], [0, 0, ABSENT], [0, 0, ABSENT]]


def test_a_window_that_cuts_an_answer_does_not_hold_it() -> None:
    """Windows hold 5 tokens of the context: anna .. page, old .. new, and the .. app (the last ends with it)."""
    assert found(CONTEXT, Answer("page and the", 19), max_tokens=12) == [[0, 0, ABSENT], [7, 9, WHOLE], [6, 8, WHOLE]]


def test_the_first_answer_that_a_window_holds_counts() -> None:
    windows = found(CONTEXT, Answer("app", 36), Answer("the", 11), Answer("old", 15), max_tokens=12)

    assert windows == [[8, 8, WHOLE], [6, 6, WHOLE], [10, 10, WHOLE]]


def test_no_questions_and_empty_contexts_have_no_tokens() -> None:
    assert find_answer_tokens(*encode(small(), [], 12), []).shape == (0, 3)
    assert found("", Answer("app", 0)) == [[0, 0, ABSENT]]


def by_search(windows: Windows, offsets: Offsets, answer: Answer, whole: Offsets) -> list[list[int]]:
    """Find the tokens of an answer in the uncut context, and these in each window. whole: of one window for all."""
    own = whole.source_T == PAIR
    start, end = answer.start, answer.start + len(answer.text)
    spans = list(zip(whole.start_T[own].tolist(), whole.end_T[own].tolist(), strict=True))
    first = min((index for index, (_, behind) in enumerate(spans) if behind > start), default=len(spans))
    last = max((index for index, (begin, _) in enumerate(spans) if begin < end), default=-1)
    kind = WIDENED if first <= last and (spans[first][0] < start or spans[last][1] > end) else WHOLE
    rows = []
    for place, length in zip(windows.table_W["start"].tolist(), windows.table_W["length"].tolist(), strict=True):
        tokens = np.where(offsets.source_T == PAIR, offsets.token_T, -1)[place : place + length].tolist()
        held = first <= last and first in tokens and last in tokens
        rows.append([tokens.index(first), tokens.index(last), kind] if held else [0, 0, ABSENT])
    return rows


@pytest.mark.parametrize("tokenizer", [small(), byte_level(trim=False), metaspace()], ids=["words", "bytes", "marks"])
@given(
    context=st.text("a p\n\u00e9\u4e16", min_size=1, max_size=30).filter(str.strip),
    max_tokens=st.integers(24, 40),
    data=st.data(),
)
def test_tokens_are_those_that_a_search_finds(
    tokenizer: Tokenizer, context: str, max_tokens: int, data: st.DataObject
) -> None:
    start = data.draw(st.sampled_from([index for index, sign in enumerate(context) if not sign.isspace()]))
    end = data.draw(
        st.sampled_from([index + 1 for index in range(start, len(context)) if not context[index].isspace()])
    )
    answer = Answer(context[start:end], start)
    windows, offsets = encode(tokenizer, [context], max_tokens)
    whole = tokenizer.encode_with_offsets(["a"], [context], max_tokens=64)[1]

    expected = by_search(windows, offsets, answer, whole)

    assert find_answer_tokens(windows, offsets, [(answer,)]).tolist() == expected
