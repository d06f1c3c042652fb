"""The rendered production system, run: its pods as processes beside PostgreSQL, a queue and the far side's services.

The first test is in the order of things, for it takes a minute to get there: pods come up before the schema, killmails arrive
while every part is replaced, what the feed left out is repaired, and the backup is restored.
"""

import io
import json
import os
import subprocess
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from scripts.k8s_backfill import job

from battlescope import queue
from battlescope.database import Database, connect
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.embedded_queue import EmbeddedQueue
from battlescope_local.ports import free_port
from battlescope_local.simulate import write
from tests.infra.kubernetes.image import Image, build
from tests.infra.kubernetes.manifests import System
from tests.infra.kubernetes.pods import Node, Pod, Service, stop_all
from tests.infra.kubernetes.queries import queries, selectors
from tests.support.dump import fingerprint, stored_digest
from tests.support.feeds_server import FeedsServer
from tests.support.laptop import engine_digest
from tests.support.waiting import wait_until

KILLMAILS = 260
LEFT_OUT = 10
"""Of these, killmails that the live feed never brings."""

BATTLE_HOURS_AGO = 30

OF_THE_REAL_DAY = "fd02b9fa6d788708d406bb6fd1f2af750b999dd196ee7b2d679e997b34ccc546"
"""The digest of 2021-12-01, by an implementation written apart from this one."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    lines = io.StringIO()
    write(
        lines,
        seed=7,
        killmails=KILLMAILS,
        start=(int(time.time()) // 3600 - BATTLE_HOURS_AGO) * 3600,
    )
    path = tmp_path / "killmails.jsonl"
    path.write_text(lines.getvalue())
    return path


@pytest.fixture
def far(archive: Path) -> Iterator[FeedsServer]:
    """zKillboard, EVE Ref and ESI; zKillboard's live feed leaves some out."""
    uploads = [json.loads(line) for line in archive.read_text().splitlines()]
    killmails = {upload["killmail_id"]: upload["esi"] for upload in uploads}
    ids = sorted(killmails)
    left_out = set(ids[:: KILLMAILS // LEFT_OUT][:LEFT_OUT])
    with FeedsServer([killmails[one] for one in ids if one not in left_out]) as server:
        for one in left_out:
            server.archive(killmails[one])
        server.names = {
            id_: f"Name {id_}"
            for killmail in killmails.values()
            for party in (killmail["victim"], *killmail["attackers"])
            for kind in ("character_id", "corporation_id", "alliance_id")
            if (id_ := party.get(kind))
        }
        yield server


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres", port=free_port(), settings={"fsync": "off"})
    server.start()
    yield server
    server.stop()


@pytest.fixture
def sqs(tmp_path: Path) -> Iterator[EmbeddedQueue]:
    saved = dict(os.environ)
    server = EmbeddedQueue(tmp_path / "queue", port=free_port())
    server.start()
    yield server
    queue.client().close()
    server.stop()
    os.environ.clear()
    os.environ.update(saved)
    queue.client.cache_clear()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return build(tmp_path_factory.mktemp("image"))


@pytest.fixture
def node(
    systems: dict[str, System], image: Image, postgres: EmbeddedPostgres, sqs: EmbeddedQueue, tmp_path: Path
) -> Node:
    """Without the far side of the internet."""
    (tmp_path / "logs").mkdir()
    return Node(
        system=systems["production"],
        image=image,
        addresses={
            "battlescope:change-me@postgres/": f"battlescope@127.0.0.1:{postgres.port}/",
            "battlescope_reader:change-me-too@postgres/": f"battlescope_reader@127.0.0.1:{postgres.port}/",
            "http://queue:9324": sqs.endpoint_url,
        },
        variables={"REDIS_URL": ""},
        logs=tmp_path / "logs",
    )


def test_the_system_runs_and_loses_nothing(
    node: Node,
    far: FeedsServer,
    postgres: EmbeddedPostgres,
    sqs: EmbeddedQueue,
    archive: Path,
    systems: dict[str, System],
    tmp_path: Path,
) -> None:
    node = replace(
        node, variables={**node.variables, "R2Z2_URL": far.url, "ESI_URL": far.url, "EVEREF_URL": far.url}
    )
    apis = [Pod(node, "Deployment/api", f"api-{number}") for number in (1, 2, 3)]
    clusterers = [Pod(node, "Deployment/clusterer", f"clusterer-{number}") for number in (1, 2, 3)]
    pollers = [Pod(node, "Deployment/ingest", f"ingest-{number}") for number in (1, 2)]
    jobs = {
        kind: Pod(node, kind, kind.rpartition("/")[2])
        for kind in ("Job/migrate", "CronJob/repair", "CronJob/maintenance")
    }
    pods = [*apis, *clusterers, *pollers, *jobs.values()]
    try:
        with connect(postgres.url()) as database:
            _come_up_before_the_schema(apis[:2], clusterers[:2], pollers[0], jobs["Job/migrate"])
            wait_until(lambda: _stored(database) > 20, 60)
            _replace_a_clusterer_in_mid_message(postgres, clusterers)
            _replace_the_poller(pollers)
            _replace_an_api(apis)
            wait_until(lambda: _stored(database) == KILLMAILS - LEFT_OUT, 120)
            exit_code = jobs["CronJob/repair"].run()
            assert exit_code == 0, jobs["CronJob/repair"].log
            wait_until(lambda: _stored(database) == KILLMAILS and queue.depth(sqs.queue_url) == 0, 60)
            exit_code = jobs["CronJob/maintenance"].run()
            assert exit_code == 0, jobs["CronJob/maintenance"].log

            assert stored_digest(database) == engine_digest([archive])
            assert queue.depth(sqs.dead_letter_queue_url) == 0
            battles = database.execute("SELECT count(*) FROM battles").fetchone()
            assert battles is not None
            assert len(_all_battles(apis[2])) == battles[0] > 5
            _restored_is_what_was_stored(node, postgres, database, tmp_path)
        _logs_are_json_lines([*apis, *clusterers, *pollers])
        _queries_name_what_is_exposed(systems["production"], [*apis[1:], *clusterers[1:], pollers[1]])
    finally:
        stop_all(pods)


def test_history_is_imported_by_pods_that_each_take_a_part(
    node: Node, postgres: EmbeddedPostgres, systems: dict[str, System], far: FeedsServer, archive: Path
) -> None:
    days = [datetime.fromtimestamp(far_away, UTC).date() for far_away in _times(archive)]
    span = f"{min(days)}..{max(days) + timedelta(days=1)}"  # two days at least
    made = job(deepcopy(systems["production"].one("CronJob", "repair")), span, parts=2, parallel=2)
    made["metadata"]["name"] = f"{made['metadata']['generateName']}x1y2z"
    here = {"R2Z2_URL": far.url, "ESI_URL": far.url, "EVEREF_URL": far.url}
    for killmail in (json.loads(line)["esi"] for line in archive.read_text().splitlines()):
        far.archive(killmail)
    pods = [
        Pod(
            replace(
                node,
                system=System([*systems["production"].manifests, made]),
                variables={**node.variables, **here, "JOB_COMPLETION_INDEX": str(number)},
            ),
            "Job/backfill",
            f"backfill-{number}",
        )
        for number in (0, 1)
    ]
    try:
        migrate = Pod(node, "Job/migrate", "migrate")
        assert migrate.run() == 0, migrate.log
        for pod in pods:
            pod.start()
        wait_until(lambda: all(pod.is_initialised and not pod.is_running for pod in pods), 120)
        with connect(postgres.url()) as database:
            assert _stored(database) == KILLMAILS, [pod.log for pod in pods]
            assert stored_digest(database) == engine_digest([archive])
    finally:
        stop_all(pods)


@pytest.mark.real_days
def test_the_battles_of_a_real_day_are_the_known_ones(
    node: Node, postgres: EmbeddedPostgres, sqs: EmbeddedQueue, real_data: Path
) -> None:
    day = real_data / "killmails-2021-12-01.jsonl.gz"
    node = replace(node, variables={**node.variables, "FEED": f"archive:{day}"})
    parts = [Pod(node, "Deployment/ingest", "ingest")]
    parts += [Pod(node, "Deployment/clusterer", f"clusterer-{number}") for number in (1, 2)]
    try:
        assert Pod(node, "Job/migrate", "migrate").run() == 0
        for part in parts:
            part.start()
        with connect(postgres.url()) as database:
            wait_until(lambda: _stored(database) == 10_671 and queue.depth(sqs.queue_url) == 0, 120)
            assert stored_digest(database) == OF_THE_REAL_DAY
    finally:
        stop_all(parts)


def _come_up_before_the_schema(apis: list[Pod], clusterers: list[Pod], poller: Pod, migrate: Pod) -> None:
    for pod in (*apis, *clusterers, poller):
        pod.start()
    wait_until(lambda: all(pod.passes("livenessProbe") for pod in apis), 60)
    assert not any(pod.is_ready for pod in apis)
    assert not any(pod.is_initialised for pod in (*clusterers, poller))
    assert migrate.run() == 0, migrate.log
    wait_until(lambda: all(pod.is_ready for pod in (*apis, *clusterers, poller)), 60)


def _replace_a_clusterer_in_mid_message(postgres: EmbeddedPostgres, clusterers: list[Pod]) -> None:
    old, _, new = clusterers
    new.start()
    wait_until(lambda: new.is_ready, 60)
    with psycopg.connect(postgres.url()) as locking:
        locking.execute("LOCK TABLE killmails IN ACCESS EXCLUSIVE MODE")
        wait_until(lambda: _waiting_for_a_lock(postgres) == 3, 60)  # each clusterer has messages in hand
        old.ask_to_stop()
        time.sleep(1)
        assert old.is_running  # it does not leave what it has in hand
    assert old.wait() == 0, old.log


def _replace_the_poller(pollers: list[Pod]) -> None:
    old, new = pollers
    old.ask_to_stop()
    assert old.wait() == 0, old.log
    new.start()
    wait_until(lambda: new.is_ready, 60)


def _replace_an_api(apis: list[Pod]) -> None:
    old, other, new = apis
    with Service("/battles?limit=1", [old, other]) as service:
        new.start()
        wait_until(lambda: new.is_ready, 60)
        service.pods = [other, new]
        old.ask_to_stop()
        assert old.wait() == 0, old.log
        wait_until(lambda: service.answered > 50, 60)
    assert service.failures == []


def _restored_is_what_was_stored(
    node: Node, postgres: EmbeddedPostgres, database: Database, tmp_path: Path
) -> None:
    backups = tmp_path / "backups"
    backups.mkdir()
    programs = postgres._bin_dir
    at_home = {
        "BACKUPS": str(backups),
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.port),
        "PATH": f"{programs}:/usr/bin:/bin",
    }
    with_programs = replace(node, variables=at_home, image=replace(node.image, environment={}))
    dump = Pod(with_programs, "CronJob/postgres-backup", "backup")
    assert dump.run() == 0, dump.log
    (file,) = backups.iterdir()
    assert file.suffix == ".dump"
    database.execute("CREATE DATABASE restored")
    subprocess.run(
        [f"{programs}/pg_restore", "--exit-on-error", f"--dbname={postgres.url('restored')}", str(file)],
        check=True,
    )
    with connect(postgres.url("restored")) as restored:
        assert fingerprint(restored) == fingerprint(database)


def _logs_are_json_lines(pods: list[Pod]) -> None:
    lines = [line for pod in pods for line in pod.log.splitlines()]
    assert len(lines) > 20
    for line in lines:
        told = json.loads(line)
        assert {"level", "timestamp", "service", "message"} <= told.keys(), line


def _queries_name_what_is_exposed(system: System, pods: list[Pod]) -> None:
    exposed: dict[str, set[str]] = {}
    for pod in pods:
        for family in text_string_to_metric_families(httpx.get(f"{pod.metrics_url}/metrics").text):
            for sample in family.samples:
                exposed.setdefault(sample.name, set()).update(sample.labels)
    for where, query in queries(system).items():
        for name, labels in selectors(query):
            assert name in exposed, f"{where}: {name}"
            assert labels <= exposed[name], f"{where}: {name} has {exposed[name]}"


def _times(archive: Path) -> list[float]:
    uploads = [json.loads(line) for line in archive.read_text().splitlines()]
    return [datetime.fromisoformat(upload["esi"]["killmail_time"]).timestamp() for upload in uploads]


def _stored(database: Database) -> int:
    row = database.execute("SELECT count(*) FROM killmails").fetchone()
    assert row is not None
    return int(row[0])


def _waiting_for_a_lock(postgres: EmbeddedPostgres) -> int:
    with connect(postgres.url()) as observer:
        row = observer.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _all_battles(api: Pod) -> list[str]:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = httpx.get(f"{api.url}/battles", params={"limit": 100, **cursor}).json()
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}
