from datetime import timedelta

from battlescope_local.embedded_postgres import EmbeddedPostgres
from tests.integration.api.client import ApiClient
from tests.integration.api.conftest import api_over, own_api
from tests.integration.api.rows import Rows


def test_a_fresh_feed_is_ok(api: ApiClient, rows: Rows) -> None:
    rows.feed("r2z2", moved=timedelta(seconds=20))

    response = api.get("/healthz")

    health = response.json()
    (feed,) = health["feeds"]
    assert (response.status_code, health["status"], feed["status"]) == (200, "ok", "ok")
    assert 20 <= feed["age_s"] < 60
    assert feed["moved_at"].endswith("Z")
    assert feed["newest_killmail"].endswith("Z")
    assert health["migrations"]["current"] == health["migrations"]["newest"]
    assert health["database"]["latency_ms"] > 0
    assert response.headers["cache-control"] == "no-store"


def test_a_feed_that_stands_still_degrades_but_does_not_fail(api: ApiClient, rows: Rows) -> None:
    rows.feed("r2z2", moved=timedelta(minutes=16))
    rows.feed("redisq", moved=None)

    response = api.get("/healthz")

    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert [feed["status"] for feed in response.json()["feeds"]] == ["stale", "stale"]
    assert response.json()["feeds"][1]["age_s"] is None


def test_no_feed_at_all_is_degraded(api: ApiClient) -> None:
    assert api.get("/healthz").json()["status"] == "degraded"


def test_a_schema_that_is_behind_is_not_ready(postgres: EmbeddedPostgres) -> None:
    with own_api(postgres) as (rows, api):
        rows.database.execute("DELETE FROM schema_migrations WHERE version > 1")
        response = api.get("/healthz")

    assert response.status_code == 503
    assert response.json()["type"] == "urn:battlescope:problem:schema-behind"
    assert "has schema version 1" in response.json()["detail"]


def test_a_database_that_was_never_migrated_is_not_ready(postgres: EmbeddedPostgres) -> None:
    with own_api(postgres) as (rows, api):
        rows.database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        responses = [api.get(path) for path in ("/healthz", "/battles")]

    for response in responses:
        assert response.status_code == 503
        assert response.json()["type"] == "urn:battlescope:problem:schema-behind"


def test_a_newer_schema_is_fine(postgres: EmbeddedPostgres) -> None:
    with own_api(postgres) as (rows, api):
        rows.database.execute(
            "INSERT INTO schema_migrations (version, name, digest) VALUES (9999, 'later', 'x')"
        )
        response = api.get("/healthz")

    assert response.status_code == 200


def test_without_a_database_the_process_lives_but_is_not_ready() -> None:
    with api_over("postgresql://nobody@127.0.0.1:1/nothing") as api:
        readiness, liveness = api.get("/healthz"), api.get("/healthz?live=1")

    assert readiness.status_code == 503
    assert readiness.json()["type"] == "urn:battlescope:problem:database-away"
    assert readiness.headers["retry-after"] == "5"
    assert (liveness.status_code, liveness.json()["status"]) == (200, "ok")
