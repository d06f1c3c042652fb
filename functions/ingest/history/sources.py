"""The sources that the settings name."""

from collections.abc import Callable
from math import inf
from pathlib import Path

from battlescope.http import HttpClient
from battlescope.settings import HistorySettings
from ingest.history.download import Downloader
from ingest.history.everef import EveRef
from ingest.history.folder import Folder
from ingest.history.r2z2 import R2Z2History
from ingest.history.source import Source


def downloader(chosen: HistorySettings, *, remaining_s: Callable[[], float] = lambda: inf) -> Downloader:
    """What asks for days as gently as the settings say, for `remaining_s()` seconds."""
    return Downloader(
        HttpClient(chosen.zkb_useragent, requests_per_second=chosen.history_requests_per_second),
        bytes_max=chosen.history_megabytes_max * 1024 * 1024,
        timeout_s=chosen.history_timeout_s,
        wait_max_s=chosen.history_wait_max_s,
        remaining_s=remaining_s,
    )


def open_source(chosen: HistorySettings, folder: Path | None) -> Source:
    """HISTORY_SOURCE, or a folder in its place.

    Raises:
        FeedError: there is no such folder.
    """
    if folder is not None:
        return Folder(folder)
    if chosen.history_source == "everef":
        return EveRef(downloader(chosen), chosen.everef_url)
    return R2Z2History(downloader(chosen), chosen.r2z2_url)
