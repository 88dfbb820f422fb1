"""Wrong labels put into a data set on purpose, so that it is known which they are.

Knows neither FastBert nor how wrong labels are found.
"""

import numpy as np
import numpy.typing as npt

from benchmarks.datasets import Benchmark, Row


def add_noise(benchmark: Benchmark, share: float, seed: int) -> tuple[list[Row], npt.NDArray[np.bool_]]:
    """Return the training rows with wrong labels in a share of them, and which rows these are, bool (N,).

    Rows are drawn uniformly. One of the labels of each becomes another one, drawn uniformly from those that the row
    does not have; a row of several labels keeps the others.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(benchmark.train), round(share * len(benchmark.train)), replace=False)
    rows, flipped_N = list(benchmark.train), np.zeros(len(benchmark.train), np.bool_)
    for place in drawn.tolist():
        text, pair, names = rows[place]
        lost = str(rng.choice(names))
        gained = str(rng.choice([name for name in benchmark.labels if name not in names]))
        rows[place] = (text, pair, tuple(gained if name == lost else name for name in names))
        flipped_N[place] = True
    return rows, flipped_N
