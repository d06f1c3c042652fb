"""Archives: JSON lines, gzip, EVE Ref's tar.bz2 and folders, read whole, in batches, from anywhere, and damaged."""

import bz2
import gzip
import io
import json
import os
import tarfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from battlescope.errors import FeedError
from battlescope.killmail import Killmail
from ingest.feeds import Position, Rejected
from ingest.feeds.archive import ITEMS_MAX, ArchiveFeed, read_archive
from tests.support.clock import FakeClock
from tests.support.payloads import KILL_TIME, Json, archive_line, esi_killmail, killmail_hash, r2z2_file

type Writer = Callable[[Path, Iterable[Json]], None]


def write_lines(path: Path, killmails: Iterable[Json]) -> None:
    path.write_text("".join(json.dumps(killmail) + "\n" for killmail in killmails))


def write_gzip(path: Path, killmails: Iterable[Json]) -> None:
    with gzip.open(path, "wt") as lines:
        lines.writelines(json.dumps(killmail) + "\n" for killmail in killmails)


def write_tar(path: Path, killmails: Iterable[Json]) -> None:
    with tarfile.open(path, "w:bz2", compresslevel=1) as tar:  # blocks of 100 kB
        for killmail in killmails:
            body = json.dumps({**killmail, "http_last_modified": "2021-12-01T00:01:00Z"}).encode()
            member = tarfile.TarInfo(f"killmails/{killmail['killmail_id']}.json")
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))


WRITERS: dict[str, Writer] = {
    "k.jsonl": write_lines,
    "k.ndjson": write_lines,
    "k.jsonl.gz": write_gzip,
    "k.tar.bz2": write_tar,
}


def numbered(*numbers: int) -> list[Json]:
    return [archive_line(esi_killmail(number)) for number in numbers]


@pytest.fixture(params=WRITERS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An archive of killmails 1 to 500."""
    path: Path = tmp_path / request.param
    WRITERS[request.param](path, numbered(*range(1, 501)))
    return path


def ids(items: Iterable[Killmail | Rejected]) -> list[int | None]:
    return [item.killmail_id for item in items]


def drain(feed: ArchiveFeed, position: Position | None = None) -> tuple[list[int], list[str], Position]:
    """Everything a feed gives, its errors, and where it ends."""
    found: list[int] = []
    errors = []
    while True:
        batch = feed.poll(position, 60)
        found += [killmail.killmail_id for killmail in batch.killmails]
        errors += [batch.error] if batch.error else []
        position = json.loads(json.dumps(batch.position))
        if batch.drained:
            return found, errors, position


def test_every_format_is_read(archive: Path) -> None:
    read = list(read_archive(archive))
    assert ids(read) == list(range(1, 501))
    first = read[0]
    assert isinstance(first, Killmail)
    assert (first.killmail_hash, first.killmail_time) == (killmail_hash(1), KILL_TIME)
    assert (first.isk_value, first.valued_at) == (None, 0)
    assert drain(ArchiveFeed(archive))[0] == list(range(1, 501))


@pytest.mark.parametrize("after", [0, 1, 250, 499, 500])
def test_goes_on_from_any_record(archive: Path, after: int) -> None:
    found, errors, position = drain(ArchiveFeed(archive), {"file": archive.name, "record": after})
    assert found == list(range(after + 1, 501))
    assert errors == []
    assert position == {"file": archive.name, "record": 500}


def test_a_position_that_was_not_saved_is_read_again(archive: Path) -> None:
    feed = ArchiveFeed(archive)
    feed.poll(None, 60)
    assert drain(feed)[0] == list(range(1, 501))


def test_batches_are_bounded_and_the_archive_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "k.jsonl"
    write_lines(path, numbered(*range(1, ITEMS_MAX + 501)))
    feed = ArchiveFeed(path)
    first = feed.poll(None, 60)
    assert (len(first.killmails), first.drained) == (ITEMS_MAX, False)
    monkeypatch.setattr("ingest.feeds.archive.records", None)
    second = feed.poll(dict(first.position), 60)
    assert (len(second.killmails), second.drained, second.error) == (500, True, None)


def test_stops_at_the_end_of_its_budget(tmp_path: Path) -> None:
    path = tmp_path / "k.jsonl"
    write_lines(path, numbered(1, 2, 3))
    batch = ArchiveFeed(path, clock=FakeClock().clock).poll(None, 0)
    assert (batch.killmails, batch.drained, batch.wait_s) == ([], False, 0)


def test_a_folder_is_read_by_name_without_its_other_files(tmp_path: Path) -> None:
    write_tar(tmp_path / "c.tar.bz2", numbered(5, 6))
    write_lines(tmp_path / "a.jsonl", numbered(1, 2))
    write_gzip(tmp_path / "b.jsonl.gz", numbered(3, 4))
    (tmp_path / "README.md").write_text("not a killmail")
    (tmp_path / "types.csv.gz").write_bytes(b"not a killmail")
    (tmp_path / "older.jsonl").mkdir()
    assert ids(read_archive(tmp_path)) == [1, 2, 3, 4, 5, 6]
    assert drain(ArchiveFeed(tmp_path))[0] == [1, 2, 3, 4, 5, 6]
    assert drain(ArchiveFeed(tmp_path), {"file": "b.jsonl.gz", "record": 1})[0] == [4, 5, 6]
    (tmp_path / "b.jsonl.gz").unlink()
    assert drain(ArchiveFeed(tmp_path), {"file": "b.jsonl.gz", "record": 1})[0] == [5, 6]


def test_lines_of_r2z2_files_keep_value_and_upload(tmp_path: Path) -> None:
    path = tmp_path / "k.jsonl"
    killmail = esi_killmail(1)
    write_lines(
        path,
        [
            r2z2_file(killmail, sequence=1, uploaded_at=1_774_949_100, value=1e9),
            archive_line(esi_killmail(2)),
            r2z2_file(killmail, sequence=3, uploaded_at=1_774_949_300, value=2e9, sequence_updated=1),
        ],
    )
    read = [item for item in read_archive(path) if isinstance(item, Killmail)]
    assert [(item.killmail_id, item.isk_value, item.valued_at) for item in read] == [
        (1, 1_000_000_000, 1_774_949_100),
        (2, None, 0),
        (1, 2_000_000_000, 1_774_949_300),
    ]


def test_blank_lines_and_a_last_line_without_its_end_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "k.jsonl"
    one, two = (json.dumps(line) for line in numbered(1, 2))
    path.write_text(f"\n{one}\n\n  \r\n{two}")
    assert ids(read_archive(path)) == [1, 2]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{broken", "killmail: Invalid JSON"),
        (b'{"killmail_id": 7}', "killmail_time: Field required"),
        (b'{"esi": {}, "killmail_id": 7}', "killmail_id: Field required"),
        (b'{"esi": ', ""),
        (b"\xff\0\xfe", "killmail: Invalid JSON"),
        (json.dumps(esi_killmail(7)).encode(), "killmail_hash: none is given"),
    ],
)
def test_a_bad_line_is_rejected_with_its_place(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "k.jsonl"
    good = [json.dumps(killmail).encode() for killmail in numbered(1, 2)]
    path.write_bytes(b"\n".join([good[0], line, good[1]]))
    batch = ArchiveFeed(path).poll(None, 60)
    assert ids(batch.killmails) == [1, 2]
    [rejected] = batch.rejected
    assert rejected.reason.startswith(f"k.jsonl, line 2: {reason}")
    assert rejected.raw
    assert "\0" not in rejected.raw
    assert batch.position == {"file": "k.jsonl", "record": 3}


def test_a_bad_member_is_rejected_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "k.tar.bz2"
    bad = {"killmail_id": 7, "attackers": []}
    write_tar(path, [*numbered(1), bad, *numbered(2)])
    one, rejected, two = read_archive(path)
    assert ids([one, two]) == [1, 2]
    assert isinstance(rejected, Rejected)
    assert rejected.reason.startswith("k.tar.bz2, killmails/7.json: ")


def test_folders_and_strangers_in_a_tar_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "k.tar.bz2"
    with tarfile.open(path, "w:bz2") as tar:
        for name, kind in (
            ("killmails", tarfile.DIRTYPE),
            ("x.json", tarfile.SYMTYPE),
            ("README", tarfile.REGTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type = kind
            tar.addfile(member, io.BytesIO())
    assert list(read_archive(path)) == []


def test_a_line_without_end_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("archive", "archive_file"):
        monkeypatch.setattr(f"ingest.feeds.{module}.RECORD_BYTES_MAX", 5000)
    path = tmp_path / "k.jsonl"
    good = [json.dumps(killmail).encode() for killmail in numbered(1, 2)]
    path.write_bytes(b"\n".join([good[0], b"x" * 12_345, good[1], b"y" * 5001]))
    read = list(read_archive(path))
    assert ids(read) == [1, None, 2, None]
    assert isinstance(read[1], Rejected)
    assert read[1].reason == "k.jsonl, line 2: longer than 5000 bytes"
    assert isinstance(read[3], Rejected)
    assert read[3].reason.startswith("k.jsonl, line 4: ")


@pytest.fixture(params=["k.jsonl.gz", "k.tar.bz2"])
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A packed archive of killmails 1 to 500."""
    path: Path = tmp_path / request.param
    WRITERS[request.param](path, numbered(*range(1, 501)))
    return path


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_what_stands_before_a_cut_is_delivered_and_the_rest_when_it_is_mended(
    packed: Path, kept: float
) -> None:
    whole = packed.read_bytes()
    cut = whole[: int(len(whole) * kept)]
    packed.write_bytes(cut)
    feed = ArchiveFeed(packed)
    found, [error], position = drain(feed)
    if packed.suffix == ".gz":
        readable = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(cut).count(b"\n")
    else:
        readable = (
            bz2.BZ2Decompressor().decompress(cut).count(b"killmails/") - 1
        )  # the last one's end is missing
    assert readable > 50
    assert found == list(range(1, readable + 1))
    assert "\n" not in error
    assert error.startswith(f"the archive {packed} is cut off or damaged after record {readable} ")
    assert "fetch it again" in error
    packed.write_bytes(whole)
    rest, errors, _ = drain(feed, position)
    assert (found + rest, errors) == (list(range(1, 501)), [])


def test_a_cut_stops_the_plain_reader_after_what_could_be_read(packed: Path) -> None:
    whole = packed.read_bytes()
    packed.write_bytes(whole[: len(whole) * 3 // 4])
    read: list[Killmail | Rejected] = []
    with pytest.raises(FeedError, match="is cut off or damaged after record"):
        read.extend(read_archive(packed))
    assert ids(read) == list(range(1, len(read) + 1))


def test_damage_in_the_middle_is_told(packed: Path) -> None:
    whole = bytearray(packed.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 50] = bytes(50)
    packed.write_bytes(whole)
    found, [error], _ = drain(ArchiveFeed(packed))
    assert "is cut off or damaged after record" in error
    assert found[:50] == list(range(1, 51))


def test_nothing_is_read_past_a_cut(tmp_path: Path) -> None:
    write_gzip(tmp_path / "a.jsonl.gz", numbered(1, 2))
    whole = (tmp_path / "a.jsonl.gz").read_bytes()
    (tmp_path / "a.jsonl.gz").write_bytes(whole[:-8])
    write_lines(tmp_path / "b.jsonl", numbered(3))
    found, [error], position = drain(ArchiveFeed(tmp_path))
    assert (found, position) == ([1, 2], {"file": "a.jsonl.gz", "record": 2})
    assert "a.jsonl.gz" in error


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("k.jsonl.gz", b'{"killmail_id": 1}', "is not gzip, as its name says"),
        ("k.jsonl.gz", b"", "is not gzip, as its name says"),
        ("k.tar.bz2", b"\x1f\x8b\x08", "is not bzip2, as its name says"),
        ("k.zip", b"PK", "is of an unknown format: it must be named *.jsonl"),
        ("k.csv.gz", b"\x1f\x8b\x08", "is of an unknown format"),
    ],
)
def test_a_file_that_is_no_archive_is_refused_at_once(
    tmp_path: Path, name: str, content: bytes, complaint: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    for opening in (ArchiveFeed, read_archive):
        with pytest.raises(FeedError) as caught:
            opening(path)
        assert complaint in str(caught.value)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_an_archive_that_is_missing_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="; name a file or folder that exists"):
        ArchiveFeed(tmp_path / "k.jsonl")
    with pytest.raises(FeedError, match=": expected files named"):
        ArchiveFeed(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_archive_that_must_not_be_read_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "k.jsonl"
    path.write_text("")
    path.chmod(0)
    with pytest.raises(FeedError, match="cannot be opened"):
        ArchiveFeed(path)


def test_an_archive_without_killmails_is_drained_at_once(tmp_path: Path) -> None:
    (tmp_path / "k.jsonl").write_text("")
    assert drain(ArchiveFeed(tmp_path)) == ([], [], {"file": "", "record": 0})


def test_each_archive_has_a_cursor_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)
    assert ArchiveFeed("a.jsonl").name == ArchiveFeed(tmp_path / "a.jsonl").name
    assert ArchiveFeed("b.jsonl").name != ArchiveFeed("a.jsonl").name
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.jsonl").write_text("")
    assert ArchiveFeed("elsewhere/a.jsonl").name != ArchiveFeed("a.jsonl").name
    assert str(tmp_path) not in ArchiveFeed("a.jsonl").name  # it is public


def test_a_position_of_another_feed_is_refused(archive: Path) -> None:
    with pytest.raises(FeedError, match="cannot be read"):
        ArchiveFeed(archive).poll({"record": "many"}, 60)


def test_speed_lets_killmail_time_pass(tmp_path: Path) -> None:
    path = tmp_path / "k.jsonl"
    seconds = [0, 10, 10, 5, 130]
    write_lines(
        path, [archive_line(esi_killmail(n, at=KILL_TIME + at)) for n, at in enumerate(seconds, start=1)]
    )
    time = FakeClock()
    began = time.now
    feed = ArchiveFeed(path, speed=10, clock=time.clock)
    position: Position | None = None
    came: dict[int, float] = {}
    drained = False
    while not drained:
        batch = feed.poll(position, 60)
        came.update((killmail.killmail_id, time.now - began) for killmail in batch.killmails)
        position, drained = json.loads(json.dumps(batch.position)), batch.drained
        time.now += batch.wait_s
    assert came == pytest.approx({1: 0, 2: 1, 3: 1, 4: 1, 5: 13}, abs=0.01)


def test_speed_starts_at_the_first_killmail_read(tmp_path: Path) -> None:
    path = tmp_path / "k.jsonl"
    write_lines(path, [archive_line(esi_killmail(n, at=KILL_TIME + 3600 * n)) for n in (1, 2, 3)])
    time = FakeClock()
    batch = ArchiveFeed(path, speed=60, clock=time.clock).poll({"file": "k.jsonl", "record": 1}, 60)
    assert ids(batch.killmails) == [2]
    assert batch.wait_s == pytest.approx(60)


@pytest.mark.real_days
def test_a_real_day_is_the_same_in_both_formats(real_data: Path) -> None:
    lines = list(read_archive(real_data / "killmails-2021-12-01.jsonl.gz"))
    members = list(read_archive(real_data / "everef-killmails-2021-12-01.tar.bz2"))
    assert len(lines) == 10_671
    assert lines == members


@pytest.mark.real_days
def test_odd_real_killmails_are_all_read(real_data: Path) -> None:
    read = list(read_archive(real_data / "killmails-edge.jsonl"))
    assert len(read) == 53
    assert all(isinstance(item, Killmail) for item in read)
