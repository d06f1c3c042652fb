"""Tar archives read block by block, against what `tarfile` writes."""

import io
import tarfile

import pytest

from ingest.feeds.tar_blocks import Member, members

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
BODIES = {
    "killmails/1.json": b"{}",
    "killmails/2.json": b"",
    "killmails/3.json": b"x" * 1024,
    "4.json": b"y" * 700_000,
}


class Drops:
    """A stream that gives so many bytes at a time."""

    def __init__(self, body: bytes, size: int) -> None:
        self._stream = io.BytesIO(body)
        self._size = size

    def read1(self, size: int, /) -> bytes:
        return self._stream.read(min(size, self._size))


def packed(form: int = tarfile.USTAR_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        folder = tarfile.TarInfo("killmails")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, body in BODIES.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            if form == tarfile.PAX_FORMAT:
                info.mtime = 1.5  # does not fit the plain header, so an extended one precedes it
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("drop", [1000, 512, 10_000_000])
def test_regular_files_with_their_bodies(form: int, drop: int) -> None:
    found = list(members(Drops(packed(form), drop), 1_000_000))
    assert found == [Member(name, body) for name, body in BODIES.items()]


def test_of_a_long_body_only_the_start_is_kept() -> None:
    found = list(members(Drops(packed(), 4096), 3))
    assert [member.body for member in found] == [b"{}", b"", b"xxx", b"yyy"]


def test_a_long_name_is_put_together() -> None:
    name = f"{'a' * 90}/{'b' * 90}/1.json"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        tar.addfile(tarfile.TarInfo(name))
    assert [member.name for member in members(Drops(out.getvalue(), 512), 10)] == [name]


def test_an_empty_stream_holds_nothing() -> None:
    assert list(members(Drops(b"", 512), 10)) == []


# The folder takes one block, the files 1 + 1, 1 + 0 and 1 + 2 blocks; then comes the last one.
@pytest.mark.parametrize(
    ("length", "whole"), [(100, 0), (612, 0), (1025, 0), (512 * 5 + 3, 2), (512 * 8, 3), (512 * 9, 3)]
)
def test_what_came_before_a_cut_is_kept(length: int, whole: int) -> None:
    stream = members(Drops(packed()[:length], 512), 1_000_000)
    assert [next(stream).name for _ in range(whole)] == list(BODIES)[:whole]
    with pytest.raises(EOFError, match="within a member"):
        next(stream)


@pytest.mark.parametrize("at", [0, 124, 130, 150, 511])
def test_a_damaged_header_is_told(at: int) -> None:
    body = bytearray(packed())
    body[512 + at] ^= 0x11
    with pytest.raises(OSError, match="no tar header"):
        list(members(Drops(bytes(body), 4096), 1_000_000))
