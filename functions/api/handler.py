"""API Gateway to the app: the Lambda handler of the API."""

from functools import cache
from typing import TYPE_CHECKING, Any

from mangum import Mangum

from api.app import create_app
from api.problems import MEDIA_TYPE
from battlescope.telemetry import logger, observed

if TYPE_CHECKING:
    from mangum.types import LambdaContext


class _Environment:
    """What one Lambda environment keeps between invocations."""

    def __init__(self) -> None:
        # Together these take a third of the time that all other imports take.
        from api.snapshots import OneConnection, Snapshots  # noqa: PLC0415
        from battlescope import settings  # noqa: PLC0415
        from battlescope.settings import ApiSettings  # noqa: PLC0415

        chosen = settings.load(ApiSettings)
        logger.setLevel(chosen.log_level)
        self.connection = OneConnection(chosen.db_url)
        self.adapter = Mangum(
            create_app(Snapshots(self.connection, chosen.query_timeout_s), chosen),
            lifespan="off",  # it would run at every invocation
            text_mime_types=["application/json", "application/x-ndjson", MEDIA_TYPE, "text/"],
        )


@cache
def environment() -> _Environment:
    """Made at the first invocation; a wrong setting stops it there."""
    return _Environment()


@observed(correlation_id_path="requestContext.requestId")
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Answer one request of an HTTP API (payload format 2.0)."""
    return environment().adapter(event, context)
