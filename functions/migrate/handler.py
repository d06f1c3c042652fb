"""The database to this version's schema: a Lambda handler that a deployment invokes before new code serves.

CloudFormation invokes it as a custom resource, and waits for the answer at the address it gives. Whoever invokes it
by hand (`{}`) is answered directly. Safe to run twice, and beside running workers.
"""

import json
from typing import TYPE_CHECKING, Any, Literal

import urllib3
from pydantic import BaseModel, ConfigDict, Field

from battlescope.database import connect
from battlescope.errors import BattleScopeError
from battlescope.migrate import migrate
from battlescope.reader_role import let_read
from battlescope.static import load_into
from battlescope.telemetry import logger, observed, span

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

RESOURCE_ID = "battlescope-schema"
"""The same at every deployment, so that CloudFormation never takes an update for a new resource."""

ANSWER_TIMEOUT_S = 10.0
ANSWER_ATTEMPTS = 3
REASON_LENGTH_MAX = 1000
"""CloudFormation takes answers of 4096 bytes at most."""


class _Request(BaseModel):
    """What CloudFormation sends for a custom resource."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: Literal["Create", "Update", "Delete"] = Field(alias="RequestType")
    answer_url: str = Field(alias="ResponseURL", pattern=r"^https?://")
    stack_id: str = Field(alias="StackId")
    request_id: str = Field(alias="RequestId")
    logical_id: str = Field(alias="LogicalResourceId")


@observed(correlation_id_path="RequestId")
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Migrate and load the static data; answers what was done. Deleting the resource leaves the database alone."""
    if "RequestType" not in event:
        return _migrate()
    request = _Request.model_validate(event)
    try:
        done = {} if request.kind == "Delete" else _migrate()
    except Exception as error:
        logger.exception("the database could not be migrated")
        # A driver's message may hold more than CloudFormation's log should tell; ours do not.
        _answer(
            request, "FAILED", str(error) if isinstance(error, BattleScopeError) else type(error).__name__
        )
        raise
    _answer(request, "SUCCESS", "")
    return done


def _migrate() -> dict[str, Any]:
    from battlescope.settings import MigrateSettings, load  # noqa: PLC0415 - a tenth of the import

    chosen = load(MigrateSettings)
    with span("migrate"), connect(chosen.db_url) as connection:
        done = {"applied": migrate(connection), "loaded": load_into(connection)}
        if chosen.reader_db_url is not None:
            let_read(connection, chosen.reader_db_url)
    logger.info("migrated", extra=done)
    return done


def _answer(request: _Request, status: Literal["SUCCESS", "FAILED"], reason: str) -> None:
    body = {
        "Status": status,
        "Reason": reason[:REASON_LENGTH_MAX],
        "PhysicalResourceId": RESOURCE_ID,
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_id,
    }
    # The address is signed for an empty content type.
    answered = urllib3.request(
        "PUT",
        request.answer_url,
        body=json.dumps(body),
        headers={"Content-Type": ""},
        timeout=ANSWER_TIMEOUT_S,
        retries=urllib3.Retry(ANSWER_ATTEMPTS, backoff_factor=0.5),
    )
    if answered.status >= 300:
        logger.error("CloudFormation did not take the answer", extra={"status": answered.status})
