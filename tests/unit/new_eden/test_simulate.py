"""`battlescope simulate`."""

import io
import json
from datetime import datetime

import pytest

from battlescope_local import simulate
from battlescope_local.new_eden import Payload
from ingest.feeds.simulated import killmail_of
from tests.unit.new_eden.day import FIRST


def test_simulate_writes_so_many_hours(day: list[list[Payload]]) -> None:
    out = io.StringIO()
    simulate.write(out, seed=1, hours_long=1.5, start=FIRST * 3600)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    half = (FIRST + 1) * 3600 + 1800
    assert lines == day[0] + [payload for payload in day[1] if payload["uploaded_at"] < half]


def test_simulate_writes_so_many_killmails() -> None:
    out = io.StringIO()
    assert simulate.write(out, seed=1, killmails=700) == 700
    ids = [json.loads(line)["killmail_id"] for line in out.getvalue().splitlines()]
    assert len(set(ids)) == 700
    assert len(ids) > 700, "uploads that came again are written too"


def test_simulate_needs_an_end() -> None:
    with pytest.raises(ValueError, match="no end of its own"):
        simulate.write(io.StringIO())


def test_killmail_times_are_iso_8601(day: list[list[Payload]]) -> None:
    killmail = day[5][0]["esi"]
    assert (
        datetime.fromisoformat(killmail["killmail_time"]).timestamp() == killmail_of(day[5][0]).killmail_time
    )
