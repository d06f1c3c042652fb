"""Scoring against somebody else's battles: the measures, and the three formats of labels."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.labels import LabelsError
from cluster.score import Agreement, Labels, read_labels, score

FIRST, SECOND = UUID(int=1), UUID(int=2)


def test_the_measures_of_a_textbook_case() -> None:
    # labels {1 2} {3} {4}, ours {1 2} {3 4}: of 6 pairs the labels have 1 together, we 2, both 1
    agreement = Agreement.of([("a", "x"), ("a", "x"), ("b", "y"), ("c", "y")])
    assert (agreement.labelled, agreement.ours, agreement.both) == (1, 2, 1)
    assert agreement.precision == 0.5
    assert agreement.recall == 1.0
    assert agreement.f1 == pytest.approx(2 / 3)
    assert agreement.adjusted_rand_index == pytest.approx(4 / 7)


def test_what_is_in_no_battle_is_together_with_nothing() -> None:
    assert Agreement.of([(None, None), (None, None), ("a", "x")]).adjusted_rand_index == 1.0
    joined = Agreement.of([(None, "x"), (None, "x"), ("a", "x")])
    assert (joined.precision, joined.recall, joined.f1) == (0.0, 1.0, 0.0)


@given(st.lists(st.tuples(st.none() | st.integers(0, 4), st.none() | st.integers(0, 4)), max_size=30))
def test_the_measures_stay_in_their_bounds_and_the_same_grouping_scores_one(
    groups: list[tuple[int | None, int | None]],
) -> None:
    agreement = Agreement.of(groups)
    assert -1 <= agreement.adjusted_rand_index <= 1 + 1e-12
    assert 0 <= agreement.precision <= 1
    assert 0 <= agreement.recall <= 1
    same = Agreement.of((one, None if one is None else f"ours {one}") for one, _ in groups)
    assert (same.adjusted_rand_index, same.f1) == (1.0, 1.0)


def test_battles_and_sides_are_compared_for_what_was_read() -> None:
    labels = Labels(
        battles={1: "b", 2: "b", 3: "c", 4: None, 9: "b"},
        sides={"b": {10: "attackers", 11: "attackers", 20: "defenders", 30: "0"}},
    )
    ours = {FIRST: [1, 2], SECOND: [3, 4, 5]}
    sides = {FIRST: {10: 1, 11: 1, 20: 2, 30: 0}, SECOND: {}}
    result = score(labels, ours, sides, known={1, 2, 3, 4, 5})
    assert result.unread == 1
    assert (result.battles.items, result.battles.both, result.battles.ours) == (4, 1, 2)
    assert result.sides is not None
    assert (result.sides.items, result.sides.adjusted_rand_index) == (4, 1.0)
    assert str(result).splitlines() == [
        "4 labelled killmails compared, 1 more are not in what was read",
        "          adjusted Rand  precision   recall       F1",
        "battles          0.5714     0.5000   1.0000   0.6667",
        "sides            1.0000     1.0000   1.0000   1.0000   (4 affiliations)",
    ]


def test_sides_are_those_of_the_battle_that_holds_the_most_of_the_labelled_one() -> None:
    labels = Labels(battles={1: "b", 2: "b", 3: "b"}, sides={"b": {10: "x", 20: "y"}})
    ours = {FIRST: [1], SECOND: [2, 3]}
    result = score(labels, ours, {FIRST: {10: 1, 20: 2}, SECOND: {10: 1, 20: 1}})
    assert result.sides is not None
    assert (result.sides.ours, result.sides.labelled) == (1, 0)


def test_labels_without_sides_score_no_sides() -> None:
    result = score(Labels(battles={1: "b", 2: "b"}), {FIRST: [1, 2]}, {})
    assert result.sides is None
    assert "sides" not in str(result)


def labels_in(folder: Path, text: str, name: str = "labels") -> Labels:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return read_labels(file)


ROWS = [
    {"killmail_id": 1, "battle_id": "b7", "affiliation": 10, "side": "1"},
    {"killmail_id": 1, "battle_id": "b7", "affiliation": 20, "side": "2"},
    {"killmail_id": 2, "battle_id": None},
]
EXPECTED = Labels(battles={1: "b7", 2: None}, sides={"b7": {10: "1", 20: "2"}})


def test_json_lines_csv_and_an_array_say_the_same(tmp_path: Path) -> None:
    assert labels_in(tmp_path, "\n".join(map(json.dumps, ROWS)) + "\n\n") == EXPECTED
    assert labels_in(tmp_path, " \n" + json.dumps(ROWS)) == EXPECTED
    table = "killmail_id,battle_id,affiliation,side,note\n1,b7,10,1,x\n1,b7,20,2,\n2,,,,\n"
    assert labels_in(tmp_path, table) == EXPECTED
    assert labels_in(tmp_path, "\ufeff" + table) == EXPECTED


def test_a_kill_dump_of_the_monthly_economic_report(tmp_path: Path) -> None:
    dump = [
        {"killmailId": 130_000_001, "battle_id": 77, "solarSystemId": 30_000_142, "iskLost": 1.5e9},
        {"killmailId": 130_000_002, "battle_id": 77, "solarSystemId": 30_000_142, "iskLost": 2.5e9},
        {"killmailId": 130_000_003, "battle_id": None, "solarSystemId": 30_000_144, "iskLost": 1e6},
    ]
    assert labels_in(tmp_path, json.dumps(dump)).battles == {
        130_000_001: "77",
        130_000_002: "77",
        130_000_003: None,
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[{"killID": 1, "isk": 2}]', "labels, entry 1: no field battle_id; it has killID, isk"),
        ("battle_id,kill\n7,1\n", "labels, line 2: no field killmail_id; it has battle_id, kill"),
        (
            '{"killmail_id": "x", "battle_id": 1}',
            "labels, line 1: killmail_id: Input should be a valid integer",
        ),
        ("[1]", "labels, entry 1: an object with named fields was expected; it was '1'"),
        ('{"killmail_id": 1,', "labels: neither JSON lines, CSV nor a JSON array"),
        ("", "labels: no labels in it"),
        (
            "killmail_id,battle_id\n1,a\n1,b\n",
            "labels, line 3: killmail 1 is in battle b, and above in another",
        ),
        (
            "killmail_id,battle_id,affiliation,side\n1,a,10,1\n2,a,10,2\n",
            "labels, line 3: affiliation 10 is on side 2 of battle a, and above on 1",
        ),
    ],
)
def test_labels_that_cannot_be_read_say_what_is_wrong_and_where(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(LabelsError) as raised:
        labels_in(tmp_path, text)
    assert complaint in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="nowhere"):
        read_labels(tmp_path / "nowhere")
