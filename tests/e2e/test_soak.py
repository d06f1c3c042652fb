"""The long run in short: an hour of feed; `make soak` is a day."""

from pathlib import Path

from tests.soak.disk import can_mount
from tests.soak.plan import Plan
from tests.soak.run import soak


def test_an_hour_of_feed_under_faults_ends_as_a_quiet_one(tmp_path: Path) -> None:
    plan = Plan(hours=1, seconds=15, kills=5, restarts=2, poison=2, small_disk=can_mount(tmp_path))
    assert soak(plan, tmp_path).complaints == []
