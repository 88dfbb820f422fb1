"""Which of the trainings of a command leads to the model that is saved. Knows only their names (`Callback.on_part`)."""

from __future__ import annotations

MAIN = ("", "training", "all rows")  # of the model to save, after what came first
BEFORE = ("pairs of rows", "the head alone")  # of the same model, before that
CHOSEN_LOSS = "training: loss "  # begins the name, after trials
CHOSEN_ENCODER = " encoder, all training rows"  # ends the name, after an adaptation


def is_main(part: str) -> bool:
    """Return whether a part trains the model to save, and its evaluations are of that.

    >>> is_main("all rows"), is_main("fold 1 of 3"), is_main("fold 1 of 3, training")
    (True, False, False)
    """
    return part in MAIN or part.startswith(CHOSEN_LOSS) or part.endswith(CHOSEN_ENCODER)


def can_save(part: str) -> bool:
    """Return whether a model can be saved soon if this part is stopped."""
    return is_main(part) or part in BEFORE
