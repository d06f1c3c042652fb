"""Chromium, as the machine has it."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing is asked of the internet
]

FIRST_PAINT_MS = """
    new Promise(done => new PerformanceObserver(list => {
        const painted = list.getEntriesByName("first-contentful-paint")[0];
        if (painted) done(painted.startTime);
    }).observe({type: "paint", buffered: true}))
"""
"""Evaluates to when a page first showed something, in milliseconds from when it was asked for."""


def chromium_path() -> str:
    """Where it is.

    Raises:
        LookupError: it is not here.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise LookupError("there is no Chromium here: run `make browsers`")
    return path
