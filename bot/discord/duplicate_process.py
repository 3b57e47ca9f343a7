"""Detect another process with the same token; Discord sends every interaction to both."""

from __future__ import annotations

import logging
from collections import Counter

DUPLICATE_PROCESS = "another bot process seems to use the same DISCORD_TOKEN"

_log = logging.getLogger(__name__)


class DuplicateProcessDetector:
    """Logs the likely cause of odd events, once."""

    def __init__(self) -> None:
        self._signs: Counter[str] = Counter()
        self._is_named = False

    def record_sign(self, sign: str, *, after: int = 1) -> None:
        """Record a sign of another process; it counts once it has been seen `after` times."""
        self._signs[sign] += 1
        if self._signs[sign] == after and not self._is_named:
            self._is_named = True
            _log.warning("%s: %s", sign, DUPLICATE_PROCESS)
