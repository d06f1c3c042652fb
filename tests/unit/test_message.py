"""The queue's contract: what is packed is unpacked, and nothing else is."""

import base64
import json
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battlescope.errors import KillmailError, MessageError
from battlescope.killmail import (
    EVE_LAUNCH_S,
    YEAR_10000_S,
    Attacker,
    Killmail,
    Pilot,
    canonical_attackers,
)
from battlescope.message import INFLATED_BYTES_MAX, MESSAGE_BYTES_MAX, fits, pack, unpack

IDS = st.integers(0, 2**53 - 1)
TYPES = st.integers(0, 2**31 - 1)

killmails = st.builds(
    Killmail,
    killmail_id=st.integers(1, 2**53 - 1),
    killmail_hash=st.text("0123456789abcdef", min_size=40, max_size=40),
    killmail_time=st.integers(EVE_LAUNCH_S, YEAR_10000_S - 1),
    solar_system_id=st.sampled_from([30_002_813, 31_000_005, 2**31 - 1]),
    victim=st.builds(Pilot, IDS, IDS, IDS, TYPES),
    attackers=st.lists(
        st.builds(Attacker, IDS, IDS, IDS, TYPES, TYPES, st.booleans()), min_size=1, max_size=5
    ).map(canonical_attackers),
    isk_value=st.none() | st.integers(0, 10**14),
    valued_at=st.integers(0, 2**40 - 1),
)


def with_attackers(
    count: int, *, killmail_id: int = 1, seed: int = 1, system_id: int = 30_002_813
) -> Killmail:
    """A killmail with the entropy of a real one: any pilots, of some corporations, in some kinds of ships."""
    chance = random.Random(seed)
    corporations = [chance.randrange(98_000_000, 98_900_000) for _ in range(1000)]
    ships = [chance.randrange(500, 90_000) for _ in range(200)]
    return Killmail(
        killmail_id=killmail_id,
        killmail_hash="ab" * 20,
        killmail_time=1_640_000_000,
        solar_system_id=system_id,
        victim=Pilot(90_000_001, 98_000_001, 99_000_001, 587),
        attackers=canonical_attackers(
            Attacker(
                chance.randrange(90_000_000, 2_130_000_000),
                corporation := chance.choice(corporations),
                99_000_000 + corporation % 20_000,
                chance.choice(ships),
                chance.randrange(100_000),
                number == 0,
            )
            for number in range(count)
        ),
        isk_value=10**9,
        valued_at=1_640_000_100,
    )


@settings(deadline=None)
@given(st.lists(killmails, max_size=8))
def test_what_is_packed_is_unpacked(packed: list[Killmail]) -> None:
    messages = [unpack(body) for _, body in pack(packed)]
    assert [system_id for system_id, _ in pack(packed)] == [message.system_id for message in messages]
    for system_id in {killmail.solar_system_id for killmail in packed}:
        assert [k for m in messages if m.system_id == system_id for k in m.killmails] == [
            k for k in packed if k.solar_system_id == system_id
        ]


def test_a_message_is_of_one_system() -> None:
    packed = [with_attackers(1, killmail_id=n, system_id=30_000_000 + n % 3) for n in range(1, 10)]
    messages = [unpack(body) for _, body in pack(packed)]
    assert [len(message.killmails) for message in messages] == [3, 3, 3]
    assert all({k.solar_system_id for k in m.killmails} == {m.system_id} for m in messages)


def test_bodies_are_ascii_json_within_the_limit_and_keep_their_order() -> None:
    packed = [with_attackers(n % 40 * 20 + 1, killmail_id=n, seed=n) for n in range(1, 200)]
    bodies = [body for _, body in pack(packed)]
    assert len(bodies) > 1
    assert all(body.isascii() and len(body) <= MESSAGE_BYTES_MAX for body in bodies)
    assert [k for body in bodies for k in unpack(body).killmails] == packed


def test_messages_are_filled_to_the_limit_not_beyond() -> None:
    packed = [with_attackers(100, killmail_id=n, seed=n) for n in range(1, 100)]
    first, second = pack(packed)[0][1], pack(packed)[1][1]
    next_row = json.dumps(json.loads(second)["killmails"][0], separators=(",", ":"))
    assert len(first) <= MESSAGE_BYTES_MAX < len(first) + len(next_row) + 1


def test_a_killmail_of_ten_thousand_attackers_travels_deflated() -> None:
    large = with_attackers(10_000)
    [(system_id, body)] = pack([large])
    assert "deflated" in json.loads(body)
    assert len(body) <= MESSAGE_BYTES_MAX
    assert unpack(body).killmails == (large,)
    assert system_id == large.solar_system_id
    assert fits(large)


def test_a_large_killmail_among_small_ones_keeps_its_neighbours() -> None:
    packed = [
        with_attackers(1, killmail_id=1),
        with_attackers(10_000, killmail_id=2),
        with_attackers(1, killmail_id=3),
    ]
    assert sorted(k.killmail_id for _, body in pack(packed) for k in unpack(body).killmails) == [1, 2, 3]


def test_a_killmail_too_large_even_deflated_is_an_error_that_says_so() -> None:
    huge = with_attackers(20_000)
    assert not fits(huge)
    with pytest.raises(
        KillmailError, match=f"killmail 1 takes [0-9]+ bytes in a message, of which {MESSAGE_BYTES_MAX}"
    ):
        pack([huge])


def test_nothing_packs_into_nothing() -> None:
    assert pack([]) == []


def body(**changes: object) -> str:
    document = json.loads(pack([with_attackers(2)])[0][1])
    return json.dumps({**document, **changes})


ROW = json.loads(pack([with_attackers(2)])[0][1])["killmails"][0]


def deflated(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "body: "),
        ("hello", "body: "),
        ("[]", "body: "),
        ("{}", "v: "),
        (body(v=2), "v: "),
        (body(system_id=0), "system_id: "),
        (body(system_id=None), "system_id: "),
        (body(extra=1), "extra: "),
        (body(killmails=[]), "without references"),
        (body(killmails=None), "without references"),
        (body(killmails=[ROW[:-1]]), "killmails.0.6: "),
        (body(killmails=[[*ROW, 1]]), "killmails.0: "),
        (body(killmails=[["x", *ROW[1:]]]), "killmails.0.0: "),
        (body(killmails=None, deflated="not base64!"), "not a message of references"),
        (
            body(killmails=None, deflated=base64.b64encode(b"not deflated").decode()),
            "not a message of references",
        ),
        (body(killmails=None, deflated=deflated(b"{}")), "not a message of references"),
        (body(killmails=None, deflated=deflated(b"[]")), "without references"),
        (body(killmails=None, deflated=deflated(b"0" * (INFLATED_BYTES_MAX + 1))), "inflates beyond"),
    ],
)
def test_a_foreign_body_is_an_error_that_names_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(MessageError) as caught:
        unpack(text)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(deadline=None)
@given(
    st.text()
    | st.recursive(
        st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    ).map(json.dumps)
)
def test_no_text_at_all_raises_anything_else(text: str) -> None:
    with pytest.raises(MessageError):
        unpack(text)


def test_a_body_cut_off_anywhere_is_an_error() -> None:
    whole = body()
    for length in range(0, len(whole), 7):
        with pytest.raises(MessageError):
            unpack(whole[:length])
