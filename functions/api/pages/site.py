"""Where things are: the pages' own addresses, pictures of EVE's image server, zKillboard."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import Request

from battlescope.zkillboard import SITE as ZKILLBOARD

if TYPE_CHECKING:
    from battlescope.settings import ApiSettings

_PICTURES = {
    "alliance": "alliances/{}/logo",
    "corporation": "corporations/{}/logo",
    "character": "characters/{}/portrait",
    "ship_type": "types/{}/icon",
}
_SIZES = (32, 64, 128, 256, 512)
"""That the image server has, in pixels."""

PAGED_KINDS = frozenset({"alliance", "corporation", "character", "system"})


class Site:
    """Addresses, as the settings have them."""

    def __init__(self, settings: "ApiSettings") -> None:
        self._image_server_url = settings.image_server_url.rstrip("/")
        self._public_url = settings.public_url.rstrip("/") if settings.public_url else None
        parts = urlsplit(self._image_server_url)
        self.image_origin = f"{parts.scheme}://{parts.netloc}"

    def public(self, request: Request, path: str) -> str:
        """The whole address of a path, for links that leave the site: shared ones, and those in share cards."""
        base = self._public_url or str(request.base_url).rstrip("/")
        return f"{base}{path}"

    def picture(self, kind: str, id_: int, shown_px: int) -> str | None:
        """The picture of something, sharp on screens of two pixels for one; None for kinds without."""
        path = _PICTURES.get(kind)
        if path is None:
            return None
        size = next((size for size in _SIZES if size >= 2 * shown_px), _SIZES[-1])
        return f"{self._image_server_url}/{path.format(id_)}?size={size}"


def page_of(kind: str, id_: int) -> str | None:
    """Our page about something; None for kinds without."""
    return f"/{kind}/{id_}" if kind in PAGED_KINDS else None


def zkillboard_of(kind: str, id_: int) -> str:
    """ZKillboard's page about something."""
    return f"{ZKILLBOARD}/{'ship' if kind == 'ship_type' else kind}/{id_}/"
