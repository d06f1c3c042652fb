"""What a search found."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from api.models.common import Named, shape

Category = Literal["alliance", "corporation", "character", "system", "ship_type"]


class Found(Named):
    """Something with a name like what was searched."""

    category: Annotated[Category, Field(description="What it is.")]
    battles: Annotated[
        int,
        Field(
            description="How active it is, in battles (of a character: its ships in them), counted up to 1,000; 0 for "
            "ship types.",
            examples=[812],
        ),
    ]


class SearchResult(TypedDict):
    """What a search found."""

    items: Annotated[list[Found], Field(description="The likeliest first.")]


SEARCH = shape(SearchResult)
