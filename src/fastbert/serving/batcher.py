"""The queue in front of one model: texts of many requests share its passes, and none waits for ever.

As many threads as the backend runs passes at a time take what waits, encode it, run what is of like length and decide;
while they are at it the next pass gathers in the queue. The event loop only puts in and takes out. Knows nothing of
HTTP but the problems that it raises.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastbert.decisions.rules import Decisions
from fastbert.inference.pipeline import SMALLEST_TOKENS
from fastbert.inference.predictor import Predictor
from fastbert.serving.engine import Encoded, Engine
from fastbert.serving.metrics import ModelMeter
from fastbert.serving.problems import Problem, busy, failed, not_ready, place_of, timed_out
from fastbert.serving.queueing import LOOKAHEAD, Gauge, Waiting, take
from fastbert.serving.settings import Settings
from fastbert.tasks.base import Example, Prediction

log = logging.getLogger(__name__)


@dataclass
class Job:
    """A request in the queue. answers, tokens: by text, filled as they come.    over: nobody waits for it any more."""

    examples: Sequence[Example]
    decisions: Decisions
    future: asyncio.Future[None]
    answers: list[Prediction | None]
    tokens: list[int]
    left: int
    queued_at: float
    started_at: float = 0.0
    over: bool = False

    @property
    def predictions(self) -> list[Prediction]:
        """Return the answers, in the order of the texts."""
        return [answer for answer in self.answers if answer is not None]

    @property
    def queue_s(self) -> float:
        """Return how long the first of its texts waited."""
        return max(0.0, self.started_at - self.queued_at)


Row = Waiting[Job, Encoded]


class Batcher:
    """Answers examples of many callers, several at a time. It is made and used on one event loop."""

    def __init__(self, predictor: Predictor, settings: Settings, meter: ModelMeter) -> None:
        self._engine = Engine(predictor)
        self._limits, self._max_delay_s, self._meter = settings.limits, settings.max_delay_s, meter
        self._budget = predictor.backend.batch_tokens
        self._enough = self._budget // 8  # tokens of a pass that does not wait for more
        self._fresh: deque[Row] = deque()  # not encoded yet
        self._encoded: deque[Row] = deque()
        self._tokens = 0  # of both, about
        self._ready = threading.Condition(threading.Lock())  # its lock guards all of these
        self._idle = 0
        self._gathering = self._closed = False
        self._pass_s, self._token_s, self._interval_s = Gauge(0.005), Gauge(0.0), Gauge(1.0, 0.05)
        self._last = 0.0
        self._loop = asyncio.get_running_loop()
        self._threads = [
            threading.Thread(target=self._work, name=f"fastbert-model-{number}", daemon=True)
            for number in range(predictor.backend.workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, examples: Sequence[Example], decisions: Decisions, timeout_s: float) -> Job:
        """Put examples, at least one, into the queue; the job's future is done when all are answered.

        Its exception is a Problem: 504 after timeout_s, 500 where the model failed.
        Raises Problem: 429 where the queue is full, 503 where it is closed.
        """
        count, now = len(examples), time.monotonic()
        job = Job(examples, decisions, self._loop.create_future(), [None] * count, [0] * count, count, now)
        rows = [Row(job, index, self._engine.estimate(example), decisions) for index, example in enumerate(examples)]
        total = sum(row.tokens for row in rows)
        with self._ready:
            self._check_room(count, total)
            self._fresh.extend(rows)
            self._tokens += total
            self._interval_s.add(min(1.0, (now - self._last) / count))
            self._last = now
            if self._idle and (not self._gathering or self._tokens >= self._enough):
                self._ready.notify()
        timer = self._loop.call_later(timeout_s, self._expire, job, timeout_s)
        job.future.add_done_callback(lambda _: timer.cancel())
        return job

    def drop(self, job: Job) -> None:
        """Take a job out of the queue: nobody waits for it. What is in a pass already is finished in vain."""
        self._end(job)
        job.future.cancel()

    @property
    def waiting(self) -> int:
        """Return how many texts are in the queue."""
        return len(self._fresh) + len(self._encoded)

    async def close(self) -> None:
        """Take nothing new, answer what is in the queue, and end the threads."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
        await asyncio.gather(*(self._loop.run_in_executor(None, thread.join) for thread in self._threads))

    # -- on the event loop -----------------------------------------------------------------------

    def _check_room(self, texts: int, tokens: int) -> None:
        if self._closed:
            raise not_ready("This model is being taken out of service.")
        waiting = self.waiting
        wait_s = (self._tokens + tokens) * self._token_s.value / len(self._threads)
        full = waiting + texts > self._limits.waiting_texts or wait_s > self._limits.wait_s
        if full and waiting:  # a queue that is empty takes whatever one request may have
            raise busy(wait_s)

    def _expire(self, job: Job, timeout_s: float) -> None:
        self._fail(job, timed_out(timeout_s))

    def _fail(self, job: Job, problem: Problem) -> None:
        if not job.future.done():
            self._end(job)
            job.future.set_exception(problem)

    def _end(self, job: Job) -> None:
        with self._ready:
            job.over = True
            for queue in (self._fresh, self._encoded):
                self._tokens -= sum(row.tokens for row in queue if row.owner is job)
                kept = [row for row in queue if row.owner is not job]
                queue.clear()
                queue.extend(kept)

    def _deliver(self, rows: Sequence[Row], predictions: Sequence[Prediction]) -> None:
        for row, prediction in zip(rows, predictions, strict=True):
            job = row.owner
            job.answers[row.index] = prediction
            job.tokens[row.index] = 0 if row.content is None else row.content.tokens
            job.left -= 1
            if not job.left and not job.future.done():
                job.future.set_result(None)

    # -- in the threads of the model ---------------------------------------------------------------

    def _work(self) -> None:
        while self._wait():
            self._encode()
            with self._ready:
                rows = take(self._encoded, self._share())
                self._tokens -= sum(row.tokens for row in rows)
                if self._idle and (self._encoded or self._fresh):
                    self._ready.notify()
            if rows:
                self._try(rows, self._run)

    def _wait(self) -> bool:
        """Wait for texts, and a moment for more to share a pass with; return False when there will be none."""
        with self._ready:
            self._idle += 1
            while not self._fresh and not self._encoded and not self._closed:
                self._ready.wait()
            self._idle -= 1
            if not self._fresh and not self._encoded:
                return False
            delay_s = self._delay_s()
            if not delay_s:
                return True
            self._gathering = True
        time.sleep(delay_s)
        with self._ready:
            self._gathering = False
        return True

    def _delay_s(self) -> float:
        """Return how long to wait for more: half a pass, where as much as one more text is likely to come by then.

        An eighth of the budget does not wait: a pass costs by the token, and a core that idles loses more.
        """
        if self._gathering or self._closed or self._tokens >= self._enough:
            return 0.0
        delay_s = min(self._max_delay_s, self._pass_s.value / 2)
        return delay_s if delay_s > self._interval_s.value else 0.0

    def _share(self) -> int:
        """Return the tokens of the next pass: fewer where a thread would be left without work."""
        return min(self._budget, max(SMALLEST_TOKENS, -(-self._tokens // (self._idle + 1))))

    def _encode(self) -> None:
        """Encode what waits, as far as the next passes are looked for."""
        rows: list[Row] = []
        with self._ready:
            known = sum(row.tokens for row in self._encoded)
            while self._fresh and known < LOOKAHEAD * self._budget:
                row = self._fresh.popleft()
                known += row.tokens
                rows.append(row)
        if rows:
            self._try(rows, self._encode_rows)

    def _encode_rows(self, rows: Sequence[Row]) -> None:
        found = self._engine.encode([row.owner.examples[row.index] for row in rows])
        with self._ready:
            for row, encoded in zip(rows, found, strict=True):
                self._tokens += 0 if row.owner.over else encoded.cost
                self._tokens -= row.tokens
                row.content, row.tokens = encoded, encoded.cost
            self._encoded.extend(row for row in rows if not row.owner.over)

    def _run(self, rows: Sequence[Row]) -> None:
        start = time.monotonic()
        for row in rows:
            row.owner.started_at = row.owner.started_at or start
        contents = [row.content for row in rows if row.content is not None]
        predictions = self._engine.predict(contents, rows[0].owner.decisions)
        seconds = time.monotonic() - start
        self._pass_s.add(seconds)
        cost = sum(row.tokens for row in rows)
        if cost >= self._enough:  # a small pass costs more by the token than those of a queue that is full
            self._token_s.add(seconds / cost)
        tokens = sum(one.tokens for one in contents)
        self._meter.passed(len(rows), tokens, seconds, [start - row.owner.queued_at for row in rows])
        self._loop.call_soon_threadsafe(self._deliver, rows, predictions)

    def _try(self, rows: Sequence[Row], work: Callable[[Sequence[Row]], None]) -> None:
        """Do it for all rows; if it fails for each request alone: the text of one must not fail the others."""
        try:
            work(rows)
        except Exception as error:
            jobs = list({id(row.owner): row.owner for row in rows}.values())
            if len(jobs) > 1:
                for job in jobs:
                    self._try([row for row in rows if row.owner is job], work)
                return
            # The message of an engine's error may hold input; its type and place do not.
            log.error("the model failed on %d texts: %s", len(rows), place_of(error))
            problem = error if isinstance(error, Problem) else failed("The model could not answer these texts.")
            self._loop.call_soon_threadsafe(self._fail, jobs[0], problem)
