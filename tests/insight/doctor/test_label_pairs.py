"""Which labels go together."""

from __future__ import annotations

import json
import re
from pathlib import Path

from fastbert.insight.doctor.check_page import check_page
from fastbert.insight.doctor.checkup import Checkup, check_material
from fastbert.insight.doctor.label_pairs import LabelPairs, pair_findings
from fastbert.insight.doctor.view import checkup_view
from tests.insight.doctor.made import Rows, kinds, only, read, sentence
from tests.insight.doctor.test_labels import MULTI


def rows(start: int, *cells: tuple[str, int]) -> Rows:
    labels = [cell for cell, count in cells for _ in range(count)]
    return [[sentence(start + number), label] for number, label in enumerate(labels)]


def checked(folder: Path) -> Checkup:
    train = rows(0, ("b|a", 3), ("a|c|b", 2), ("c", 4))
    return check_material(read(folder, train=train, test=rows(500, ("a|b", 2), ("c|a", 1)), options=MULTI))


def test_pairs_are_counted_in_each_split(tmp_path: Path) -> None:
    values = json.loads(json.dumps(checked(tmp_path).to_json()))

    assert values["label_pairs"] == {
        "train": [
            {"labels": ["a", "b"], "rows": 5},
            {"labels": ["a", "c"], "rows": 2},
            {"labels": ["b", "c"], "rows": 2},
        ],
        "test": [{"labels": ["a", "b"], "rows": 2}, {"labels": ["a", "c"], "rows": 1}],
    }


def test_the_screen_shows_the_most_frequent_pairs(tmp_path: Path) -> None:
    shown = repr(checkup_view(checked(tmp_path)))

    start = shown.index("Pairs of labels, rows\n")
    assert [line.split() for line in shown[start:].splitlines()[2:5]] == [
        ["a", "b", "5", "2", "100", "%"],
        ["a", "c", "2", "1", "40", "%"],
        ["b", "c", "2", "0", "40", "%"],
    ]


def test_of_many_pairs_the_first_ten_are_shown(tmp_path: Path) -> None:
    material = read(tmp_path, train=rows(0, ("a|b|c|d|e|f", 3), ("a", 2)), options=MULTI)

    assert "Pairs of labels, rows (the first 10 of 15)\n" in repr(checkup_view(check_material(material)))


def test_the_page_has_a_matrix_of_the_labels(tmp_path: Path) -> None:
    page = check_page(checked(tmp_path))

    matrix = page[page.index('class="heat"') : page.index("</table>", page.index('class="heat"'))]
    cells = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in matrix.split("<tr>")[2:]]
    assert cells == [["5", "5", "2"], ["5", "5", "2"], ["2", "2", "6"]]
    assert "rgba(var(--heat),0.55)" in matrix


def test_a_long_list_of_labels_has_a_matrix_of_thirty(tmp_path: Path) -> None:
    cells = [(f"x{number:02}|x{number + 1:02}", 2) for number in range(40)]

    page = check_page(check_material(read(tmp_path, train=rows(0, *cells), options=MULTI)))

    assert "The 30 most frequent of 41 labels." in page
    assert page[page.index('class="heat"') :].split("</table>")[0].count('scope="row"') == 30


def test_one_label_a_row_has_no_pairs(tmp_path: Path) -> None:
    checkup = check_material(read(tmp_path, train=rows(0, ("a", 5), ("b", 5))))

    assert checkup.to_json()["label_pairs"] == {}
    assert "Pairs of labels" not in repr(checkup_view(checkup)) and 'class="heat"' not in check_page(checkup)


def test_labels_of_most_rows_can_be_the_same(tmp_path: Path) -> None:
    material = read(tmp_path, train=rows(0, ("a|b", 60), ("c", 40)), options=MULTI)

    assert "'a' and 'b' (60)" in only(pair_findings(material), "same_label").sentence


def test_a_label_of_every_row_goes_with_all_and_is_no_finding(tmp_path: Path) -> None:
    material = read(tmp_path, train=rows(0, ("a|b", 60), ("a|b|c", 40)), options=MULTI)

    assert kinds(pair_findings(material)) == set()
    assert LabelPairs.of(material).count("train", "c", "a") == 40
