"""The engine on three real days, against an independent implementation of the same rules."""

import json
from pathlib import Path

import pytest

from cluster.engine.rules import Rules
from cluster.engine.whole import digest, find_battles
from ingest.feeds import Rejected
from ingest.feeds.archive import read_archive
from tests.support.killmails import DAYS, real_day
from tests.support.laptop import run

# killmails, battles, members, battles with FOLD_PODS=false, largest (system, members), digest
EXPECTED = {
    ("2021-11-27",): (17862, 1745, 11901, 2972, (30002355, 268), "c0bf54eda987a3e13144eed749578732d875bb56bd97c453a40657a6ba9addfa"),
    ("2021-11-28",): (17047, 1524, 11029, 2731, (30001046, 1078), "383135cd143d937f62ca72f17a054739c386766f00cf023d35ade836e0f6366e"),
    ("2021-12-01",): (10671, 1036, 6033, 1976, (30000021, 85), "fd02b9fa6d788708d406bb6fd1f2af750b999dd196ee7b2d679e997b34ccc546"),
    DAYS: (45580, 4305, 28968, 7677, (30001046, 1078), "0136e8661e18996db3d38b15a4798fec09cff4d2d7992553d2594cfe7eb65b4a"),
}  # fmt: skip

pytestmark = pytest.mark.real_days


@pytest.mark.parametrize("days", EXPECTED)
def test_digests(real_data: Path, days: tuple[str, ...]) -> None:
    killmails = [killmail for day in days for killmail in real_day(real_data, day)]
    battles = find_battles(killmails, Rules())
    largest = max(battles, key=lambda battle: battle.totals.total_kills)
    unfolded = find_battles(killmails, Rules(fold_pods=False))
    assert (
        len(killmails),
        len(battles),
        sum(battle.totals.total_kills for battle in battles),
        len(unfolded),
        (largest.system_id, largest.totals.total_kills),
        digest([killmail.killmail_id for killmail in battle.killmails] for battle in battles),
    ) == EXPECTED[days]


def test_the_contiguous_rule_only_joins_what_the_correlated_rule_keeps_apart(real_data: Path) -> None:
    day = real_day(real_data, "2021-11-28")
    contiguous = find_battles(day, Rules(link_rule="contiguous"))
    holder = {killmail.killmail_id: battle.id for battle in contiguous for killmail in battle.killmails}
    correlated = find_battles(day, Rules())
    assert all(
        len({holder[killmail.killmail_id] for killmail in battle.killmails}) == 1 for battle in correlated
    )
    assert sum(b.totals.total_kills for b in contiguous) > sum(b.totals.total_kills for b in correlated)


def test_the_same_day_as_everef_publishes_it(real_data: Path) -> None:
    ours = {killmail.killmail_id: killmail for killmail in real_day(real_data, "2021-12-01")}
    for read in read_archive(real_data / "everef-killmails-2021-12-01.tar.bz2"):
        assert not isinstance(read, Rejected)
        known = ours.pop(read.killmail_id)
        assert (read.victim, read.attackers, read.killmail_time) == (
            known.victim,
            known.attackers,
            known.killmail_time,
        )
    assert not ours


def test_the_command_prints_counts_and_digest_last(real_data: Path) -> None:
    archive = str(real_data / "killmails-2021-12-01.jsonl.gz")
    done = run("cluster", "--archive", archive, "--digest")
    assert done.returncode == 0, done.stderr
    expected = EXPECTED[("2021-12-01",)]
    assert done.stdout.splitlines()[-1] == (
        f"killmails={expected[0]} battles={expected[1]} members={expected[2]} digest={expected[5]}"
    )
    unfolded = run("cluster", "--archive", archive, "--digest", env={"FOLD_PODS": "false"})
    assert f"battles={expected[3]} " in unfolded.stdout


def test_the_command_prints_one_battle_a_line(real_data: Path) -> None:
    done = run("cluster", "--archive", str(real_data / "killmails-2021-12-01.jsonl.gz"), "--json")
    battles = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(battles) == EXPECTED[("2021-12-01",)][1]
    assert digest(battle["killmail_ids"] for battle in battles) == EXPECTED[("2021-12-01",)][5]
    for battle in battles:
        placed = [one["id"] for side in battle["sides"] for one in side["affiliations"]]
        assert len(placed) == len(set(placed))
    assert {
        "id",
        "sides",
        "system_id",
        "start_time",
        "end_time",
        "killmail_ids",
        "total_kills",
        "losses",
    } <= set(battles[0])


def test_odd_killmails_are_read(real_data: Path) -> None:
    lines = (real_data / "killmails-edge.jsonl").read_bytes()
    path_count = len(lines.splitlines())
    assert path_count == 53
    read = list(read_archive(real_data / "killmails-edge.jsonl"))
    assert [one for one in read if isinstance(one, Rejected)] == []


def test_what_is_no_killmail_is_told_and_the_rest_counts(real_data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "day.jsonl"
    archive.write_bytes((real_data / "killmails-edge.jsonl").read_bytes() + b'{"killmail_id": 7}\n')
    done = run("cluster", "--archive", str(archive), "--digest")
    assert done.returncode == 1
    assert "day.jsonl, line 54" in done.stderr
    assert done.stdout.startswith("killmails=53 ")


def test_a_days_battles_as_labels_score_themselves_perfectly(real_data: Path, tmp_path: Path) -> None:
    archive = str(real_data / "killmails-2021-12-01.jsonl.gz")
    found = [json.loads(line) for line in run("cluster", "--archive", archive, "--json").stdout.splitlines()]
    labels = tmp_path / "labels.jsonl"
    labels.write_text(
        "\n".join(
            json.dumps({"killmail_id": killmail_id, "battle_id": battle["id"]})
            for battle in found
            for killmail_id in battle["killmail_ids"]
        )
    )
    done = run("score", "--labels", str(labels), "--archive", archive)
    assert done.returncode == 0, done.stderr
    assert "1.000" in done.stdout
