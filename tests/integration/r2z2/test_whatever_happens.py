"""Anything at once, in any order: nothing is lost."""

import random

import pytest

from tests.integration.r2z2.polling import Poller
from tests.support.answers import BAD_GATEWAY, BROKEN_JSON, CUT_OFF, NOT_FOUND, PAGE, SERVER_ERROR, refused
from tests.support.clock import FakeClock
from tests.support.feeds_server import FeedsServer
from tests.support.payloads import esi_killmail


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost_whatever_happens(time: FakeClock, seed: int) -> None:
    """Faults of all kinds, crashes between poll and save, holes that stay and holes that fill."""
    chance = random.Random(seed)
    faults = [NOT_FOUND, BAD_GATEWAY, SERVER_ERROR, BROKEN_JSON, CUT_OFF, PAGE, refused(429, "5")]
    with FeedsServer(now=time.time) as server:
        server.publish(esi_killmail(1))
        poller = Poller(server, time, lookback=0)
        poller.take(poller.poll())
        holes, late = set(), {}
        for number in range(2, 80):
            kind = chance.random()
            if kind < 0.1:
                holes.add(server.leave_out())
            elif kind < 0.2:
                late[server.leave_out()] = number
            else:
                server.publish(esi_killmail(number))
            if chance.random() < 0.5:
                server.script("/ephemeral/", *chance.choices(faults, k=chance.randint(1, 3)))
            for sequence in [s for s in late if chance.random() < 0.3]:
                server.fill(sequence, esi_killmail(late.pop(sequence)))
            batch = poller.poll(budget_s=chance.choice([0.3, 2, 60]))
            if chance.random() < 0.8:
                poller.take(batch)
            time.now += batch.wait_s * chance.uniform(0.3, 1.2)
        for sequence, number in late.items():
            server.fill(sequence, esi_killmail(number))
        server.publish(esi_killmail(80))
        server.calm()
        poller.run(300)
        published = {file["killmail_id"] for file in server.files.values()}
        assert published <= set(poller.ids)
        assert {hole.first_sequence for hole in poller.holes} == holes
        assert poller.rejected == []
