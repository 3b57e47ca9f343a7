"""Settings of all tests of jobs."""

from __future__ import annotations

import aiohttp
import pytest

from tests.clocks import SPEED


@pytest.fixture(autouse=True)
def _patient_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give downloads real time: the local RunComfy draws images in threads, which have no fast clock."""
    timeout = aiohttp.ClientTimeout(total=900 * SPEED, connect=10 * SPEED, sock_read=30 * SPEED)
    monkeypatch.setattr("bot.runcomfy.download._TIMEOUT", timeout)
