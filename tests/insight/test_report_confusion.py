"""Which labels are taken for which, with one and with several labels a row."""

from __future__ import annotations

from dataclasses import replace

from fastbert.insight.report_confusion import mix_ups
from tests.insight.made_rows import multi, single, values
from tests.insight.pages import Page


def test_the_matrix_holds_counts_by_true_label() -> None:
    text = Page(mix_ups(single())).text

    assert "true Bugs Billing <b>& Bugs 11 3" in text  # 14 rows, three taken for the next label
    assert "Most frequent mistakes" in text


def test_the_matrix_is_marked_up_as_a_table() -> None:
    assert Page(f"<h1>A</h1>{mix_ups(single())}").faults == []


def test_several_labels_show_what_was_missed_while_another_was_given() -> None:
    rows = multi().labels
    assert rows is not None
    decided_NC = rows.target_NC.copy()
    decided_NC[0], decided_NC[1] = False, [True, False, False]
    decided_NC[3] = [True, False, False]  # row 3 has Billing alone
    text = Page(mix_ups(replace(multi(), labels=replace(rows, decided_NC=decided_NC)))).text

    assert "Billing Bugs 1 7 %" in text  # of 14 rows with Billing


def test_nothing_is_said_where_nothing_is_wrong_or_has_no_label() -> None:
    rows = multi().labels
    assert rows is not None

    assert mix_ups(replace(multi(), labels=replace(rows, decided_NC=rows.target_NC))) == ""
    assert mix_ups(values()) == ""
