"""Counters: of one process as they are, of several their sums."""

from __future__ import annotations

from fastbert.serving.metrics import Metrics


def test_a_pass_is_counted_by_model() -> None:
    metrics = Metrics()
    metrics.of_model("a").passed(3, 30, 0.01, [0.1, 0.2, 0.3])
    metrics.of_model("b").passed(1, 5, 0.01, [0.0])

    text = metrics.render().decode()

    assert 'fastbert_texts_total{model="a"} 3.0' in text
    assert 'fastbert_tokens_total{model="b"} 5.0' in text
    assert 'fastbert_queue_seconds_count{model="a"} 3.0' in text


def test_two_servers_of_one_process_do_not_add_up() -> None:
    first, second = Metrics(), Metrics()
    first.of_model("a").passed(3, 30, 0.01, [])

    assert 'fastbert_texts_total{model="a"}' not in second.render().decode()
