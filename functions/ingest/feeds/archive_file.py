"""Archive files, record by record, never whole in memory.

Formats, told by the name: JSON lines (`.jsonl`, `.ndjson`), plain or gzip, and EVE Ref's `.tar.bz2` with one member
`killmails/<id>.json` per killmail.
"""

import bz2
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from battlescope.errors import FeedError
from ingest.feeds.tar_blocks import members

RECORD_BYTES_MAX = 16 * 1024 * 1024
"""More than any killmail takes; of a longer record only the start is read."""

LINES_SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
TAR_SUFFIXES = (".tar.bz2",)
FORMATS = "*.jsonl, *.ndjson (plain or .gz) or *.tar.bz2"

_ID = re.compile("[0-9]{1,19}")
_MAGIC = {".gz": (b"\x1f\x8b", "gzip"), ".bz2": (b"BZh", "bzip2")}


class Record(NamedTuple):
    """One record.

    Attributes:
        number: its place in the file, from 1.
        where: its line or member, in words.
        body: at most RECORD_BYTES_MAX + 1 bytes of it.
        killmail_id: what the file calls it; None where only the body tells.
    """

    number: int
    where: str
    body: bytes
    killmail_id: int | None = None


def archive_files(path: Path) -> list[Path]:
    """The files of an archive: the file itself, or a folder's, sorted by name.

    Raises:
        FeedError: there is none, or one cannot be read or is not what its name says.
    """
    try:
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.is_file() and _is_archive(file))
            if not files:
                raise FeedError(f"no archives in {path}: expected files named {FORMATS}")
        elif path.is_file():
            files = [path]
        else:
            raise FeedError(f"no such archive: {path}; name a file or folder that exists")
        for file in files:
            _check(file)
    except OSError as error:
        raise FeedError(
            f"the archive {error.filename or path} cannot be opened ({error.strerror}): "
            "make it readable, or name another"
        ) from None
    return files


def records(file: Path, skip: int = 0) -> Iterator[Record]:
    """The records of one file after the first `skip`.

    Raises:
        FeedError: the file is cut off or damaged; whatever could be read came before.
    """
    read = 0
    found = _members(file, skip) if file.name.endswith(TAR_SUFFIXES) else _lines(file, skip)
    try:
        for record in found:
            yield record
            read = record.number
    except (EOFError, OSError, zlib.error) as error:
        raise FeedError(
            f"the archive {file} is cut off or damaged after record {max(read, skip)} ({error}): "
            "fetch it again, then start again to go on from there"
        ) from None


def _is_archive(file: Path) -> bool:
    return file.name.endswith(LINES_SUFFIXES + TAR_SUFFIXES)


def _check(file: Path) -> None:
    if not _is_archive(file):
        raise FeedError(f"the archive {file} is of an unknown format: it must be named {FORMATS}")
    with file.open("rb") as stream:
        start = stream.read(3)
    magic, name = _MAGIC.get(file.suffix, (b"", ""))
    if not start.startswith(magic):
        raise FeedError(f"the archive {file} is not {name}, as its name says: fetch it again, or rename it")


def _lines(file: Path, skip: int) -> Iterator[Record]:
    with _open_lines(file) as stream:
        number = 0
        while line := stream.readline(RECORD_BYTES_MAX + 1):
            rest = line
            while len(rest) > RECORD_BYTES_MAX and not rest.endswith(b"\n"):
                rest = stream.readline(RECORD_BYTES_MAX + 1)
            number += 1
            if number > skip:
                yield Record(number, f"line {number}", line)


def _open_lines(file: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.GzipFile(file, "rb") if file.suffix == ".gz" else file.open("rb")


def _members(file: Path, skip: int) -> Iterator[Record]:
    with bz2.open(file) as unpacked:
        found = (one for one in members(unpacked, RECORD_BYTES_MAX + 1) if one.name.endswith(".json"))
        for number, member in enumerate(islice(found, skip, None), skip + 1):
            name = PurePosixPath(member.name).stem
            yield Record(number, member.name, member.body, int(name) if _ID.fullmatch(name) else None)
