from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Browser, async_playwright

from tests import browser as system_browser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# Without these Chromium looks for servers of its own at every start.
_QUIET = ("quic", "gpu", "component-update", "background-networking", "sync")


def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means: tests of real processes wait more than they work."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    found = system_browser.find()
    if found is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(system_browser.NOT_RUN)
        pytest.skip(system_browser.NOT_RUN)
    arguments = ["--no-sandbox", "--no-first-run", *(f"--disable-{what}" for what in _QUIET)]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=arguments)
        yield browser
        await browser.close()
