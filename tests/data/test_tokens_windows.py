"""What windows of a long pair leave unread."""

from __future__ import annotations

import pytest

from fastbert.data.tokens import Tokenizer
from tests.helpers import word_tokenizer


@pytest.mark.parametrize(("pair_words", "cut"), [(2, False), (60, True)])
def test_windows_say_when_a_part_of_the_pair_is_in_none_of_them(pair_words: int, cut: bool) -> None:
    tokenizer = Tokenizer(word_tokenizer(["w"]), pad_id=0, max_tokens=64, input_names=["input_ids"])

    encoded = tokenizer.encode(["w " * 60], ["w " * pair_words], max_tokens=24, truncation="windows")

    assert encoded.table_W["cut"].all() == encoded.table_W["cut"].any() == cut
