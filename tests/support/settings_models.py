"""Every settings model that something is started with."""

from battlescope.settings import (
    ApiSettings,
    ClusterSettings,
    IngestSettings,
    MaintenanceSettings,
    MigrateSettings,
    PartSettings,
    RepairSettings,
    WorkerSettings,
)

MODELS = (
    ApiSettings,
    ClusterSettings,
    IngestSettings,
    MaintenanceSettings,
    MigrateSettings,
    PartSettings,
    RepairSettings,
    WorkerSettings,
)

NAMES = frozenset(name.upper() for model in MODELS for name in model.model_fields)
"""Of their environment variables."""
