"""Which killmails belong together: the rules of clustering, told with literals."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.engine.linking import Sighting, components
from cluster.engine.rules import Rules

MINUTE = 60
CORRELATED = Rules()
CONTIGUOUS = Rules(link_rule="contiguous")


def together(rules: Rules, *sightings: tuple[int, set[int]]) -> list[list[int]]:
    """Indices of the sightings, `(minute, parties)`, that are together."""
    found = components(
        (
            Sighting(minute * MINUTE, index, frozenset(parties))
            for index, (minute, parties) in enumerate(sightings)
        ),
        rules,
    )
    return sorted(sorted(sighting.killmail_id for sighting in component) for component in found)


def test_a_shared_party_within_the_gap_links() -> None:
    assert together(CORRELATED, (0, {1, 2}), (15, {2, 3})) == [[0, 1]]


def test_a_shared_party_beyond_the_gap_does_not() -> None:
    assert together(CORRELATED, (0, {1, 2}), (16, {2, 3})) == [[0], [1]]


def test_time_alone_links_only_by_the_contiguous_rule() -> None:
    assert together(CORRELATED, (0, {1}), (1, {2})) == [[0], [1]]
    assert together(CONTIGUOUS, (0, {1}), (15, {2})) == [[0, 1]]
    assert together(CONTIGUOUS, (0, {1}), (16, {2})) == [[0], [1]]


def test_by_the_contiguous_rule_a_shared_party_reaches_as_far_as_the_window() -> None:
    assert together(CONTIGUOUS, (0, {1}), (30, {1})) == [[0, 1]]
    assert together(CONTIGUOUS, (0, {1}), (31, {1})) == [[0], [1]]


def test_links_chain_through_different_parties() -> None:
    assert together(CORRELATED, (0, {1}), (10, {1, 2}), (20, {2, 3}), (30, {3})) == [[0, 1, 2, 3]]


def test_strangers_in_between_do_not_cut_a_chain() -> None:
    assert together(CORRELATED, (0, {1}), (5, {9}), (10, {1})) == [[0, 2], [1]]


def test_a_killmail_without_parties_joins_nothing_unless_time_alone_links() -> None:
    assert together(CORRELATED, (0, set()), (0, set())) == [[0], [1]]
    assert together(CONTIGUOUS, (0, set()), (0, set())) == [[0, 1]]


@pytest.mark.parametrize("rules", [CORRELATED, CONTIGUOUS])
def test_killmails_of_one_known_component_are_together_without_a_link(rules: Rules) -> None:
    known = [sighting(0, 1, {1}), sighting(3600, 2, {2})]
    found = components([*known, sighting(3700, 3, {2})], rules, {1: 1, 2: 1})
    assert [sorted(s.killmail_id for s in members) for members in found] == [[1, 2, 3]]


def test_one_arrival_can_join_several_components() -> None:
    known = [sighting(0, 1, {1}), sighting(60, 2, {2})]
    found = components([*known, sighting(30, 3, {1, 2})], CORRELATED, {1: 1, 2: 2})
    assert [sorted(s.killmail_id for s in members) for members in found] == [[1, 2, 3]]


def test_known_components_join_through_one_another() -> None:
    """Three stored components, far apart in time, of which each holds two of the killmails that are given."""
    spread = [sighting(hour * 3600, number, {number}) for number, hour in enumerate((0, 10, 20, 30), start=1)]
    found = components(spread, CORRELATED, {1: 7, 2: 8, 3: 7, 4: 8})
    assert sorted(sorted(s.killmail_id for s in members) for members in found) == [[1, 3], [2, 4]]
    joined = components(
        [*spread, sighting(10, 9, {1}), sighting(36_010, 10, {2})], CORRELATED, {1: 7, 2: 8, 3: 8, 4: 7}
    )
    assert sorted(sorted(s.killmail_id for s in members) for members in joined) == [[1, 4, 9], [2, 3, 10]]


def sighting(killmail_time: int, killmail_id: int, parties: set[int]) -> Sighting:
    return Sighting(killmail_time, killmail_id, frozenset(parties))


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sets(st.integers(1, 6), max_size=3)), max_size=12),
    st.sampled_from([CORRELATED, CONTIGUOUS, Rules(link_rule="contiguous", gap_max_s=120, window_s=600)]),
)
def test_components_are_those_of_the_rule_taken_pair_by_pair(
    sightings: list[tuple[int, set[int]]], rules: Rules
) -> None:
    links = [
        (one, other)
        for one, other in itertools.combinations(range(len(sightings)), 2)
        if are_linked(sightings[one], sightings[other], rules)
    ]
    expected = {index: {index} for index in range(len(sightings))}
    for one, other in links:
        joined = expected[one] | expected[other]
        for index in joined:
            expected[index] = joined
    found = {tuple(component) for component in together(rules, *sightings)}
    assert found == {tuple(sorted(component)) for component in expected.values()}


def are_linked(one: tuple[int, set[int]], other: tuple[int, set[int]], rules: Rules) -> bool:
    """The rule as it is written down, for two killmails."""
    apart_s = abs(one[0] - other[0]) * MINUTE
    share = bool(one[1] & other[1])
    if rules.link_rule == "correlated":
        return apart_s <= rules.gap_max_s and share
    return apart_s <= rules.gap_max_s or (apart_s <= rules.window_s and share)
