"""The border to the database: a stored position, parsed into what a feed works with."""

from pydantic import BaseModel, ValidationError

from battlescope.errors import PositionError
from ingest.feeds import Position


def load_position[P: BaseModel](model: type[P], position: Position | None, feed: str) -> P:
    """A feed's position; None is a position before everything.

    Raises:
        PositionError: it is no position of this feed.
    """
    try:
        return model.model_validate(position or {})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise PositionError(
            f"the stored position of {feed} cannot be read ({where}: {first['msg']}): "
            "delete the feed's row in feed_cursors to start anew"
        ) from None
