"""The baseline of `bench load`: a minimal app that runs the statements of our lists and dumps their rows.

`uvicorn bench.minimal:app`, with DB_URL and STATEMENTS, a JSON file of `[[statement, values], ...]` by path, in which
`{"seconds": n}` is an interval. Threads and a pool of connections as our API has them; no parsing of requests, no cursors, no
validators, no models.
"""

import json
import os
from datetime import timedelta
from pathlib import Path

from psycopg_pool import ConnectionPool
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_STATEMENTS: dict[str, list[tuple[str, list[object]]]] = json.loads(
    Path(os.environ["STATEMENTS"]).read_text(),
    object_hook=lambda found: timedelta(**found) if found.keys() == {"seconds"} else found,
)
_POOL = ConnectionPool(
    os.environ["DB_URL"],
    kwargs={"prepare_threshold": None, "autocommit": True},
    min_size=4,
    max_size=int(os.environ.get("DATABASE_CONNECTIONS", "10")),
    open=True,
)


def _rows(name: str) -> str:
    with _POOL.connection() as connection:
        rows: list[object] = []
        for statement, values in _STATEMENTS[name]:
            rows = list(connection.execute(statement.encode(), values).fetchall())
        return json.dumps(rows, default=str)


async def _list(request: Request) -> Response:
    text = await run_in_threadpool(_rows, request.path_params["name"])
    return Response(text, media_type="application/json")


app = Starlette(routes=[Route("/{name:path}", _list)])
"""One path for each list."""
