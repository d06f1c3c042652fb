"""One settings model per handler, read once from the environment when the handler first runs.

A wrong or missing value stops the start with a message that names the variable, what it must be and what it was.
"""

from ipaddress import ip_network
from typing import Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from battlescope.errors import SettingsError

LinkRule = Literal["correlated", "contiguous"]
SECRET_NAMES = frozenset({"DB_URL", "READER_DB_URL", "REDIS_URL"})
_DB_URL = r"^(postgres(ql)?://|arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\d+:secret:)"


class Settings(BaseSettings):
    """Read from the environment; an empty variable counts as absent."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)


class TracingSettings(Settings):
    """Whether invocations are traced."""

    tracing: bool = Field(
        default=False, description="in Lambda: send X-Ray the parts of invocations; a cold start takes longer"
    )
    otel_exporter_otlp_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="outside Lambda: an OpenTelemetry collector that is sent the parts of invocations, by OTLP over HTTP",
    )


class HandlerSettings(TracingSettings):
    """What every handler needs."""

    db_url: str = Field(
        pattern=_DB_URL,
        description="PostgreSQL, as postgresql://user:password@host/name, or the ARN of a secret that holds it",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="what is worth a log line"
    )


class MigrateSettings(HandlerSettings):
    """The migrate handler."""

    reader_db_url: str | None = Field(
        default=None,
        pattern=_DB_URL,
        description="the API's DB_URL, of a role that may only read; the role is made where there is none",
    )


class ClusterRules(Settings):
    """The rules of clustering."""

    window_minutes: int = Field(
        default=30,
        ge=1,
        le=24 * 60,
        description="LINK_RULE=contiguous: links by a shared party reach this far",
    )
    gap_max_minutes: int = Field(
        default=15, ge=1, le=24 * 60, description="two linked killmails are at most this far apart"
    )
    min_kills: int = Field(default=2, ge=1, le=1000, description="losses that make a battle")
    link_rule: LinkRule = Field(default="correlated", description="what links two killmails")
    fold_pods: bool = Field(
        default=True, description="whether a pod lost after its ship is no loss of its own"
    )

    @model_validator(mode="after")
    def _window_holds_gap(self) -> Self:
        if self.link_rule == "contiguous" and self.window_minutes < self.gap_max_minutes:
            raise ValueError(
                f"WINDOW_MINUTES must be at least GAP_MAX_MINUTES ({self.gap_max_minutes}); it was {self.window_minutes}"
            )
        return self


class ClusterSettings(HandlerSettings, ClusterRules):
    """The cluster handler: the rules, and where poison goes."""

    dead_letter_queue_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="where a message that cannot be processed goes, with its reason",
    )
    max_receives: int = Field(
        default=5, ge=1, le=1000, description="attempts at a message that fails without a known reason"
    )


class WorkerSettings(Settings):
    """A cluster worker outside Lambda: where its messages come from (Lambda is handed them)."""

    queue_url: str = Field(pattern=r"^https?://.*\.fifo$", description="the SQS FIFO queue's URL")


class PartSettings(Settings):
    """A part outside Lambda: whether it shows its metrics."""

    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="where /metrics and /healthz are served; none: metrics are lines of the log",
    )


class OutsideSettings(Settings):
    """Whom we ask outside, and as whom."""

    zkb_useragent: str = Field(
        min_length=8,
        pattern=r"^[\x20-\x7e]+$",
        description="a descriptive User-Agent with a contact, for zKillboard, EVE Ref and ESI",
    )
    esi_url: str = Field(
        default="https://esi.evetech.net", pattern=r"^https?://", description="ESI's address"
    )
    r2z2_url: str = Field(
        default="https://r2z2.zkillboard.com", pattern=r"^https?://", description="R2Z2's address"
    )
    requests_per_second: float = Field(
        default=10, gt=0, le=10, description="to one service; zKillboard bans above"
    )


class PriceSettings(OutsideSettings):
    """Market prices: how old they may be."""

    prices_max_age_hours: float = Field(
        default=24, ge=0, description="market prices older than this are fetched anew"
    )


class HistorySettings(PriceSettings):
    """Whole days of history: where they come from, and how gently they are asked for."""

    everef_url: str = Field(
        default="https://data.everef.net", pattern=r"^https?://", description="EVE Ref's address"
    )
    history_source: Literal["everef", "r2z2"] = Field(
        default="everef", description="backfill: everef (smaller) or r2z2"
    )
    history_requests_per_second: float = Field(
        default=1, gt=0, le=10, description="backfill and repair: whole files and lists, from one service"
    )
    history_megabytes_max: int = Field(
        default=1024, ge=1, le=100_000, description="a day's file that is larger is not believed"
    )
    history_timeout_s: float = Field(default=900, ge=1, description="for the download of one day's file")
    history_wait_max_s: float = Field(
        default=120,
        ge=0,
        description="a service that asks us to stay away longer ends the run instead of being waited for",
    )
    history_workers: int = Field(
        default=2, ge=1, le=64, description="days that are read and stored beside each other"
    )
    history_recheck_hours: float = Field(
        default=24,
        ge=0,
        description="backfill: a day imported or found unchanged so recently is not asked for",
    )


class RepairSettings(HandlerSettings, HistorySettings):
    """The repair handler."""

    queue_url: str = Field(pattern=r"^https?://.*\.fifo$", description="the SQS FIFO queue's URL")
    repair_days: int = Field(
        default=35,
        ge=1,
        le=10_000,
        description="days up to today whose completeness a scheduled repair looks after",
    )
    repair_esi_max: int = Field(
        default=200,
        ge=0,
        le=1800,
        description="up to so many missing killmails of a day come from ESI one by one, more from the day's file",
    )
    r2z2_retention_hours: float = Field(
        default=48, ge=0, description="holes noted so recently are asked for again under their numbers"
    )


class MaintenanceSettings(HandlerSettings, ClusterRules, PriceSettings):
    """The maintenance handler: the rules that everything stored is held to, and how long things are kept."""

    names_max_age_days: int = Field(
        default=30, ge=1, le=10_000, description="names older than this are asked for again"
    )
    retention_months: int | None = Field(
        default=None,
        ge=2,
        le=1200,
        description="whole months that are kept beside the present one; none: everything is kept",
    )


class IngestSettings(HandlerSettings, OutsideSettings):
    """The ingest handler: which feed, how politely, and where to."""

    queue_url: str = Field(pattern=r"^https?://.*\.fifo$", description="the SQS FIFO queue's URL")
    feed: str = Field(
        default="r2z2",
        pattern=r"^(r2z2|redisq|simulated|archive:.+)$",
        description="r2z2, redisq, simulated or archive:PATH",
    )
    speed: float = Field(
        default=0,
        ge=0,
        description="archive and simulated: feed seconds per second, 0 for as fast as it goes",
    )
    r2z2_lookback: int = Field(
        default=1000,
        ge=0,
        le=40_000,
        description="sequences to go back from the newest at the very first start",
    )
    redisq_url: str = Field(
        default="https://zkillredisq.stream", pattern=r"^https?://", description="a RedisQ server's address"
    )
    redisq_queue_id: str = Field(
        default="battlescope", pattern=r"^[A-Za-z0-9_-]{1,64}$", description="the name RedisQ remembers us by"
    )
    simulated_seed: int = Field(default=1, ge=0, description="the same seed, the same New Eden")
    simulated_hours: float = Field(
        default=6, gt=0, le=24 * 366 * 20, description="how long a simulated run with an end lasts"
    )
    simulated_live: bool = Field(default=False, description="simulate without end, up to the present moment")


class ApiSettings(HandlerSettings):
    """The API handler."""

    redis_url: str | None = Field(
        default=None, pattern=r"^rediss?://", description="shared limits and cached answers"
    )
    rate_per_minute: int = Field(
        default=600,
        ge=1,
        le=100_000,
        description="with REDIS_URL: requests that one client may make in any minute",
    )
    trusted_proxies: str = Field(
        default="",
        description="outside Lambda: addresses and networks, parted by commas, whose X-Forwarded-For names the client",
    )
    feed_stale_minutes: int = Field(
        default=15, ge=1, description="a feed cursor that has not moved for so long makes /healthz say so"
    )
    gap_max_minutes: int = Field(
        default=15, ge=1, le=24 * 60, description="a battle is live for so long after its last killmail"
    )
    query_timeout_s: float = Field(
        default=5, gt=0, le=25, description="the database gives up on a statement after so long"
    )
    database_connections: int = Field(
        default=8, ge=1, le=100, description="connections of one process; in Lambda it is always one"
    )
    image_server_url: str = Field(
        default="https://images.evetech.net",
        pattern=r"^https?://[A-Za-z0-9.:/_~\[\]-]+$",
        description="EVE's image server, which pages take logos, portraits and ships from",
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.:/_~\[\]-]+$",
        description="where people reach the pages, for shared links; none: as the request says",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, trusted_proxies: str) -> str:
        for proxy in filter(None, trusted_proxies.split(",")):
            try:
                ip_network(proxy.strip())
            except ValueError:
                raise ValueError("must be IP addresses and networks, parted by commas") from None
        return trusted_proxies


def load[S: BaseSettings](model: type[S]) -> S:
    """Settings from the environment.

    Raises:
        SettingsError: names each wrong variable, what it must be, and what it was (secrets excepted).
    """
    try:
        return model()
    except ValidationError as error:
        raise SettingsError("; ".join(_complaints(model, error))) from None


def _complaints(model: type[BaseSettings], error: ValidationError) -> list[str]:
    complaints = []
    for problem in error.errors(include_url=False):
        if not problem["loc"]:
            complaints.append(problem["msg"].removeprefix("Value error, "))
            continue
        name = str(problem["loc"][0]).upper()
        field = model.model_fields.get(str(problem["loc"][0]))
        meaning = f" ({field.description})" if field and field.description else ""
        if problem["type"] == "missing":
            complaints.append(f"{name} is not set{meaning}")
        else:
            was = "***" if name in SECRET_NAMES else repr(problem["input"])
            complaints.append(f"{name}{meaning}: {problem['msg']}; it was {was}")
    return complaints
