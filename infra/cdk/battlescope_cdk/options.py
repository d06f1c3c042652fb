"""What an owner chooses, by CDK context (`cdk deploy -c name=value`, or `context` in cdk.json)."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from constructs import Node
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from battlescope.errors import SettingsError

PACKAGE = Path(__file__).resolve().parents[3] / "dist"
"""What `make package` built."""


def _read_json(value: object) -> object:
    """Context from a command line is text."""
    return json.loads(value) if isinstance(value, str) else value


class Options(BaseModel):
    """An owner's choices; each has a default but for the User-Agent."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    zkb_useragent: str = Field(min_length=8, description="a descriptive User-Agent with a contact")
    name: str = Field(default="BattleScope", pattern=r"^[A-Za-z][A-Za-z0-9]{0,30}$", description="of stacks")
    package_dir: Path = Field(default=PACKAGE, description="what `make package` built")
    architecture: Literal["arm64", "x86_64"] = Field(default="arm64", description="what it was built for")

    database: Literal["rds", "aurora", "external"] = Field(
        default="rds", description="a small instance, Aurora Serverless v2, or one that is there already"
    )
    database_secret_arn: str | None = Field(
        default=None,
        pattern=r"^arn:[a-z-]+:secretsmanager:",
        description="external: the secret of its address",
    )
    reader_secret_arn: str | None = Field(
        default=None,
        pattern=r"^arn:[a-z-]+:secretsmanager:",
        description="external: the secret of the API's own login, which the migration makes and lets read",
    )
    database_instance: str = Field(default="t4g.micro", description="rds: its class, without `db.`")
    database_proxy: bool = Field(default=False, description="RDS Proxy before it")
    nat: Literal["instance", "gateway"] = Field(
        default="instance", description="the functions' way out: a t4g.nano, or a NAT gateway"
    )

    reserved_concurrency: int | None = Field(
        default=None, ge=1, description="for the poller; new accounts have none to reserve"
    )
    tracing: bool = Field(default=False, description="X-Ray")
    settings: Annotated[dict[str, str], BeforeValidator(_read_json)] = Field(
        default_factory=dict, description="more settings, as JSON; each goes to the functions that know it"
    )

    domain_name: str | None = Field(default=None, description="the API's own, in a Route 53 zone")
    hosted_zone_id: str | None = Field(default=None, description="that zone's id")
    hosted_zone_name: str | None = Field(default=None, description="that zone's name")
    throttle_rate: int = Field(default=50, ge=1, description="requests/s of all readers together")
    throttle_burst: int = Field(default=100, ge=1, description="requests at once")
    cdn_origin: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9.-]+$",
        description="the API's host once it is deployed: puts CloudFront before it, with a limit for each address",
    )
    cdn_requests_per_5_minutes: int = Field(default=1000, ge=10, description="cdnOrigin: of one address")

    alarm_email: str | None = Field(default=None, pattern=r"^\S+@\S+$", description="who is told of alarms")
    monthly_budget_usd: int | None = Field(default=None, ge=1, description="a budget; with alarmEmail")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.database == "external") != (self.database_secret_arn is not None):
            raise ValueError("databaseSecretArn goes with database=external, and the other way round")
        if self.reader_secret_arn and self.database != "external":
            raise ValueError(
                "readerSecretArn goes with database=external; another database gets one of its own"
            )
        if self.database == "external" and self.database_proxy:
            raise ValueError("databaseProxy is for a database of this deployment")
        if self.domain_name and not (self.hosted_zone_id and self.hosted_zone_name):
            raise ValueError("domainName needs hostedZoneId and hostedZoneName")
        if self.monthly_budget_usd and not self.alarm_email:
            raise ValueError("monthlyBudgetUsd needs alarmEmail")
        return self

    @property
    def has_network(self) -> bool:
        """Whether there is a VPC; a database elsewhere is reached without."""
        return self.database != "external"


def read_options(node: Node) -> Options:
    """The options in an app's context.

    Raises:
        SettingsError: names each wrong or unknown one.
    """
    given: dict[str, Any] = {
        name: value
        for name, value in node.get_all_context().items()
        if not name.startswith(("aws:", "aws-cdk:", "@aws-cdk/", "cli-"))
    }
    return parse_options(given)


def parse_options(given: dict[str, Any]) -> Options:
    """The options among context values; the same errors as `read_options`."""
    try:
        return Options.model_validate(given)
    except ValidationError as error:
        raise SettingsError(
            "; ".join(
                f"context {'.'.join(map(str, one['loc']))}: {one['msg']}".replace("context :", "context:")
                for one in error.errors(include_url=False)
            )
        ) from None
