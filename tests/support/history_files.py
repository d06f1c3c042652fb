"""Whole days as their sources publish them, made from the killmails that a server knows."""

import bz2
import io
import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterable

from tests.support.payloads import Json, archive_line, killmail_hash


def history_file(path: str, killmails: Iterable[Json]) -> bytes | None:
    """The file at a path of R2Z2's history or of EVE Ref; None where there is none."""
    days = [(str(killmail["killmail_time"])[:10], killmail) for killmail in killmails]
    if path in {"/history/totals.json", "/killmails/totals.json"}:
        return json.dumps(Counter(day.replace("-", "") for day, _ in days)).encode()
    if found := re.fullmatch(r"/history/(raw/)?(\d{4})(\d\d)(\d\d)\.json", path):
        of_day = [killmail for day, killmail in days if day == "-".join(found.groups()[1:])]
        body = raw_day(of_day) if found[1] else listing(of_day)
    elif found := re.fullmatch(r"/killmails/\d{4}/killmails-(\d{4}-\d\d-\d\d)\.tar\.bz2", path):
        of_day = [killmail for day, killmail in days if day == found[1]]
        body = tar_bz2({f"killmails/{one['killmail_id']}.json": archive_line(one) for one in of_day})
    else:
        return None
    return body if of_day else None


def raw_day(killmails: Iterable[Json]) -> bytes:
    """R2Z2's raw day."""
    return json.dumps({str(one["killmail_id"]): one for one in killmails}).encode()


def listing(killmails: Iterable[Json]) -> bytes:
    """R2Z2's hashes of a day."""
    return json.dumps(
        {str(one["killmail_id"]): killmail_hash(one["killmail_id"]) for one in killmails}
    ).encode()


def tar_bz2(members: dict[str, Json | bytes]) -> bytes:
    """EVE Ref's archive; a member is a document, or bytes as they are."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in members.items():
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return bz2.compress(packed.getvalue())
