"""The table of the zero-shot benchmark."""

from benchmarks.zero_shot import DESCRIPTIONS, EXAMPLES, NAMES, table


def test_every_way_describes_the_same_labels() -> None:
    labels = [{name: list(described) for name, described in way.items()} for way in (NAMES, DESCRIPTIONS, EXAMPLES)]

    assert labels[0] == labels[1] == labels[2]


def test_the_table_has_a_row_for_each_way() -> None:
    scores = {"names alone": {"accuracy": 0.5, "f1_macro": 0.25}}

    assert table({"a": scores, "b": scores}).splitlines()[-1] == "| names alone | 0.500 | 0.250 | 0.500 | 0.250 |"
