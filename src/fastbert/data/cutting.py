"""Which tokens of each text its windows keep: arithmetic on lengths, for many texts at once.

A window keeps at most two runs of consecutive tokens of a text (its head and its tail), and as
many of a pair. Knows neither tokens nor what stands between the texts.

Axes: N texts, W windows, R = 4 runs: head and tail of the text, head and tail of its pair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from fastbert.config import Truncation

Ints = npt.NDArray[np.int64]
# Which of the two the windows slide over; the other one is repeated in each. "longer": the longer one of each two.
Slide = Literal["text", "pair", "longer"]
SWAPPED = [2, 3, 0, 1]  # the runs of the pair before those of the text
HEAD_SHARE = 0.25  # of the room for text: head 128 + tail 382 of 510 (Sun et al. 2019, section 5.3.1)


@dataclass(frozen=True)
class Cuts:
    """What each window keeps, in the order of texts. text_W: the text it is of.

    starts_WR, sizes_WR: first token of each run and how many; a run may be empty.
    windows_N: windows of each text.    unread_N: True where a part of the text or pair is in no window.
    """

    text_W: Ints
    starts_WR: Ints
    sizes_WR: Ints
    windows_N: Ints
    unread_N: npt.NDArray[np.bool_]


def plan_cuts(
    first_N: Ints,
    second_N: Ints,
    room_N: Ints,
    truncation: Truncation,
    slide: Slide = "text",
    overlap: int | None = None,
) -> Cuts:
    """Return the runs that each window keeps of texts of so many tokens.

    second_N: tokens of the pairs, 0 where there is none.    room_N: tokens that a window has for both.
    slide, overlap: of "windows" only. overlap: tokens that neighbours share of what they slide over, at most half of
        what one of them holds, so that a small room does not make a window of each token; None is a quarter of it.

    >>> plan_cuts(np.array([9, 3]), np.array([0, 0]), np.array([4, 4]), "head_tail").starts_WR[:, :2].tolist()
    [[0, 6], [0, 3]]
    """
    if truncation == "windows":
        swap_N = second_N > first_N if slide == "longer" else np.full(len(first_N), slide == "pair")
        over_N, beside_N = np.where(swap_N, second_N, first_N), np.where(swap_N, first_N, second_N)
        cuts = _sliding(over_N, beside_N, room_N, overlap)
        swap_W1 = swap_N[cuts.text_W][:, None]
        starts_WR, sizes_WR = (
            np.where(swap_W1, kept_WR[:, SWAPPED], kept_WR) for kept_WR in (cuts.starts_WR, cuts.sizes_WR)
        )
        return replace(cuts, starts_WR=starts_WR, sizes_WR=sizes_WR)
    num_texts = len(first_N)
    starts_NR, sizes_NR = np.zeros((num_texts, 4), np.int64), np.zeros((num_texts, 4), np.int64)
    cut_N = first_N + second_N > room_N
    if cut_N.any():
        for column, (num_N, size_N) in enumerate(_longest_first(first_N, second_N, room_N)):
            _keep(num_N, size_N, truncation, starts_NR[:, 2 * column :], sizes_NR[:, 2 * column :])
    else:
        sizes_NR[:, 0], sizes_NR[:, 2] = first_N, second_N
    return Cuts(np.arange(num_texts), starts_NR, sizes_NR, np.ones(num_texts, np.int64), cut_N)


def _longest_first(first_N: Ints, second_N: Ints, room_N: Ints) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
    """Return lengths of both texts with what each may keep: the longer one gives way, as in transformers."""
    short_N = np.minimum(first_N, second_N)
    long_N = np.where(short_N <= room_N, np.maximum(short_N, room_N - short_N), short_N)
    both_N = short_N + long_N > room_N
    short_N, long_N = np.where(both_N, room_N // 2, short_N), np.where(both_N, room_N // 2 + room_N % 2, long_N)
    longer_N = first_N > second_N
    size_first_N, size_second_N = np.where(longer_N, long_N, short_N), np.where(longer_N, short_N, long_N)
    return (first_N, np.minimum(size_first_N, first_N)), (second_N, np.minimum(size_second_N, second_N))


def _keep(num_N: Ints, size_N: Ints, truncation: Truncation, starts_NR: Ints, sizes_NR: Ints) -> None:
    """Fill in the head and the tail run of one text."""
    if truncation == "head":
        head_N = size_N
    elif truncation == "tail":
        head_N = np.zeros_like(size_N)
    else:
        head_N = np.where(size_N < num_N, (size_N * HEAD_SHARE).astype(np.int64), size_N)
    sizes_NR[:, 0], sizes_NR[:, 1] = head_N, size_N - head_N
    starts_NR[:, 1] = num_N - sizes_NR[:, 1]


def _sliding(first_N: Ints, second_N: Ints, room_N: Ints, overlap: int | None) -> Cuts:
    """Slide over the first text; the second is repeated in each window, cut to half the room.

    Beside a short first text it may take what that leaves.
    """
    size_second_N = np.minimum(second_N, np.maximum(room_N // 2, room_N - first_N))
    size_N = room_N - size_second_N
    # Neighbours overlap, so that no phrase is seen only torn apart.
    overlap_N = size_N // 4 if overlap is None else np.clip(overlap, 0, size_N // 2)
    step_N = np.maximum(1, size_N - overlap_N)
    windows_N = np.where(first_N > size_N, -(-(first_N - size_N + step_N) // step_N), 1)
    text_W = np.repeat(np.arange(len(first_N)), windows_N)
    number_W = np.arange(len(text_W)) - np.repeat(np.cumsum(windows_N) - windows_N, windows_N)
    last_W = np.maximum(0, first_N - size_N)[text_W]  # the last window ends with the text
    starts_WR, sizes_WR = np.zeros((len(text_W), 4), np.int64), np.zeros((len(text_W), 4), np.int64)
    starts_WR[:, 0] = np.minimum(number_W * step_N[text_W], last_W)
    sizes_WR[:, 0] = np.minimum(size_N, first_N)[text_W]
    sizes_WR[:, 2] = size_second_N[text_W]
    return Cuts(text_W, starts_WR, sizes_WR, windows_N, size_second_N < second_N)
