"""Dashboards and rules: what can be told without a running system (`test_running.py` has the rest)."""

import json

import promql_parser
import pytest

from tests.infra.kubernetes.manifests import ROOT, System
from tests.infra.kubernetes.queries import DASHBOARDS, queries, rules, selectors


def test_every_query_can_be_parsed(systems: dict[str, System]) -> None:
    found = queries(systems["production"])
    assert len(found) > 40
    for where, query in found.items():
        assert selectors(query), where


def test_the_check_finds_what_cannot_be_parsed() -> None:
    with pytest.raises(ValueError, match="parenthesis"):
        promql_parser.parse("sum(rate(battlescope_killmails_ingested_total[5m])")


def test_every_dashboard_is_one_for_grafana(systems: dict[str, System]) -> None:
    config = systems["production"].one("ConfigMap", "battlescope-dashboards")
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert set(config["data"]) == {path.name for path in DASHBOARDS}
    uids = set()
    for text in config["data"].values():
        dashboard = json.loads(text)
        uids.add(dashboard["uid"])
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(ids) == len(set(ids))
        for panel in dashboard["panels"]:
            if panel["type"] != "row":
                assert panel["datasource"]["uid"] == "${datasource}"
                assert panel["fieldConfig"]["defaults"]["unit"]
                assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    assert len(uids) == len(DASHBOARDS)


def test_every_alert_says_how_bad_it_is_and_what_to_do(systems: dict[str, System]) -> None:
    told = (ROOT / "docs" / "kubernetes.md").read_text()
    for rule in rules(systems["production"]):
        assert rule["labels"]["severity"] in {"warning", "critical"}, rule["alert"]
        assert rule["annotations"]["summary"].endswith("."), rule["alert"]
        assert f"`{rule['alert']}`" in told


def test_prometheus_finds_every_part(systems: dict[str, System]) -> None:
    production = systems["production"]
    spec = production.one("ServiceMonitor", "battlescope")["spec"]
    (wanted,) = spec["selector"]["matchExpressions"]
    for name in wanted["values"]:
        service = production.one("Service", name)
        assert service["metadata"]["labels"]["app.kubernetes.io/part-of"] == "battlescope"
        assert service["metadata"]["labels"][spec["jobLabel"]] == name
        assert spec["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
