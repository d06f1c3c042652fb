"""What other sites add to the addresses that people share there, to follow who clicks."""

from starlette.types import ASGIApp, Receive, Scope, Send

_CLICK_IDS = frozenset(
    {
        b"dclid",
        b"fbclid",
        b"gbraid",
        b"gclid",
        b"igshid",
        b"li_fat_id",
        b"mc_cid",
        b"mc_eid",
        b"msclkid",
        b"ttclid",
        b"twclid",
        b"wbraid",
        b"yclid",
    }
)
_CAMPAIGN = b"utm_"


class Clicks:
    """Drops such parameters before anybody looks at them: no page depends on them, and unknown ones are refused."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and scope["query_string"]:
            kept = [one for one in scope["query_string"].split(b"&") if not _is_added(one)]
            scope = {**scope, "query_string": b"&".join(kept)}
        await self._app(scope, receive, send)


def _is_added(parameter: bytes) -> bool:
    name = parameter.partition(b"=")[0]
    return name in _CLICK_IDS or name.startswith(_CAMPAIGN)
