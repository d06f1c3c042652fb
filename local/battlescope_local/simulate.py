"""`battlescope simulate`: simulated killmails as JSON lines, in the order in which the feed would bring them."""

import json
from itertools import count
from typing import TextIO

from battlescope_local import new_eden
from battlescope_local.new_eden.payloads import LATE_MAX_H, first_killmail_id


def write(
    out: TextIO,
    *,
    seed: int = 1,
    hours_long: float | None = None,
    killmails: int | None = None,
    start: int = new_eden.START,
) -> int:
    """Write uploads in R2Z2's shape, one a line; returns how many different killmails they are.

    Ends after `hours_long` hours of uploads from `start` (Unix seconds, a full hour) on, or with the first upload of
    the last of `killmails` different ones; where both are given, with whichever comes first.

    Raises:
        ValueError: neither end is given.
    """
    if hours_long is None and killmails is None:
        raise ValueError("give hours_long or killmails: the simulated New Eden has no end of its own")
    end = None if hours_long is None else start + hours_long * 3600
    different = 0
    seen: set[int] = set()
    for hour, uploads in zip(count(start // 3600), new_eden.hours(seed, start // 3600), strict=False):
        # what is older cannot come again
        seen = {killmail_id for killmail_id in seen if killmail_id >= first_killmail_id(hour - LATE_MAX_H)}
        for upload in uploads:
            if different == killmails or (end is not None and upload["uploaded_at"] >= end):
                return different
            if upload["killmail_id"] not in seen:
                seen.add(upload["killmail_id"])
                different += 1
            out.write(json.dumps(upload, separators=(",", ":")) + "\n")
        if end is not None and (hour + 1) * 3600 >= end:
            return different
    return different
