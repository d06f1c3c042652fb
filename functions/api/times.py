"""Times in requests: a date, or a time with its zone."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator
from pydantic.json_schema import WithJsonSchema

_HINT = "ISO 8601: a date, or a time with its zone (2021-11-28T10:00:00Z; a + in it is written %2B)"


def _moment(text: str) -> datetime | date:
    try:
        if len(text) == len("2021-11-28"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"must be {_HINT}")


def _since(text: str) -> datetime:
    moment = _moment(text)
    return moment if isinstance(moment, datetime) else datetime(*moment.timetuple()[:3], tzinfo=UTC)


def _until(text: str) -> datetime:
    moment = _moment(text)
    if isinstance(moment, datetime):
        return moment
    try:
        return _since(text) + timedelta(days=1)
    except OverflowError:
        raise ValueError(f"must be {_HINT}") from None


def _schema(*examples: str) -> WithJsonSchema:
    formats = ("date-time", "date")
    return WithJsonSchema(
        {"anyOf": [{"type": "string", "format": format_} for format_ in formats], "examples": list(examples)}
    )


Since = Annotated[datetime | None, BeforeValidator(_since), _schema("2021-11-28T18:00:00Z", "2021-11-28")]
"""From then on; a date means its first second."""

Until = Annotated[datetime | None, BeforeValidator(_until), _schema("2021-11-29T06:00:00Z", "2021-11-29")]
"""Before then; a date includes the whole day."""
