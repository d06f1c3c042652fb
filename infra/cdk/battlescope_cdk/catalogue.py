"""The functions: what runs, how long it may take, how much memory it gets, and which settings it reads.

template.yaml says the same of them, and a test compares the two. Memory was chosen by measurement (docs/cost.md).
"""

from typing import NamedTuple

from battlescope.errors import SettingsError
from battlescope.settings import (
    ApiSettings,
    ClusterSettings,
    HandlerSettings,
    IngestSettings,
    MaintenanceSettings,
    MigrateSettings,
    RepairSettings,
)


class Spec(NamedTuple):
    """One function.

    Attributes:
        name: of its construct.
        handler: as Lambda names it.
        memory_mb: which is also its share of a processor (1769 MB is a whole one).
        timeout_s: an invocation's time.
        settings: what it reads from its environment.
    """

    name: str
    handler: str
    memory_mb: int
    timeout_s: int
    settings: type[HandlerSettings]


INGEST = Spec("Ingest", "ingest.handler.handler", 192, 58, IngestSettings)
CLUSTER = Spec("Cluster", "cluster.handler.handler", 512, 30, ClusterSettings)
API = Spec("Api", "api.handler.handler", 1024, 15, ApiSettings)
REPAIR = Spec("Repair", "ingest.repair.handler", 512, 900, RepairSettings)
MAINTENANCE = Spec("Maintenance", "cluster.maintenance.handler.handler", 512, 300, MaintenanceSettings)
MIGRATE = Spec("Migrate", "migrate.handler.handler", 512, 900, MigrateSettings)

ALL = (INGEST, CLUSTER, API, REPAIR, MAINTENANCE, MIGRATE)


def settings_for(spec: Spec, given: dict[str, str]) -> dict[str, str]:
    """Those of `given` that this function reads.

    Raises:
        SettingsError: one of `given` is no function's.
    """
    known = {field.upper() for one in ALL for field in one.settings.model_fields}
    if unknown := sorted(set(given) - known):
        raise SettingsError(f"context settings: no function reads {', '.join(unknown)}")
    return {name: value for name, value in given.items() if name.lower() in spec.settings.model_fields}
