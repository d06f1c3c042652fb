"""What answers have in common."""

from datetime import datetime
from typing import Annotated, Literal, TypedDict

from pydantic import ConfigDict, Field, TypeAdapter

UtcTime = Annotated[datetime, Field(examples=["2021-11-28T10:21:04Z"])]
"""A datetime in UTC, as `api.snapshots` has PostgreSQL send all of them."""

KillmailUrl = Annotated[
    str, Field(description="Its page on zKillboard.", examples=["https://zkillboard.com/kill/96889120/"])
]
IskValue = Annotated[
    int | None,
    Field(description="Value of the loss, in whole ISK; null while it is not known.", examples=[1_234_567]),
]
ValueSource = Annotated[
    Literal["zkb", "estimated"] | None,
    Field(
        description="Where `isk_value` is from: zKillboard, or an estimate from market prices, which a value of "
        "zKillboard's will replace; null while it is not known.",
        examples=["zkb"],
    ),
]
Next = Annotated[str | None, Field(description="`cursor` of the next page; null where this is the last.")]


class Named(TypedDict):
    """Something of EVE: its id and its name."""

    id: Annotated[int, Field(description="The id EVE gives it.", examples=[1354830081])]
    name: Annotated[
        str,
        Field(
            description="Its name; its number while the name is not known.", examples=["Goonswarm Federation"]
        ),
    ]


class System(Named):
    """A solar system."""

    region: Annotated[
        Named | None, Field(description="The region it lies in; null where the static data does not know it.")
    ]
    security: Annotated[
        float | None,
        Field(description="Security status; null where the static data does not know it.", examples=[0.29]),
    ]


def shape[Body](body: type[Body]) -> TypeAdapter[Body]:
    """What writes an answer; built when it is first used, since a cold start needs one of them."""
    body.__pydantic_config__ = ConfigDict(defer_build=True)  # type: ignore[attr-defined]
    return TypeAdapter(body)
