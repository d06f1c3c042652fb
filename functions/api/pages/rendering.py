"""Templates into answers. Everything that a template is given is escaped."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.answers import is_known, not_modified
from api.pages import words
from api.pages.assets import assets
from api.pages.headers import page_headers
from api.pages.site import Site, page_of, zkillboard_of
from battlescope import __version__

_COLOURS = 6
"""Of sides, in the style; a fight of more sides repeats them."""

TEMPLATES = Path(__file__).parent / "templates"
_FILTERS: tuple[Callable[..., str], ...] = (
    words.isk,
    words.number,
    words.counted,
    words.percent,
    words.day,
    words.clock,
    words.clock_s,
    words.machine_time,
    words.lasted,
    words.security,
    words.month,
)


def page(
    request: Request,
    template: str,
    cache_control: str,
    *,
    status: int = 200,
    etag: str | None = None,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> Response:
    """A page, or 304 where the browser has it already.

    Args:
        request: what was asked.
        template: which page.
        cache_control: how long it may be kept.
        status: of the answer; errors are not compared with what the browser has.
        etag: names it; where None, its content does.
        headers: more of them.
        values: what the template shows.
    """
    site: Site = request.app.state.site
    root = request.scope.get("root_path", "")
    html = (
        _environment()
        .get_template(template)
        .render(
            site=site,
            root=root,
            path=request.scope["path"].removeprefix(root),
            streams=request.app.state.context.streams is not None,
            **values,
        )
    )
    etag = etag or f'W/"{hashlib.blake2b(html.encode(), digest_size=12).hexdigest()}"'
    is_page = status < 300
    if is_page and is_known(request, etag):
        return not_modified(etag, cache_control)
    return Response(
        html,
        status_code=status,
        headers={
            **page_headers(site.image_origin),
            "Cache-Control": cache_control,
            **({"ETag": etag} if is_page else {}),
            **(headers or {}),
        },
        media_type="text/html; charset=utf-8",
    )


@cache
def edition() -> str:
    """Names what the pages look like: it changes with every template, style and script."""
    digest = hashlib.blake2b(__version__.encode(), digest_size=5)
    for asset in assets().values():
        digest.update(asset.name.encode())
    for path in sorted(TEMPLATES.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _colour(side_id: int) -> int:
    """Which colour a side has; 0 for third parties."""
    return (side_id - 1) % _COLOURS + 1 if side_id else 0


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update({one.__name__: one for one in _FILTERS})
    environment.globals.update(
        colour=_colour,
        asset=lambda name: f"/assets/{assets()[name].name}",
        page_of=page_of,
        place=words.place,
        place_class=words.place_class,
        version=__version__,
        zkillboard_of=zkillboard_of,
    )
    return environment
