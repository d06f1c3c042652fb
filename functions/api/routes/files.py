"""Answers that are files: where `format` or `Accept` asks for CSV or JSON lines."""

from collections.abc import Callable

from fastapi import Request, Response

from api.answers import Written, write
from api.cursor import Page
from api.exports import EXPORTS_MAX, ExportResponse
from api.formats import NEGOTIATED, Served
from api.middleware import IS_HEAD
from api.problems import TOO_MANY_STREAMS, ProblemError
from api.routes.dependencies import context_of
from api.tables import Table, written


def file_response[Item](
    request: Request,
    table: Table[Item],
    served: Served,
    name: str,
    first: Page[Item],
    read: Callable[[str], Page[Item]],
    cache_control: str,
    *,
    is_whole_list: bool,
    etag: str | None = None,
) -> Written | Response:
    """A list as a file.

    Args:
        request: what was asked.
        table: how the list is written.
        served: as what.
        name: of the file, without its ending.
        first: the first page.
        read: reads the page at a cursor.
        cache_control: how long it may be kept.
        is_whole_list: whether all of it is wanted, not a page.
        etag: names the first page; where None, its content does.

    Raises:
        ProblemError: too many lists are being streamed.
    """
    headers = {**NEGOTIATED, "Content-Disposition": f'attachment; filename="{name}.{served.format}"'}
    streams = context_of(request).streams
    if first.next is None or not is_whole_list or streams is None:
        text = written(table, served.format, first.items, with_header=True)
        return write(
            request,
            text,
            cache_control,
            etag=etag,
            media_type=served.media_type,
            next_cursor=first.next,
            headers=headers,
        )
    headers["Cache-Control"] = cache_control
    if request.scope.get(IS_HEAD):
        return Response(headers=headers, media_type=served.media_type)
    if not streams.exports.enter():
        raise ProblemError(
            TOO_MANY_STREAMS, f"{EXPORTS_MAX} exports are being sent; try later, or page with `limit`"
        )
    return ExportResponse(streams.exports, table, served, first, read, headers)
