"""R2Z2's file: one killmail as zKillboard uploads it, and as `battlescope simulate` writes it.

`{"killmail_id", "hash", "esi": {the ESI killmail}, "zkb": {...}, "uploaded_at", "sequence_id", "sequence_updated"?}`
"""

from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from battlescope.errors import KillmailError
from battlescope.killmail import Killmail
from ingest.feeds import Rejected
from ingest.payload import EveId, KillmailHash, parse_killmail


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    killmail_id: EveId | None = None
    hash: KillmailHash | None = None
    esi: dict[str, Any]
    zkb: dict[str, Any] | None = None
    uploaded_at: int = Field(default=0, ge=0, lt=2**40)
    sequence_updated: Any = None


class Upload(NamedTuple):
    """A file that was read.

    Attributes:
        item: the killmail, or why it is none.
        uploaded_at: Unix seconds; 0 where the file does not tell.
        sequence_updated: an older sequence that was uploaded again; None where none was.
    """

    item: Killmail | Rejected
    uploaded_at: int = 0
    sequence_updated: int | None = None


def read_upload(body: bytes) -> Upload:
    """What a file holds.

    Raises:
        KillmailError: it is no such file at all, but cut off, or a page in its place.
    """
    try:
        document = from_json(body)
    except ValueError:
        raise KillmailError("no JSON") from None
    if not isinstance(document, dict) or not document.keys() & {"esi", "killmail_id"}:
        raise KillmailError("no file of R2Z2, but other JSON")
    killmail_id = document.get("killmail_id")
    try:
        file = _File.model_validate(document)
        killmail = parse_killmail(
            file.esi, killmail_hash=file.hash, zkb=file.zkb, uploaded_at=file.uploaded_at
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        reason = f"{'.'.join(map(str, first['loc'])) or 'file'}: {first['msg']}"
        return Upload(Rejected.of(body, reason, killmail_id))
    except KillmailError as error:
        return Upload(Rejected.of(body, str(error), killmail_id))
    if file.killmail_id not in {None, killmail.killmail_id}:
        reason = f"killmail_id: the file names {file.killmail_id}, its killmail is {killmail.killmail_id}"
        return Upload(Rejected.of(body, reason, killmail_id))
    again = file.sequence_updated
    return Upload(killmail, file.uploaded_at, again if type(again) is int else None)
