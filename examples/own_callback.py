"""A callback of your own: it watches the run and may ask it to stop, here after a budget of seconds."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from fastbert import Callback, DataBunch, Learner
from fastbert.training.state import RunState

DATA = Path(__file__).parent / "data" / "feedback"


class TimeBudget(Callback):
    """Asks the loop to stop after so many seconds; what was best so far is kept."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._started = 0.0

    def on_start(self, state: RunState) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def on_step(self, state: RunState) -> None:
        """Ask to stop when the time is up; the loop then evaluates and ends."""
        if time.monotonic() - self._started > self.seconds:
            state.stop.ask(f"the budget of {self.seconds:g} s is used up")

    def on_evaluate(self, state: RunState) -> None:
        """Tell how it goes."""
        print(f"step {state.step}: {state.monitor} {state.scores.get(state.monitor, 0):.3f}")


def main(out: Path, *, encoder: str = "minilm", epochs: float = 12, seconds: float = 60) -> Learner:
    """Train for at most some seconds."""
    data = DataBunch.from_files(DATA / "train.csv", DATA / "val.csv")
    learner = Learner(data, encoder=encoder, callbacks=[TimeBudget(seconds)])
    learner.fit(epochs=epochs)
    print(learner.last_run.stop.reason or "finished")
    learner.save(out, overwrite=True)
    return learner


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("own-callback-model"))
