"""What pages load from us: style, scripts and placeholders, under addresses that change with their content.

So browsers and proxies keep them for ever, and a page never meets the style of another version.
"""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from api.answers import is_known, not_modified
from api.pages.headers import COMMON
from api.problems import not_found

FOREVER = "public, max-age=31536000, immutable"

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_REFERENCE = re.compile(r'url\("([a-z-]+\.svg)"\)')

router = APIRouter()


class Asset(NamedTuple):
    """A file as it is served: its name with a digest of its content in it."""

    name: str
    content: bytes
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """All of them, by the name of the file. Pictures that the style names are named in it as they are served."""
    made: dict[str, Asset] = {}
    files = sorted(_FOLDER.iterdir(), key=lambda path: (path.suffix == ".css", path.name))
    for path in files:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".css":
            text = _REFERENCE.sub(lambda found: f'url("{made[found[1]].name}")', text)
        content = text.encode()
        digest = hashlib.blake2b(content, digest_size=5).hexdigest()
        made[path.name] = Asset(f"{path.stem}.{digest}{path.suffix}", content, _TYPES[path.suffix])
    return made


@cache
def _served() -> dict[str, Asset]:
    return {asset.name: asset for asset in assets().values()}


@router.get("/assets/{name}")
def get_asset(request: Request, name: str) -> Response:
    """One file, for ever."""
    asset = _served().get(name)
    if asset is None:
        raise not_found(f"there is no {request.scope['path'][:80]}; it was another version's")
    etag = f'W/"{name}"'  # it holds for the file with and without compression
    if is_known(request, etag):
        return not_modified(etag, FOREVER)
    headers = {**COMMON, "Cache-Control": FOREVER, "ETag": etag}
    return Response(asset.content, headers=headers, media_type=asset.media_type)


@router.get("/favicon.ico")
def get_favicon(request: Request) -> Response:
    """The icon, for what asks at the old address."""
    location = f"{request.scope.get('root_path', '')}/assets/{assets()['icon.svg'].name}"
    return Response(status_code=307, headers={"Location": location, "Cache-Control": "public, max-age=86400"})
