"""Anything at once, in any order: nothing is lost."""

import gzip
import json
import random
from itertools import batched, islice
from pathlib import Path

import pytest

from tests.integration.r2z2.polling import Poller
from tests.support.clock import FakeClock
from tests.support.faults import R2Z2_FAULTS, Faults
from tests.support.feeds_server import FeedsServer
from tests.support.payloads import esi_killmail


@pytest.mark.parametrize("seed", range(16))
def test_nothing_is_lost_whatever_happens(time: FakeClock, seed: int) -> None:
    """Faults of all kinds, a clock that jumps, crashes between poll and save, holes that stay and holes that fill."""
    chance = random.Random(seed)
    jumps = 0.1 if seed % 2 else 0.0
    with FeedsServer(now=time.time) as server:
        faults = Faults(server, time, chance)
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
            server.lag = chance.choice([0, 0, 1, 51])
            faults.perhaps("/ephemeral/", R2Z2_FAULTS, 0.5)
            faults.perhaps_jump(jumps)
            for sequence in [s for s in late if chance.random() < 0.3]:
                server.fill(sequence, esi_killmail(late.pop(sequence)))
            batch = poller.poll(budget_s=chance.choice([0.3, 2, 60]))
            if chance.random() < 0.8:
                poller.take(batch)
            time.now += batch.wait_s * chance.uniform(0.3, 1.2)
        for sequence, number in late.items():
            server.fill(sequence, esi_killmail(number))
        server.publish(esi_killmail(80))
        server.lag = 0
        server.calm()
        poller.run(300)
        noted = {hole.first_sequence for hole in poller.holes}
        of_holes = {file["killmail_id"] for sequence, file in server.files.items() if sequence in noted}
        published = {file["killmail_id"] for file in server.files.values()}

    assert published <= set(poller.ids) | of_holes
    assert noted >= holes
    if not jumps:
        assert published <= set(poller.ids)
        assert noted == holes
    assert poller.rejected == []


@pytest.mark.real_days
def test_a_real_day_under_faults_is_read_whole(time: FakeClock, real_data: Path) -> None:
    """Its first 1,500 killmails; a file uploaded again now and then, with another value."""
    chance = random.Random(1)
    with gzip.open(real_data / "killmails-2021-12-01.jsonl.gz", "rt") as lines:
        killmails = [json.loads(line) for line in islice(lines, 1500)]
    with FeedsServer(now=time.time) as server:
        faults = Faults(server, time, chance)
        server.publish(killmails[0])
        poller = Poller(server, time, lookback=0)
        poller.take(poller.poll())
        changed: dict[int, int] = {}
        for part in batched(killmails[1:], 25, strict=False):
            for killmail in part:
                server.publish(killmail)
            if chance.random() < 0.3:
                again = chance.randrange(server.newest - 20, server.newest)
                value = 1_000_000 + again
                server.upload_again(again, value=value)
                changed[server.files[again]["killmail_id"]] = value
                server.publish(esi_killmail(again), sequence_updated=again)
            faults.perhaps("/ephemeral/", R2Z2_FAULTS, 0.6)
            time.now += poller.take(poller.poll()).wait_s
        server.calm()
        poller.run(120)
        newest = {killmail.killmail_id: killmail for killmail in poller.killmails}
        published = {file["killmail_id"] for file in server.files.values()}

    assert set(newest) == published
    assert {killmail_id: newest[killmail_id].isk_value for killmail_id in changed} == changed
    assert (poller.rejected, poller.holes) == ([], [])
