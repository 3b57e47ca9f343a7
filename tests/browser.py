"""The browser for the page tests; `python -m tests.browser` prints a line if there is none."""

from __future__ import annotations

import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
NOT_RUN = (
    "The page tests were NOT run: there is no browser. Install Chromium (Debian: apt-get install chromium)."
)


def find() -> str | None:
    """Return the path of the browser, if one is installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


if __name__ == "__main__" and find() is None:
    sys.stdout.write(NOT_RUN + "\n")
