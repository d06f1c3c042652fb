"""R2Z2's whole days, `{"killmail_id": {killmail}, ...}`, killmail by killmail: such a file may take 200 MB.

Not a parser of JSON: the file is cut at its keys, and each killmail then parsed by itself. Keys are quoted decimal
numbers before a colon, which nothing inside a killmail is (in a JSON string a quote is escaped), so that one
killmail that is no JSON costs only itself.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from pydantic_core import from_json

from battlescope.errors import FeedError
from ingest.feeds.archive_file import RECORD_BYTES_MAX, Record

CHUNK_BYTES = 1024 * 1024

_KEY = re.compile(rb'[{,]\s*"(\d{1,19})"\s*:')


def raw_records(file: Path) -> Iterator[Record]:
    """The killmails of one file, each with its id as `where`.

    Raises:
        FeedError: the file is cut off, or no such file; whatever could be read came before.
    """
    number = 0
    held = b""
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            held += chunk
            keys = list(_KEY.finditer(held))
            for key, following in pairwise(keys):
                number += 1
                yield _record(number, key, held[key.end() : following.start()])
            held = held[keys[-1].start() :] if keys else held
            if len(held) > RECORD_BYTES_MAX + CHUNK_BYTES:
                raise FeedError(f"{file.name} is cut off or damaged after killmail {number}: fetch it again")
    last_key = _KEY.match(held)
    if last_key is None:
        if held.strip() not in {b"{}", b"[]"}:  # PHP writes an empty object as a list
            raise FeedError(f"{file.name} holds no killmails by id: fetch it again")
        return
    last = held[last_key.end() :].rstrip()
    body = last.removesuffix(b"}")
    if body == last or _ends_early(body):
        raise FeedError(f"{file.name} is cut off after killmail {number}: fetch it again")
    yield _record(number + 1, last_key, body)


def _record(number: int, key: re.Match[bytes], body: bytes) -> Record:
    return Record(number, f"killmail {key[1].decode()}", body[: RECORD_BYTES_MAX + 1], int(key[1]))


def _ends_early(body: bytes) -> bool:
    try:
        from_json(body)
    except ValueError as error:
        return "EOF" in str(error)
    return False
