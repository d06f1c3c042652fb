"""Settings: what is wrong is said by name, with what it must be and what it was."""

import os

import pytest

from battlescope.errors import SettingsError
from battlescope.settings import ApiSettings, ClusterSettings, HandlerSettings, IngestSettings, load

GOOD = {
    "DB_URL": "postgresql://user:secret@host/name",
    "ZKB_USERAGENT": "battlescope-tests/1 (contact: nobody@example.org)",
    "QUEUE_URL": "https://sqs.example.org/1/kills.fifo",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        known = {
            field.upper()
            for model in (ClusterSettings, IngestSettings, ApiSettings)
            for field in model.model_fields
        }
        if name.upper() in known:
            monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def complaint(model: type[HandlerSettings]) -> str:
    with pytest.raises(SettingsError) as caught:
        load(model)
    return str(caught.value)


def test_the_specifications_defaults() -> None:
    cluster = load(ClusterSettings)
    assert (cluster.window_minutes, cluster.gap_max_minutes, cluster.min_kills) == (30, 15, 2)
    assert (cluster.link_rule, cluster.fold_pods) == ("correlated", True)


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "WINDOW_MINUTES": "60",
        "GAP_MAX_MINUTES": "20",
        "MIN_KILLS": "3",
        "FOLD_PODS": "false",
    }.items():
        monkeypatch.setenv(name, value)
    cluster = load(ClusterSettings)
    assert (cluster.window_minutes, cluster.gap_max_minutes, cluster.min_kills) == (60, 20, 3)
    assert cluster.fold_pods is False


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIN_KILLS", "")
    assert load(ClusterSettings).min_kills == 2


@pytest.mark.parametrize("name", ["DB_URL", "ZKB_USERAGENT", "QUEUE_URL"])
def test_a_missing_variable_is_named_with_what_it_is(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    assert complaint(IngestSettings).startswith(f"{name} is not set (")


@pytest.mark.parametrize(
    ("model", "name", "value", "must_be"),
    [
        (ClusterSettings, "WINDOW_MINUTES", "soon", "valid integer"),
        (ClusterSettings, "WINDOW_MINUTES", "0", "greater than or equal to 1"),
        (ClusterSettings, "GAP_MAX_MINUTES", "-1", "greater than or equal to 1"),
        (ClusterSettings, "GAP_MAX_MINUTES", "1441", "less than or equal to 1440"),
        (ClusterSettings, "MIN_KILLS", "1.5", "valid integer"),
        (ClusterSettings, "LINK_RULE", "both", "'correlated' or 'contiguous'"),
        (ClusterSettings, "FOLD_PODS", "perhaps", "valid boolean"),
        (IngestSettings, "ZKB_USERAGENT", "me", "at least 8 characters"),
        (IngestSettings, "ZKB_USERAGENT", "two\nlines of it", "pattern"),
        (IngestSettings, "QUEUE_URL", "https://sqs.example.org/1/kills", "pattern"),
        (IngestSettings, "FEED", "carrier-pigeon", "pattern"),
        (IngestSettings, "FEED", "archive:", "pattern"),
        (IngestSettings, "SPEED", "-1", "greater than or equal to 0"),
        (IngestSettings, "R2Z2_URL", "r2z2.example.org", "pattern"),
        (IngestSettings, "REDISQ_QUEUE_ID", "a b", "pattern"),
        (IngestSettings, "REQUESTS_PER_SECOND", "11", "less than or equal to 10"),
        (IngestSettings, "REQUESTS_PER_SECOND", "0", "greater than 0"),
        (ApiSettings, "RATE_PER_MINUTE", "0", "greater than or equal to 1"),
        (ApiSettings, "TRUSTED_PROXIES", "10.0.0.0/8,everyone", "IP addresses and networks"),
        (ApiSettings, "TRUSTED_PROXIES", "*", "IP addresses and networks"),
        (IngestSettings, "LOG_LEVEL", "LOUD", "'DEBUG', 'INFO'"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_must_be_and_was(
    monkeypatch: pytest.MonkeyPatch, model: type[HandlerSettings], name: str, value: str, must_be: str
) -> None:
    monkeypatch.setenv(name, value)
    text = complaint(model)
    assert text.startswith(f"{name} (")
    assert must_be in text
    assert text.endswith(f"it was {value!r}")


@pytest.mark.parametrize(
    ("model", "name"), [(IngestSettings, "DB_URL"), (ClusterSettings, "DB_URL"), (ApiSettings, "REDIS_URL")]
)
def test_a_secret_is_never_told(
    monkeypatch: pytest.MonkeyPatch, model: type[HandlerSettings], name: str
) -> None:
    monkeypatch.setenv(name, "mysql://root:hunter2@host")
    text = complaint(model)
    assert text.startswith(f"{name} (")
    assert text.endswith("it was ***")
    assert "hunter2" not in text


def test_everything_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DB_URL")
    monkeypatch.setenv("MIN_KILLS", "none")
    monkeypatch.setenv("WINDOW_MINUTES", "none")
    text = complaint(ClusterSettings)
    assert all(name in text for name in ("DB_URL is not set", "MIN_KILLS", "WINDOW_MINUTES"))
    assert "\n" not in text


def test_settings_that_contradict_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDOW_MINUTES", "10")
    load(ClusterSettings)
    monkeypatch.setenv("LINK_RULE", "contiguous")
    assert complaint(ClusterSettings) == "WINDOW_MINUTES must be at least GAP_MAX_MINUTES (15); it was 10"


@pytest.mark.parametrize(
    "feed", ["r2z2", "redisq", "simulated", "archive:/data/k.jsonl.gz", "archive:relative dir/x"]
)
def test_every_feed_has_a_name(monkeypatch: pytest.MonkeyPatch, feed: str) -> None:
    monkeypatch.setenv("FEED", feed)
    assert load(IngestSettings).feed == feed


@pytest.mark.parametrize("model", [ClusterSettings, IngestSettings, ApiSettings])
def test_every_setting_says_what_it_is(model: type[HandlerSettings]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []
