"""Uses the generated client as a program would; prints what it was told as JSON."""

import json
import sys

from generated import Client
from generated.api.battles import get_battle, list_battle_killmails, list_battles
from generated.models import BattleDetail, BattleList, KillmailList, Problem
from generated.types import UNSET, Unset


def main() -> None:
    client = Client(base_url=sys.argv[1])
    battles = []
    pages = 0
    cursor: str | Unset | None = UNSET
    while cursor is not None:
        page = list_battles.sync(client=client, limit=5, min_kills=3, cursor=cursor)
        assert isinstance(page, BattleList)
        battles += page.items
        cursor = page.next_
        pages += 1

    battle = get_battle.sync(battles[0].id, client=client)
    killmails = list_battle_killmails.sync(battles[0].id, client=client)
    assert isinstance(battle, BattleDetail)
    assert isinstance(killmails, KillmailList)

    problem = list_battles.sync(client=client, limit=1000)
    assert isinstance(problem, Problem)

    print(
        json.dumps(
            {
                "battles": [[str(each.id), each.system.name, each.total_isk_destroyed] for each in battles],
                "pages": pages,
                "killmails": [each.killmail_id for each in killmails.items],
                "sides": [[side.side_id, side.pilots] for side in battle.sides],
                "problem": [problem.status, problem.type_, problem.errors[0].parameter],
            }
        )
    )


main()
