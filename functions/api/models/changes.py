"""What became of battles."""

from typing import Annotated, Literal, TypedDict
from uuid import UUID

from pydantic import Field

from api.models.battles import Battle
from api.models.common import shape


class Change(TypedDict):
    """What became of a battle."""

    kind: Annotated[
        Literal["created", "grown", "merged", "dissolved"],
        Field(
            description="`created`: new. `grown`: changed, and perhaps created since the cursor too. `merged`: `id` "
            "was replaced by `battle`. `dissolved`: `id` is no battle any more."
        ),
    ]
    id: Annotated[UUID, Field(description="What it is about: a battle's id, now or before.")]
    battle: Annotated[
        Battle | None, Field(description="The battle as it is now; null where it is none any more.")
    ]


class ChangeList(TypedDict):
    """What became of battles, in the order in which that became known."""

    items: Annotated[list[Change], Field(description="The changes; none where there is nothing new.")]
    next: Annotated[str, Field(description="`after` of the next request; the feed never ends.")]


CHANGES = shape(ChangeList)
