"""How a training job begins and ends: whatever happens there is an exit code, and a file that says why.

Imports torch only once it listens to signals, and can tell in the failure file that torch is missing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from fastbert.display import View
from fastbert.sagemaker.container import Container
from fastbert.sagemaker.failure import explain, write_failure
from fastbert.sagemaker.hyperparameters import known_names
from fastbert.sagemaker.stopping import EXIT_CODE, Stopped, StopRequests


@dataclass(frozen=True)
class Ended:
    """How a job ended. code: the exit code.    result: what `metrics.json` holds, {} without a model.

    cause, hint: of a failure, else empty.
    """

    code: int
    result: dict[str, object]
    cause: str = ""
    hint: str = ""


def run(
    container: Container,
    *,
    write: Callable[[str], None] = lambda line: None,
    on_view: Callable[[View], None] = lambda view: None,
) -> Ended:
    """Run the job of a container; an error is told in the result and in the failure file, and not raised.

    write: is given the metric lines.    on_view: is shown the plan, and what is tried before.
    """
    stop = StopRequests()
    for old in (container.failure, container.success):
        with contextlib.suppress(OSError):
            old.unlink(missing_ok=True)
    try:
        with stop.listening():
            from fastbert.sagemaker.job import train

            result = train(container, stop, write, on_view)
    except Stopped:
        return Ended(EXIT_CODE, {})
    except Exception as error:
        names = known_names()
        write_failure(container.failure, error, names)
        cause, hint, code = explain(error, names)
        return Ended(code, {}, cause, hint)
    if stop.asked:
        return Ended(EXIT_CODE, result)
    with contextlib.suppress(OSError):
        container.success.touch()
    return Ended(0, result)
