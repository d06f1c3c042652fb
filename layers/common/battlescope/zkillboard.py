"""Links to zKillboard."""

from datetime import UTC, datetime

SITE = "https://zkillboard.com"


def kill_url(killmail_id: int) -> str:
    """The page of one killmail."""
    return f"{SITE}/kill/{killmail_id}/"


def related_url(solar_system_id: int, start_time: int, end_time: int) -> str:
    """The related-kills page that shows a battle (times in Unix seconds).

    The page's minutes must be 00 and it shows one hour before to two hours after, so the link names the hour
    that the middle of the battle lies in.
    """
    middle = datetime.fromtimestamp((start_time + end_time) // 2, UTC)
    return f"{SITE}/related/{solar_system_id}/{middle:%Y%m%d%H}00/"
