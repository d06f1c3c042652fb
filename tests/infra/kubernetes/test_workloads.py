"""Asserted on every workload of every overlay: what it may do, what it is given, how it is watched."""

from tests.infra.kubernetes.manifests import Manifest, System, Workload

PARTS = {
    "Deployment/api": "api",
    "Deployment/ingest": "ingest",
    "Deployment/clusterer": "cluster",
    "CronJob/repair": "repair",
    "CronJob/maintenance": "maintain",
    "Job/migrate": "migrate",
}


def test_the_parts_are_there(system: System) -> None:
    commands = {
        workload.name: workload.pod["containers"][0]["args"][0]
        for workload in system.workloads()
        if workload.is_ours
    }
    assert commands == PARTS
    api = system.one("Deployment", "api")
    assert {"name": "http", "containerPort": 3000} in Workload(api).pod["containers"][0]["ports"]
    assert system.one("Deployment", "ingest")["spec"]["replicas"] == 1
    assert system.one("Deployment", "ingest")["spec"]["strategy"] == {"type": "Recreate"}


def test_pod_security_is_restricted(system: System) -> None:
    labels = system.all("Namespace")[0]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    for workload in system.workloads():
        pod = workload.pod
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True, workload.name
        assert context["runAsUser"] > 0, workload.name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, workload.name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(), workload.name
        assert pod["automountServiceAccountToken"] is False, workload.name
        assert pod["enableServiceLinks"] is False, workload.name
        for volume in pod.get("volumes", []):
            assert volume.keys() & {"emptyDir", "configMap", "persistentVolumeClaim"}, workload.name
        for container in workload.containers():
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, workload.name


def test_logs_can_be_found_by_their_pods_labels(system: System) -> None:
    for workload in system.workloads():
        told = {name.partition("/")[2] for name in workload.labels if name.startswith("app.kubernetes.io/")}
        assert {"name", "part-of", "component"} <= told, workload.name


def test_resources(system: System) -> None:
    for workload in system.workloads():
        for container in workload.containers():
            resources = container["resources"]
            assert resources["requests"].keys() == {"cpu", "memory"}, workload.name
            assert _mebibytes(resources["requests"]["memory"]) <= _mebibytes(resources["limits"]["memory"])
        for volume in workload.pod.get("volumes", []):
            if "emptyDir" in volume:
                assert volume["emptyDir"]["sizeLimit"], workload.name


def _mebibytes(quantity: str) -> int:
    assert quantity.endswith("Mi")
    return int(quantity.removesuffix("Mi"))


def test_probes(system: System) -> None:
    for workload in system.workloads():
        for container in workload.pod["containers"]:
            probes = {
                name: container.get(name) for name in ("startupProbe", "livenessProbe", "readinessProbe")
            }
            assert all(probes.values()) is workload.serves, workload.name
            if workload.is_ours and workload.serves:
                ports = {port["name"] for port in container["ports"]}
                for probe in probes.values():
                    assert probe is not None
                    assert probe["httpGet"]["path"].partition("?")[0] == "/healthz"
                    assert probe["httpGet"]["port"] in ports
    api = system.workload("Deployment/api").pod["containers"][0]
    assert api["livenessProbe"]["httpGet"]["path"] == "/healthz?live=1"  # asks no database
    assert api["readinessProbe"]["httpGet"]["path"] == "/healthz"  # asks it


def test_no_part_meets_a_schema_older_than_itself(system: System) -> None:
    for name in ("Deployment/ingest", "Deployment/clusterer"):
        (first,) = system.workload(name).pod["initContainers"]
        assert first["args"] == ["migrate", "--wait"]
        assert first["image"] == system.workload(name).pod["containers"][0]["image"]


def test_what_is_in_hand_is_finished(system: System) -> None:
    # A batch may take the event source's 30 s and a long poll, a poller's last send 12 s.
    for name, least_s in (("ingest", 30), ("clusterer", 40), ("api", 20)):
        pod = system.workload(f"Deployment/{name}").pod
        assert pod["terminationGracePeriodSeconds"] >= least_s, name
    assert system.workload("Deployment/api").pod["containers"][0]["lifecycle"]["preStop"]["exec"][
        "command"
    ] == ["sleep", "5"]
    for name in ("api", "clusterer"):
        assert system.one("Deployment", name)["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_every_name_that_a_pod_refers_to_is_there(systems: dict[str, System]) -> None:
    for name in ("dev", "production"):
        system = systems[name]
        names = {(one["kind"], one["metadata"]["name"]) for one in system.manifests}
        claims = {
            (workload.name, claim["metadata"]["name"])
            for workload in system.workloads()
            for claim in workload.manifest["spec"].get("volumeClaimTemplates", [])
        }
        for workload in system.workloads():
            volumes = {volume["name"] for volume in workload.pod.get("volumes", [])}
            volumes |= {claim for owner, claim in claims if owner == workload.name}
            for volume in workload.pod.get("volumes", []):
                if "configMap" in volume:
                    assert ("ConfigMap", volume["configMap"]["name"]) in names
                if "persistentVolumeClaim" in volume:
                    assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in names
            if "serviceAccountName" in workload.pod:
                assert ("ServiceAccount", workload.pod["serviceAccountName"]) in names
            for container in workload.containers():
                assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes, (
                    workload.name
                )
                environment = system.environment(container)  # fails where a name leads nowhere
                if workload.is_ours and workload.name != "Deployment/api":
                    assert {"DB_URL", "ZKB_USERAGENT", "QUEUE_URL"} <= environment.keys()


def test_the_api_holds_the_secrets_that_it_uses_and_no_more(systems: dict[str, System]) -> None:
    production = systems["production"]
    secret = production.environment({"envFrom": [{"secretRef": {"name": _secrets_name(production)}}]})
    (api,) = production.workload("Deployment/api").pod["containers"]
    held = production.environment(api)
    assert held["DB_URL"] == secret["READER_DB_URL"] != secret["DB_URL"]
    assert {secret["DB_URL"], secret["POSTGRES_PASSWORD"]}.isdisjoint(held.values())
    (migrate,) = production.workload("Job/migrate").pod["containers"]
    assert {"DB_URL", "READER_DB_URL"} <= production.environment(migrate).keys()


def _secrets_name(system: System) -> str:
    return str(system.one("Secret", "battlescope-secrets")["metadata"]["name"])


def test_services_budgets_and_autoscalers_find_their_pods(system: System) -> None:
    labels = [workload.labels for workload in system.workloads()]
    for manifest in (*system.all("Service"), *system.all("PodDisruptionBudget")):
        selector = manifest["spec"]["selector"]
        wanted = selector.get("matchLabels", selector)
        assert len([one for one in labels if wanted.items() <= one.items()]) == 1, manifest["metadata"][
            "name"
        ]
    for service in system.all("Service"):
        (workload,) = [
            one for one in system.workloads() if service["spec"]["selector"].items() <= one.labels.items()
        ]
        ports = {port["name"] for container in workload.pod["containers"] for port in container["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    for scaler in system.all("HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        assert system.one(target["kind"], target["name"])
        assert scaler["spec"]["metrics"][0]["resource"] == {
            "name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 60},
        }
    for workload in system.workloads():
        selector = workload.manifest["spec"].get("selector", {}).get("matchLabels", {})
        assert selector.items() <= workload.labels.items()
        for spread in workload.pod.get("topologySpreadConstraints", []):
            assert spread["labelSelector"]["matchLabels"].items() <= workload.labels.items()


def test_what_is_more_than_one_is_spread_scaled_and_kept_from_eviction(systems: dict[str, System]) -> None:
    production = systems["production"]
    budgets = {one["metadata"]["name"] for one in production.all("PodDisruptionBudget")}
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in production.all("HorizontalPodAutoscaler")}
    by_depth = production.one("ScaledObject", "clusterer")["spec"]
    assert scaled | {by_depth["scaleTargetRef"]["name"]} == budgets == {"api", "clusterer"}
    assert scaled == {"api"}  # KEDA makes the other one; two would pull against each other
    assert production.one("HorizontalPodAutoscaler", "api")["spec"]["minReplicas"] == 2
    for name in budgets:
        keys = {
            one["topologyKey"]
            for one in production.workload(f"Deployment/{name}").pod["topologySpreadConstraints"]
        }
        assert keys == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}


def test_the_network_starts_from_deny(system: System) -> None:
    deny = system.one("NetworkPolicy", "deny-all")["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_who_may_talk_to_whom(systems: dict[str, System]) -> None:
    production = systems["production"]
    ours = {workload.labels["app.kubernetes.io/component"] for workload in production.workloads()}
    assert {name: _allowed(production, name) for name in sorted(ours)} == {
        "api": {"namespace monitoring:4318", "postgres:5432", "redis:redis"},
        "clusterer": {"namespace monitoring:4318", "postgres:5432", "queue:9324"},
        "ingest": {"namespace monitoring:4318", "postgres:5432", "queue:9324", "internet:443"},
        "maintenance": {"namespace monitoring:4318", "postgres:5432", "internet:443"},
        "migrate": {"postgres:5432"},
        "postgres": set(),
        "postgres-backup": {"postgres:5432"},
        "queue": set(),
        "redis": set(),
        "repair": {"namespace monitoring:4318", "postgres:5432", "queue:9324", "internet:443"},
    }
    # What one side may send the other may receive.
    for server, clients in {
        "postgres": {
            "api",
            "ingest",
            "clusterer",
            "migrate",
            "repair",
            "maintenance",
            "backfill",
            "postgres-backup",
        },
        "queue": {"ingest", "clusterer", "repair", "namespace keda"},
        "redis": {"api"},
        "api": {"namespace ingress-nginx", "namespace monitoring"},
        "ingest": {"namespace monitoring"},
        "clusterer": {"namespace monitoring"},
        "migrate": set(),
        "repair": set(),
        "maintenance": set(),
    }.items():
        assert _clients(production, server) == clients, server


def test_only_public_addresses_count_as_the_internet(system: System) -> None:
    (rule,) = system.one("NetworkPolicy", "to-internet")["spec"]["egress"]
    assert "10.0.0.0/8" in rule["to"][0]["ipBlock"]["except"]
    assert (
        "169.254.0.0/16" in rule["to"][0]["ipBlock"]["except"]
    )  # the cloud's metadata, with its credentials


def _selects(selector: Manifest, component: str) -> bool:
    labels = {"app.kubernetes.io/component": component}
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    return all(labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", []))


def _allowed(system: System, component: str) -> set[str]:
    found = set()
    for policy in system.all("NetworkPolicy"):
        if not _selects(policy["spec"]["podSelector"], component):
            continue
        for rule in policy["spec"].get("egress", []):
            for target in rule["to"]:
                if target.get("podSelector", {}).get("matchLabels", {}).get("k8s-app") == "kube-dns":
                    continue
                name = "internet" if "ipBlock" in target else _party(target)
                found |= {f"{name}:{port['port']}" for port in rule["ports"]}
    return found


def _clients(system: System, component: str) -> set[str]:
    found: set[str] = set()
    for policy in system.all("NetworkPolicy"):
        if not _selects(policy["spec"]["podSelector"], component):
            continue
        for rule in policy["spec"].get("ingress", []):
            for source in rule["from"]:
                expressions = source.get("podSelector", {}).get("matchExpressions", [])
                found |= set(expressions[0]["values"]) if expressions else {_party(source)}
    return found


def _party(peer: Manifest) -> str:
    if "namespaceSelector" in peer:
        return f"namespace {peer['namespaceSelector']['matchLabels']['kubernetes.io/metadata.name']}"
    return str(peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"])


def test_the_way_in(systems: dict[str, System]) -> None:
    ingress = systems["production"].one("Ingress", "api")
    annotations = ingress["metadata"]["annotations"]
    issuer = annotations["cert-manager.io/cluster-issuer"]
    assert systems["production"].one("ClusterIssuer", issuer)
    assert int(annotations["nginx.ingress.kubernetes.io/limit-rps"]) > 0
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"] for rule in ingress["spec"]["rules"]]


def test_backups(systems: dict[str, System]) -> None:
    backup = systems["production"].workload("CronJob/postgres-backup")
    (container,) = backup.pod["containers"]
    assert (
        container["image"]
        == systems["production"].workload("StatefulSet/postgres").pod["containers"][0]["image"]
    )
    environment = systems["production"].environment(container)
    (service,) = [
        one for one in systems["production"].all("Service") if one["metadata"]["name"] == "postgres"
    ]
    assert environment["PGHOST"] == service["metadata"]["name"]
