"""Ten thousand mutants of killmails and messages: each is what it said, or is refused with a reason that names where."""

import base64
import bz2
import gzip
import json
import re
import zlib
from collections import Counter
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battlescope.errors import FeedError, KillmailError, MessageError
from battlescope.killmail import Killmail
from battlescope.message import pack, unpack
from battlescope_local.new_eden import START, hours
from ingest.feeds import Rejected
from ingest.feeds.archive import read_archive
from ingest.feeds.upload import read_upload
from ingest.history.days import read_totals
from ingest.history.r2z2 import read_listing
from ingest.history.reading import read_day
from ingest.history.source import DayFile, Validators
from ingest.payload import parse_killmail
from tests.support.history_files import raw_day, tar_bz2
from tests.support.killmails import DAYS
from tests.support.mutations import ODD_VALUES, mutant_of, mutated, replaced, scrambled, spelt
from tests.support.payloads import Json, archive_line, esi_killmail, killmail_hash, r2z2_file
from tests.support.said import document_of, said_by_killmail, said_by_row, value_said

A_FIELD = re.compile(
    r"(?:killmail|killmail_id|killmail_hash|killmail_time|solar_system_id|victim|attackers|hash|totalValue"
    r"|esi|zkb|uploaded_at|file|no JSON|no file of R2Z2|not JSON|not a killmail|longer than)\b"
)
"""How a reason begins: with the field, or with what the whole is instead."""

A_PART = re.compile(
    r"a message without references|not a message of references: "
    r"(?:body|v|system_id|killmails|deflated|\d+|[^ ]*: Extra inputs)"
)
"""The same for messages."""

NO_PRICES: dict[int, int] = {}
PRICES = {587: 30_000_000, 670: 1, 1405: 100_000, 11129: 5_000_000}
NOW = START + 30 * 86_400


@cache
def uploads() -> tuple[Json, ...]:
    """Files as R2Z2 serves them: of the simulated New Eden, and one by hand with items and everything else."""
    some = islice((one for hour in hours(3, START // 3600) for one in hour), 60)
    by_hand = r2z2_file(
        esi_killmail(134398778, attackers=3), sequence=7, uploaded_at=START, sequence_updated=3
    )
    return (*(one for one in some if len(one["esi"]["attackers"]) < 30), by_hand)


@cache
def messages() -> tuple[str, ...]:
    """Bodies of our queue, plain and deflated."""
    killmails = [item for one in uploads() if isinstance(item := read_upload(spelt(one)).item, Killmail)]
    plain = [body for killmail in killmails for _, body in pack([killmail])]
    rows = json.loads(plain[0])
    packed = base64.b64encode(zlib.compress(json.dumps(rows["killmails"]).encode())).decode()
    return (*plain[:20], json.dumps({"v": 1, "system_id": rows["system_id"], "deflated": packed}))


def _refused(became: str, reason: re.Pattern[str], error: Exception) -> str:
    assert reason.match(str(error)), str(error)
    return became


def judge_upload(text: bytes) -> str:
    """What became of a file of R2Z2; fails where it was neither read rightly nor refused with a reason."""
    try:
        item = read_upload(text).item
    except KillmailError as error:
        return _refused("no file", A_FIELD, error)
    if isinstance(item, Rejected):
        judge_rejected(item)
        return "rejected"
    document = document_of(text)
    said_by_killmail(item, document["esi"])
    value_said(item, document.get("zkb"), document.get("uploaded_at"))
    told = (
        document.get("hash"),
        (document.get("zkb") or {}).get("hash"),
        document["esi"].get("killmail_hash"),
    )
    assert item.killmail_hash == next(filter(None, told))
    assert document.get("killmail_id") in {None, item.killmail_id}
    judge_on_its_way(item)
    return "accepted"


def judge_rejected(rejected: Rejected) -> None:
    """It can be kept: a reason that names the field, and a text that PostgreSQL takes."""
    assert A_FIELD.match(rejected.reason.rpartition(".json: ")[2] or rejected.reason), rejected.reason
    for text in (rejected.reason, rejected.raw):
        assert "\0" not in text
        text.encode()
    assert rejected.killmail_id is None or 0 < rejected.killmail_id < 2**63


def judge_on_its_way(killmail: Killmail) -> None:
    """What was accepted goes through the queue unchanged."""
    [(_, body)] = pack([killmail])
    assert unpack(body).killmails == (killmail,)


def judge_message(text: str) -> str:
    """What became of a message; as for `judge_upload`."""
    try:
        message = unpack(text)
    except MessageError as error:
        return _refused("rejected", A_PART, error)
    document = json.loads(text)
    assert message.system_id == document["system_id"]
    rows = document.get("killmails")
    if rows is None:
        rows = json.loads(zlib.decompress(base64.b64decode(document["deflated"])))
    assert len(rows) == len(message.killmails)
    for killmail, row in zip(message.killmails, rows, strict=True):
        assert killmail.solar_system_id == document["system_id"]
        said_by_row(killmail, row)
    assert [one for _, body in pack(message.killmails) for one in unpack(body).killmails] == list(
        message.killmails
    )
    return "accepted"


@settings(max_examples=1000, deadline=None)
@given(which=st.integers(0, 999), place=st.integers(0, 999), value=st.sampled_from(ODD_VALUES))
def test_a_file_with_something_odd_in_any_place(which: int, place: int, value: object) -> None:
    document = uploads()[which % len(uploads())]
    judge_upload(spelt(replaced(document, place, value)))


@settings(max_examples=1000, deadline=None)
@given(which=st.integers(0, 999), place=st.integers(0, 999), value=st.sampled_from(ODD_VALUES))
def test_a_message_with_something_odd_in_any_place(which: int, place: int, value: object) -> None:
    body = messages()[which % len(messages())]
    judge_message(spelt(replaced(json.loads(body), place, value)).decode())


@pytest.mark.parametrize("seed", range(4))
def test_files_that_were_changed_in_their_structure_and_in_their_bytes(seed: int) -> None:
    chance = Random(seed)
    became: Counter[str] = Counter()
    for number in range(1000):
        document = chance.choice(uploads())
        became[judge_upload(spelt(mutated(document, chance)))] += 1
        became[judge_upload(scrambled(spelt(document), chance))] += 1
        assert became.total() == 2 * (number + 1)
    assert min(became["accepted"], became["rejected"], became["no file"]) > 50, became


@pytest.mark.parametrize("seed", range(2))
def test_messages_that_were_changed_in_their_structure_and_in_their_bytes(seed: int) -> None:
    chance = Random(seed)
    became: Counter[str] = Counter()
    for _ in range(1000):
        body = chance.choice(messages())
        became[judge_message(spelt(mutated(json.loads(body), chance)).decode())] += 1
        became[judge_message(scrambled(body.encode(), chance).decode(errors="replace"))] += 1
    assert min(became["accepted"], became["rejected"]) > 50, became


def test_an_archive_of_mutants_is_read_to_its_end(tmp_path: Path) -> None:
    chance = Random(1)
    lines = [
        re.sub(rb"[\r\n]", b" ", mutant_of(archive_line(chance.choice(uploads())["esi"]), chance)).strip()
        or b"?"
        for _ in range(1500)
    ]
    archive = tmp_path / "mutants.jsonl"
    archive.write_bytes(b"\n".join(lines))

    read = list(read_archive(archive))

    assert len(read) == len(lines)
    assert {type(item) for item in read} == {Killmail, Rejected}
    for number, (item, line) in enumerate(zip(read, lines, strict=True), start=1):
        if isinstance(item, Rejected):
            assert item.reason.startswith(f"mutants.jsonl, line {number}: ")
            assert A_FIELD.match(item.reason.partition(": ")[2]), item.reason
        else:
            said_by_killmail(item, document_of(line).get("esi") or document_of(line))


def test_a_day_of_mutants_costs_only_them(tmp_path: Path) -> None:
    chance = Random(2)
    good = {number for number in range(1, 501) if chance.random() < 0.3}
    members: dict[str, Json | bytes] = {}
    for number in range(1, 501):
        killmail = archive_line(esi_killmail(number, at=START))
        members[f"killmails/{number}.json"] = killmail if number in good else mutant_of(killmail, chance)
    path = tmp_path / "killmails-2026-01-10.tar.bz2"
    path.write_bytes(tar_bz2(members))

    contents = read_day(DayFile(path=path, name=path.name, validators=Validators()), PRICES, NOW)

    assert contents.error is None
    assert good <= {killmail.killmail_id for killmail in contents.killmails}
    empty = sum(isinstance(body, bytes) and not body.strip() for body in members.values())
    assert len(contents.killmails) + len(contents.rejected) == len(members) - empty
    for rejected in contents.rejected:
        assert rejected.reason.startswith(f"{path.name}, killmails/")
    for read in contents.killmails:
        assert read.isk_value is None or type(read.isk_value) is int


def test_a_raw_day_whose_bytes_changed_anywhere_ends_with_killmails_or_an_error(tmp_path: Path) -> None:
    chance = Random(3)
    killmails = [esi_killmail(number, at=START) for number in range(1, 8)]
    path = tmp_path / "20260110.json"
    hashes = {one["killmail_id"]: killmail_hash(one["killmail_id"]) for one in killmails}
    file = DayFile(path=path, name="raw/20260110.json", validators=Validators(), hashes=hashes)
    for _ in range(500):
        path.write_bytes(scrambled(raw_day(killmails), chance))
        contents = read_day(file, PRICES, NOW)
        assert contents.error or contents.killmails or contents.rejected
        for read in contents.killmails:
            assert read.killmail_hash == hashes[read.killmail_id]


def test_an_archive_whose_bytes_changed_anywhere_ends_with_killmails_or_an_error(tmp_path: Path) -> None:
    chance = Random(4)
    whole = tar_bz2({f"killmails/{n}.json": archive_line(esi_killmail(n, at=START)) for n in range(1, 5)})
    path = tmp_path / "killmails-2026-01-10.tar.bz2"
    for _ in range(300):
        path.write_bytes(scrambled(whole, chance))
        contents = read_day(DayFile(path=path, name=path.name, validators=Validators()), NO_PRICES, NOW)
        assert contents.error or contents.killmails or contents.rejected


def test_listings_and_totals_are_read_or_refused_by_name() -> None:
    chance = Random(5)
    listing = {str(number): killmail_hash(number) for number in range(1, 9)}
    totals = {"20260110": 11, "20260111": 12}
    for _ in range(500):
        for text in (spelt(mutated(listing, chance)), scrambled(spelt(listing), chance)):
            try:
                hashes = read_listing(text, "here")
            except FeedError as error:
                _refused("refused", re.compile("here does not hold hashes"), error)
            else:
                assert all(0 < one < 2**53 and len(hash_) == 40 for one, hash_ in hashes.items())
        for text in (spelt(mutated(totals, chance)), scrambled(spelt(totals), chance)):
            try:
                days = read_totals(text, "here")
            except FeedError as error:
                _refused("refused", re.compile("here does not hold killmails by day"), error)
            else:
                assert all(0 <= count < 2**31 for count in days.values())


def test_keys_that_are_there_twice_count_as_their_last() -> None:
    text = spelt(archive_line(esi_killmail(7)))
    twice = text.replace(b'"killmail_id":7', b'"killmail_id":"x","killmail_id":7')
    assert parse_killmail(twice) == parse_killmail(text)
    with pytest.raises(KillmailError, match="killmail_id: "):
        parse_killmail(text.replace(b'"killmail_id":7', b'"killmail_id":7,"killmail_id":"x"'))


@pytest.mark.parametrize("value", ["1", True, "NaN"])
def test_a_value_that_is_no_number_is_none(value: object) -> None:
    with pytest.raises(KillmailError, match=r"^totalValue: "):
        parse_killmail(archive_line(esi_killmail(7)), zkb={"totalValue": value})


@pytest.mark.parametrize(
    "time", [1_774_948_991, 1_774_948_991_000, "1774948991", "1774948991.5", "+1774948991"]
)
def test_a_time_that_is_a_number_is_none(time: object) -> None:
    with pytest.raises(KillmailError, match=r"^killmail_time: must be a time as ISO 8601"):
        parse_killmail({**archive_line(esi_killmail(7)), "killmail_time": time})


def test_a_time_beyond_the_last_year_is_refused() -> None:
    with pytest.raises(KillmailError, match=r"^killmail_time: "):
        parse_killmail({**archive_line(esi_killmail(7)), "killmail_time": "9999-12-31T23:59:59-12:00"})


def changed(path: tuple[int, ...], value: object) -> str:
    """A message in which one number of its reference is another."""
    document = json.loads(messages()[0])
    row: Any = document["killmails"][0]
    for step in path[:-1]:
        row = row[step]
    row[path[-1]] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((0,), 2**53),
        ((0,), "7"),
        ((0,), 7.0),
        ((0,), True),
        ((2,), 1_052_179_199),
        ((2,), 253_402_300_800),
        ((3, 0), -1),
        ((3, 0), 2**53),
        ((3, 3), 2**31),
        ((4, 0, 1), 2**63),
        ((4, 0, 3), 2**31),
        ((4, 0, 4), 2**31),
        ((4, 0, 4), -1),
        ((4, 0, 5), 1),
        ((5,), 10**14 + 1),
        ((5,), 1.0),
        ((6,), 2**40),
    ],
)
def test_a_message_holds_nothing_that_the_database_has_no_room_for(
    path: tuple[int, ...], value: object
) -> None:
    where = ".".join(map(str, path))
    with pytest.raises(MessageError, match=rf": killmails\.0\.{where}: "):
        unpack(changed(path, value))


def test_a_message_of_a_system_that_cannot_be_is_refused() -> None:
    with pytest.raises(MessageError, match="system_id: "):
        unpack(json.dumps({**json.loads(messages()[0]), "system_id": 2**31}))


def test_a_message_says_its_references_once() -> None:
    plain, deflated = json.loads(messages()[0]), json.loads(messages()[-1])
    with pytest.raises(MessageError, match="killmails: are there twice"):
        unpack(json.dumps({**plain, **deflated}))


def test_a_deflated_body_that_is_cut_off_or_goes_on_is_refused() -> None:
    document = json.loads(messages()[-1])
    packed = base64.b64decode(document["deflated"])
    for wrong in (packed[:-1], packed[:-4], packed + b"x"):
        with pytest.raises(MessageError, match="deflated: is cut off"):
            unpack(json.dumps({**document, "deflated": base64.b64encode(wrong).decode()}))


def test_attackers_of_a_message_are_in_the_one_order_there_is() -> None:
    document = json.loads(messages()[0])
    row = document["killmails"][0]
    row[4] = [[90_000_001, 98_000_001, 0, 587, damage, False] for damage in (5, 9, 7)]
    assert [one.damage_done for one in unpack(json.dumps(document)).killmails[0].attackers] == [9, 7, 5]


@pytest.mark.parametrize(
    "quantity", ["1", 1.5, -1, True, [1], 10**40, float("nan"), float("inf"), {"quantity": 1}]
)
@pytest.mark.parametrize("field", ["quantity_destroyed", "quantity_dropped"])
def test_a_quantity_that_is_no_number_of_things_costs_its_killmail_only(
    tmp_path: Path, quantity: object, field: str
) -> None:
    odd = archive_line(esi_killmail(1, at=START))
    odd["victim"]["items"][0][field] = quantity
    path = tmp_path / "killmails-2026-01-10.tar.bz2"
    path.write_bytes(
        tar_bz2({"killmails/1.json": odd, "killmails/2.json": archive_line(esi_killmail(2, at=START))})
    )

    contents = read_day(DayFile(path=path, name=path.name, validators=Validators()), PRICES, NOW)

    assert [killmail.killmail_id for killmail in contents.killmails] == [2]
    assert f"victim.items.{field}: must be a whole number" in contents.rejected[0].reason


def test_a_tar_header_with_a_size_below_nothing_leads_nowhere(tmp_path: Path) -> None:
    header = bytearray(512)
    header[:15], header[124:136], header[156:157] = b"killmails/1.json"[:15], b"-00000002000", b"0"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path = tmp_path / "killmails-2026-01-10.tar.bz2"
    path.write_bytes(bz2.compress(bytes(header) * 8))

    with pytest.raises(FeedError, match="no tar header where one must be"):
        list(islice(read_archive(path), 100))


@pytest.mark.real_days
@pytest.mark.parametrize("day", DAYS)
def test_mutants_of_real_killmails(real_data: Path, day: str) -> None:
    chance = Random(day)
    with gzip.open(real_data / f"killmails-{day}.jsonl.gz") as lines:
        real = list(islice(lines, 1500))
    for line in real:
        killmail = json.loads(line)
        file = {"killmail_id": killmail["killmail_id"], "esi": killmail, "zkb": {"totalValue": 5.5}}
        judge_upload(spelt(mutated(file, chance)))
        judge_upload(scrambled(spelt(file), chance))
