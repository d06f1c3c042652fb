"""Which killmails belong together: the rules of clustering, told with literals."""

import pytest

from cluster.engine.linking import Sighting, components
from cluster.engine.rules import Rules

MINUTE = 60
CORRELATED = Rules()
CONTIGUOUS = Rules(link_rule="contiguous")


def together(rules: Rules, *sightings: tuple[int, set[int]]) -> list[list[int]]:
    """Indices of the sightings, `(minute, parties)`, that are together."""
    found = components(
        (Sighting(minute * MINUTE, index, parties) for index, (minute, parties) in enumerate(sightings)),
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
def test_sightings_of_one_known_component_are_together_without_a_link(rules: Rules) -> None:
    known = [Sighting(0, 1, {1}, component_id=1), Sighting(3600, 2, {2}, component_id=1)]
    arrived = Sighting(3700, 3, {2})
    assert [sorted(s.killmail_id for s in found) for found in components([*known, arrived], rules)] == [
        [1, 2, 3]
    ]


def test_one_arrival_can_join_several_components() -> None:
    known = [Sighting(0, 1, {1}, component_id=1), Sighting(60, 2, {2}, component_id=2)]
    found = components([*known, Sighting(30, 3, {1, 2})], CORRELATED)
    assert [sorted(s.killmail_id for s in component) for component in found] == [[1, 2, 3]]
