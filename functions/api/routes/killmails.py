"""One killmail reference."""

from fastapi import APIRouter, Request, Response

from api.answers import answer, caching
from api.models.battles import KILLMAIL_REFERENCE
from api.parameters import KillmailId, NoQuery
from api.problems import not_found
from api.queries.killmails import find_killmail
from api.routes.dependencies import AS_JSON, Reads

router = APIRouter(tags=["killmails"], dependencies=AS_JSON)


@router.get("/killmails/{id}")
def get_killmail(request: Request, reader: Reads, killmail_id: KillmailId, _: NoQuery) -> Response:
    """What is kept of a killmail, and which battle it belongs to."""
    killmail = reader.read(lambda connection: find_killmail(connection, killmail_id))
    if killmail is None:
        raise not_found(f"no killmail with the id {killmail_id} was seen")
    return answer(request, KILLMAIL_REFERENCE, killmail, caching(killmail["timestamp"]))
