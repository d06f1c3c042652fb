"""Days and their spelling; R2Z2's raw days cut into killmails."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battlescope.errors import FeedError
from ingest.feeds.archive_file import Record
from ingest.history import raw_day
from ingest.history.days import Span, read_part, read_totals
from ingest.history.r2z2 import read_listing
from ingest.history.raw_day import raw_records
from tests.support.history_files import raw_day as written
from tests.support.payloads import esi_killmail


def test_a_span_has_both_its_ends() -> None:
    assert list(Span.parse("2021-11-30..2021-12-01").days()) == [date(2021, 11, 30), date(2021, 12, 1)]
    assert list(Span.parse("2021-11-30").days()) == [date(2021, 11, 30)]


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2021-13-01", "2021-11-30..", "2021-12-01..2021-11-30", "2021-11-31", "20211130"],
)
def test_what_is_no_span_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="it was"):
        Span.parse(text)


@given(days=st.integers(1, 7000), data=st.data())
def test_parts_of_a_span_have_each_day_once(days: int, data: st.DataObject) -> None:
    first = date(2007, 12, 5)
    span = Span(first, first + timedelta(days=days - 1))
    parts = data.draw(st.integers(1, min(days, 300)))
    divided = [list(span.part(number, parts).days()) for number in range(parts)]
    assert [day for part in divided for day in part] == list(span.days())
    assert max(map(len, divided)) - min(map(len, divided)) <= 1


def test_a_part_is_given_by_number_and_how_many() -> None:
    assert read_part("23/24") == (23, 24)
    for wrong in ("", "3", "3/", "-1/2", "1/2/3", "a/b"):
        with pytest.raises(ValueError, match="from 0/24 to 23/24; it was"):
            read_part(wrong)


@pytest.mark.parametrize(
    ("number", "parts", "said"),
    [
        (2, 2, "of 2 parts there is no part 2: they are counted from 0"),
        (0, 0, "of 0 parts there is no part 0"),
        (0, 3, "2 days cannot be divided into 3 parts"),
    ],
)
def test_a_part_that_is_not_there_is_told(number: int, parts: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Span.parse("2021-11-30..2021-12-01").part(number, parts)


def test_totals_by_day() -> None:
    assert read_totals(b'{"20211130": 5}', "x") == {date(2021, 11, 30): 5}
    for wrong in (b"<html>", b"[]", b'{"20211131": 5}', b'{"20211130": "many"}'):
        with pytest.raises(FeedError, match="here does not hold killmails by day"):
            read_totals(wrong, "here")


def test_a_listing_of_hashes() -> None:
    assert read_listing(b'{"7": "%s"}' % (b"a" * 40), "x") == {7: "a" * 40}
    assert read_listing(b"[]", "x") == {}  # PHP's empty object
    for wrong in (b"<html>", b"[1]", b'{"7": "short"}', b'{"seven": "%s"}' % (b"a" * 40)):
        with pytest.raises(FeedError, match="here does not hold hashes"):
            read_listing(wrong, "here")


def cut(path: Path, body: bytes) -> list[Record]:
    path.write_bytes(body)
    return list(raw_records(path))


@pytest.mark.parametrize("chunk_bytes", [1, 7, 64, 1024 * 1024])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_raw_day_is_cut_at_its_killmails_wherever_its_chunks_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int, indent: int | None
) -> None:
    monkeypatch.setattr(raw_day, "CHUNK_BYTES", chunk_bytes)
    killmails = {str(number): esi_killmail(number, attackers=3) for number in (5, 77, 123_456_789)}
    records = cut(tmp_path / "20211130.json", json.dumps(killmails, indent=indent).encode())
    assert [record.killmail_id for record in records] == [5, 77, 123_456_789]
    assert [json.loads(record.body) for record in records] == list(killmails.values())


@given(text=st.text(max_size=30))
def test_no_text_inside_a_killmail_is_taken_for_a_key(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    killmails = {"1": {"name": text, "names": [text, '},"7":{']}, "2": {}}
    body = json.dumps(killmails, ensure_ascii=False).encode(errors="replace")
    records = cut(tmp_path_factory.getbasetemp() / "day.json", body)
    assert [record.killmail_id for record in records] == [1, 2]


@pytest.mark.parametrize("body", [b"{}", b"[]", b" { } "])
def test_an_empty_day(tmp_path: Path, body: bytes) -> None:
    assert cut(tmp_path / "20211130.json", body.replace(b" ", b"")) == []


def test_a_killmail_that_is_no_json_costs_only_itself(tmp_path: Path) -> None:
    body = written([esi_killmail(1), esi_killmail(2), esi_killmail(3)])
    body = body.replace(json.dumps(esi_killmail(2)).encode(), b'{"attackers": [}')
    records = cut(tmp_path / "20211130.json", body)
    assert [record.killmail_id for record in records] == [1, 2, 3]
    assert records[1].body.strip() == b'{"attackers": [}'


def test_wherever_a_day_is_cut_off_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "20211130.json"
    body = written([esi_killmail(1), esi_killmail(2)])
    for length in range(len(body)):
        path.write_bytes(body[:length])
        read: list[int | None] = []
        with pytest.raises(FeedError, match=r"20211130\.json"):
            read.extend(record.killmail_id for record in raw_records(path))
        assert read in ([], [1])


def test_a_page_is_no_day(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="holds no killmails by id"):
        cut(tmp_path / "20211130.json", b"<html>Please log in</html>")
