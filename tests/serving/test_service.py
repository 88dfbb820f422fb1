"""Asking and waiting: a client that hangs up is not waited for."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from fastbert.inference.predictor import as_examples
from fastbert.serving.http import ClientGone, Request
from tests.serving.asking import serving
from tests.serving.gates import Gate


def test_a_client_that_hangs_up_leaves_the_queue(single: Path) -> None:
    with serving([single]) as asker:
        model = asker.service.models.get()
        engine = model.batcher._engine
        gate = Gate(engine._lane._backend)
        engine._lane._backend = gate
        hung_up = threading.Event()

        async def ask(*, hangs_up: bool) -> str:
            async def receive() -> dict[str, str]:
                if hangs_up:
                    hung_up.set()
                    return {"type": "http.disconnect"}
                await asyncio.Event().wait()
                raise AssertionError

            request = Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)
            try:
                await asker.service.ask(request, model, as_examples(["bug"]))
            except ClientGone:
                return "gone"
            return "answered"

        async def work() -> list[str]:
            first = asyncio.create_task(ask(hangs_up=False))
            others = [asyncio.create_task(ask(hangs_up=True)) for _ in range(3)]
            gone = await asyncio.gather(*others)
            waiting = model.batcher.waiting
            gate.open.set()
            return [await first, *gone, str(waiting)]

        assert asker.run(work()) == ["answered", "gone", "gone", "gone", "0"]
        assert hung_up.is_set()
