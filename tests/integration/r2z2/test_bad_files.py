"""Files that cannot be read, and killmails that are none."""

import json

import pytest

from tests.integration.r2z2.polling import Poller, caught_up, file, gaps
from tests.support.answers import BROKEN_JSON, CUT_OFF, PAGE, Answer
from tests.support.feeds_server import FeedsServer
from tests.support.payloads import esi_killmail


@pytest.mark.parametrize("lag", [0, 51])
@pytest.mark.parametrize(
    ("answer", "reason"), [(BROKEN_JSON, "no JSON"), (CUT_OFF, "cut off"), (PAGE, "no JSON")]
)
def test_a_file_that_cannot_be_read_is_rejected_after_three_more_tries(
    poller: Poller, server: FeedsServer, answer: Answer, reason: str, lag: int
) -> None:
    server.lag = lag
    poller.lookback -= lag
    at_fault = server.newest - 5
    server.always(file(at_fault), answer)
    poller.run(8)
    assert poller.ids == [10, 11, 12, 13, 14, 16, 17, 18, 19, 20]
    assert poller.rejected == []
    poller.run(60)
    [rejected] = poller.rejected
    assert rejected.reason == f"sequence {at_fault}: the file is {reason}"
    assert rejected.raw
    assert len(server.asked(file(at_fault))) == 4
    assert min(gaps(server, at_fault)) > 5.999
    assert poller.holes == []


@pytest.mark.parametrize("answer", [BROKEN_JSON, CUT_OFF, PAGE])
def test_a_file_that_can_be_read_in_the_end_is_read(
    poller: Poller, server: FeedsServer, answer: Answer
) -> None:
    caught_up(poller)
    server.script(file(server.publish(esi_killmail(21))), answer, answer, answer)
    poller.run(60)
    assert (poller.ids, poller.rejected, poller.holes) == ([21], [], [])


@pytest.mark.parametrize("page", [PAGE, Answer(body=b'{"message": "down for maintenance"}')])
def test_a_page_in_place_of_every_file_eats_nothing(
    poller: Poller, server: FeedsServer, page: Answer
) -> None:
    server.always("/ephemeral/1", page)
    poller.run(120)
    server.always("/ephemeral/", page)
    poller.run(120)
    assert (poller.rejected, poller.holes) == ([], [])
    server.calm()
    poller.run(120)
    assert sorted(poller.ids) == list(range(10, 21))


def test_a_killmail_that_is_none_is_rejected_and_the_feed_goes_on(
    poller: Poller, server: FeedsServer
) -> None:
    killmail = esi_killmail(15)
    del killmail["victim"]["ship_type_id"]
    server.change(server.newest - 5, esi=killmail, note="\0 is no text for PostgreSQL")
    poller.run(1)
    assert poller.ids == [10, 11, 12, 13, 14, 16, 17, 18, 19, 20]
    [rejected] = poller.rejected
    assert rejected.killmail_id == 15
    assert rejected.reason.startswith("victim.ship_type_id: Field required")
    assert "\0" not in rejected.raw
    assert json.loads(rejected.raw)["killmail_id"] == 15


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"esi": None}, "esi"),
        ({"hash": "x"}, "hash"),
        ({"killmail_id": 16}, "killmail_id"),
        ({"uploaded_at": "soon"}, "uploaded_at"),
        ({"zkb": {"totalValue": "much"}}, "totalValue"),
    ],
)
def test_a_rejected_file_names_the_field(
    poller: Poller, server: FeedsServer, changes: dict[str, object], field: str
) -> None:
    server.change(server.newest - 5, **changes)
    poller.run(1)
    [rejected] = poller.rejected
    assert rejected.reason.startswith(f"{field}: ")
