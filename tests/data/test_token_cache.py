"""Tokens on disk: the same as without, found only where they belong, and never in the way."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from fastbert.config import Truncation
from fastbert.data import token_cache
from fastbert.data.cutting import Slide
from fastbert.data.databunch import DataBunch
from fastbert.data.token_cache import CachedTokenizer, cached, prune, read, write
from fastbert.data.tokens import Encodings, Pairs, Texts, Tokenizer
from fastbert.data.windows import Windows
from tests.data.test_tokens import WAYS, numbered, small
from tests.data.test_tokens import texts as any_text
from tests.realdata import CHECKOUT

TEXTS = ["the app works", "page button " * 9, "", "not good"]
PAIRS = [None, "slow", "fast", None]
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")


@pytest.fixture(autouse=True)
def keep_everything(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Cache the few texts of a test too, and let each test see its own warning."""
    monkeypatch.setattr(token_cache, "LEAST_CHARACTERS", 0)
    token_cache._warn_once.cache_clear()
    yield


class Counting(CachedTokenizer):
    """Counts how often it had to tokenise."""

    calls = 0

    def _bare(self, texts_and_pairs: tuple[Texts, Pairs]) -> tuple[Encodings, list[tokenizers.Encoding | None]]:
        self.calls += 1
        return super()._bare(texts_and_pairs)


def content(windows: Windows) -> tuple[list[int], list[int] | None, list[object]]:
    types = None if windows.types_T is None else windows.types_T.tolist()
    return windows.ids_T.tolist(), types, windows.table_W.tolist()


def encode(tokenizer: Tokenizer, truncation: Truncation = "windows", max_tokens: int = 8) -> Windows:
    return tokenizer.encode(TEXTS, PAIRS, max_tokens=max_tokens, truncation=truncation)


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


# --- the same as without ----------------------------------------------------------------------------


@given(
    rows=st.lists(st.tuples(any_text, st.none() | any_text), max_size=6),
    max_tokens=st.integers(6, 20),
    truncation=st.sampled_from(WAYS),
)
def test_what_is_read_equals_what_was_encoded(
    rows: list[tuple[str, str | None]],
    max_tokens: int,
    truncation: Truncation,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    tokenizer = Counting(small(), tmp_path_factory.mktemp("cache"))
    texts, pairs = [text for text, _ in rows], [pair for _, pair in rows]

    made = tokenizer.encode(texts, pairs, max_tokens=max_tokens, truncation=truncation)
    calls = tokenizer.calls
    found = tokenizer.encode(texts, pairs, max_tokens=max_tokens, truncation=truncation)

    assert content(found) == content(made)
    assert content(made) == content(small().encode(texts, pairs, max_tokens=max_tokens, truncation=truncation))
    assert tokenizer.calls == calls


def test_arrays_are_mapped_and_may_not_be_changed(tmp_path: Path) -> None:
    encode(CachedTokenizer(small(), tmp_path))

    found = encode(CachedTokenizer(small(), tmp_path))

    assert not found.ids_T.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        found.ids_T[0] = 1


def test_a_data_bunch_reads_its_tokens_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTBERT_CACHE", str(tmp_path))
    rows = [{"text": text, "label": label} for label in ("bug", "praise") for text in TEXTS[:2] * 3]
    data = DataBunch.from_files(rows, rows, text="text", label="label")
    first = data.with_tokenizer(small(), 12).encoded("train")

    monkeypatch.setattr(Tokenizer, "encode", None)
    second = data.with_tokenizer(small(), 12).encoded("train")

    assert content(second.features.windows) == content(first.features.windows)
    assert [list(one.pieces) for one in second.features] == [list(one.pieces) for one in first.features]
    assert second.features.targets_W is not None


# --- found only where they belong -------------------------------------------------------------------


def test_whatever_changes_the_tokens_changes_the_key() -> None:
    def key(
        tokenizer: Tokenizer | None = None,
        texts: list[str] = TEXTS,
        pairs: list[str | None] = PAIRS,
        max_tokens: int = 8,
        truncation: Truncation = "head",
    ) -> str:
        chosen = CachedTokenizer(tokenizer or small(), Path())
        return chosen.key(texts, pairs, max_tokens=max_tokens, truncation=truncation)

    keys = [
        key(),
        key(numbered(3)[0]),
        key(small(32)),
        key(max_tokens=9),
        key(truncation="tail"),
        key(texts=["the app", " works", *TEXTS[2:]]),
        key(texts=["the app work", "s" + TEXTS[1], *TEXTS[2:]]),
        key(pairs=["", *PAIRS[1:]]),
        key(texts=TEXTS[:3], pairs=PAIRS[:3]),
        key(texts=["the app works", TEXTS[1], "", "not goo\ud83d"]),
    ]

    assert len(set(keys)) == len(keys)
    assert key() == keys[0]


def test_what_windows_slide_over_and_share_is_kept_apart(tmp_path: Path) -> None:
    tokenizer = CachedTokenizer(small(), tmp_path)
    ways: list[tuple[Slide, int | None]] = [("text", None), ("pair", None), ("text", 1), ("pair", 1)]

    found = [
        [
            content(one.encode(TEXTS, PAIRS, max_tokens=8, truncation="windows", slide=slide, overlap=overlap))
            for slide, overlap in ways
        ]
        for one in (tokenizer, tokenizer, small())
    ]

    assert found[0] == found[1] == found[2]
    assert len(list(tmp_path.iterdir())) == 4


def test_many_texts_have_one_key_however_they_are_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of other texts must not come out where a part ends."""
    monkeypatch.setattr(token_cache, "PART", 2)
    tokenizer = CachedTokenizer(small(), Path())

    keys = {
        tokenizer.key(texts, [None] * len(texts), max_tokens=8, truncation="head")
        for texts in (["a", "b", "c"], ["a", "b", "c", ""], ["a", "bc", ""], ["ab", "", "c"], ["a", "b", "d"])
    }

    assert len(keys) == 5


def damage_byte(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(lambda data: data[:-4], id="shorter"),
        pytest.param(lambda data: data[:100], id="header cut"),
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: data + b"1234", id="longer"),
        pytest.param(lambda data: damage_byte(data, len(data) - 1), id="types"),
        pytest.param(lambda data: damage_byte(data, 300), id="table"),
        pytest.param(lambda data: damage_byte(data, 5), id="magic"),
        pytest.param(lambda data: data.replace(b"sizes", b"sixes"), id="header key"),
        pytest.param(lambda data: data.replace(b'"checksum"', b'"checksum '), id="no JSON"),
        pytest.param(lambda data: data.replace(b'"sizes": [', b'"sizes": 5,'), id="other JSON"),
        pytest.param(lambda data: b"PK\x03\x04" + bytes(5000), id="foreign"),
    ],
)
def test_a_file_that_is_not_whole_is_made_again(damaged: Callable[[bytes], bytes], tmp_path: Path) -> None:
    tokenizer = Counting(small(), tmp_path)
    expected = content(encode(tokenizer))
    path = only_file(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(damaged(whole))
    calls = tokenizer.calls

    assert read(path) is None
    assert content(encode(tokenizer)) == expected
    assert tokenizer.calls == calls + 1
    assert path.read_bytes() == whole


def test_the_tokens_of_other_texts_under_this_name_are_not_taken(tmp_path: Path) -> None:
    encode(CachedTokenizer(small(), tmp_path))
    other = tmp_path / f"{'0' * 40}.tokens"
    only_file(tmp_path).rename(other)

    assert read(other) is None


# --- never in the way -------------------------------------------------------------------------------


@posix_only
def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    encode(CachedTokenizer(small(), tmp_path / "new" / "tokens"))

    folder = tmp_path / "new" / "tokens"
    assert (folder.stat().st_mode & 0o777, only_file(folder).stat().st_mode & 0o777) == (0o700, 0o600)


def test_few_texts_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_cache, "LEAST_CHARACTERS", 1 + sum(map(len, TEXTS)) + len("slowfast"))

    encode(CachedTokenizer(small(), tmp_path / "tokens"))

    assert not (tmp_path / "tokens").exists()


def refuse(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("step", ["tempfile.mkstemp", "os.replace", "Path.mkdir", "os.fdopen"])
def test_a_disk_that_takes_nothing_is_said_once(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(f"fastbert.data.token_cache.{step}", refuse)
    tokenizer = CachedTokenizer(small(), tmp_path)

    found = [content(encode(tokenizer)) for _ in range(2)]

    assert found == [content(encode(small()))] * 2
    assert caplog.messages == [
        f"Tokens cannot be kept in {tmp_path} (No space left on device); the run goes on without."
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "tokens").write_text("not a folder")

    found = encode(CachedTokenizer(small(), tmp_path / "tokens"))

    assert content(found) == content(encode(small()))
    assert "the run goes on without" in caplog.text


def test_no_text_is_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    encode(CachedTokenizer(small(), tmp_path))
    only_file(tmp_path).write_bytes(b"damaged")
    monkeypatch.setattr("os.replace", refuse)

    encode(CachedTokenizer(small(), tmp_path))

    assert len(caplog.messages) == 2
    assert "app" not in caplog.text.replace(str(tmp_path), "")


def put(folder: Path, name: str, size: int, age_s: float) -> Path:
    """Write a file that was last used so many seconds ago."""
    path = folder / name
    path.write_bytes(bytes(size))
    used = time.time() - age_s
    os.utime(path, (used, used))
    return path


def test_files_not_used_for_longest_go_first(tmp_path: Path) -> None:
    old, older, new = (put(tmp_path, f"{age}.tokens", 100, age) for age in (20, 30, 10))

    prune(tmp_path, 250)

    assert (new.exists(), old.exists(), older.exists()) == (True, True, False)


def test_reading_a_file_counts_as_using_it(tmp_path: Path) -> None:
    encode(CachedTokenizer(small(), tmp_path))
    path = only_file(tmp_path)
    os.utime(path, (1, 1))

    encode(CachedTokenizer(small(), tmp_path))

    assert path.stat().st_mtime > 1


def test_only_what_the_cache_made_is_deleted(tmp_path: Path) -> None:
    kept = [put(tmp_path, "notes.txt", 100, 10**6), put(tmp_path, "young.part", 100, 10)]
    abandoned = put(tmp_path, "abandoned.part", 100, 10**6)

    prune(tmp_path, 0)

    assert ([path.exists() for path in kept], abandoned.exists()) == ([True, True], False)


def test_what_is_larger_than_the_limit_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_cache, "LIMIT_BYTES", 10)
    put(tmp_path, "other.tokens", 5, 0)

    write(tmp_path / "large.tokens", encode(small()))

    assert only_file(tmp_path).name == "other.tokens"


# Encodes, reads and deletes beside others; whatever is wrong ends it with an error.
WORK = """
import sys
from pathlib import Path
from fastbert.data import token_cache
from fastbert.data.tokens import Tokenizer
from tests.helpers import word_tokenizer

token_cache.LEAST_CHARACTERS = 0
plain = Tokenizer(word_tokenizer(), pad_id=0, max_tokens=64, input_names=[])
tokenizer = token_cache.CachedTokenizer(plain, Path(sys.argv[1]))
rows = (["the app works"] * 50, [None] * 50)
expected = plain.encode(*rows, max_tokens=8).ids_T.tolist()
for turn in range(300):
    assert tokenizer.encode(*rows, max_tokens=8).ids_T.tolist() == expected
    if turn % 5 == 0:
        token_cache.prune(Path(sys.argv[1]), 0)
"""


def test_processes_share_the_folder_while_files_come_and_go(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", WORK, str(tmp_path)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT) for _ in range(2)]

    assert [process.communicate()[1] for process in processes] == ["", ""]
    assert [process.returncode for process in processes] == [0, 0]
    assert not list(tmp_path.glob("*.part"))


# --- where ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["", "off", "OFF"])
def test_the_cache_can_be_switched_off(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTBERT_CACHE", value)
    tokenizer = small()

    assert cached(tokenizer) is tokenizer


def test_a_cached_tokenizer_is_the_same_tokenizer(tmp_path: Path) -> None:
    tokenizer = small()

    again = CachedTokenizer(tokenizer, tmp_path)

    assert again.backend is tokenizer.backend
    assert again.to_json() == tokenizer.to_json()
    assert np.array_equal(encode(again).ids_T, encode(tokenizer).ids_T)
