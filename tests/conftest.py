from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from playwright.async_api import Browser, async_playwright

from tests import browser as system_browser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# The same examples in every run and no example database, so that a failure repeats. No deadline, because an
# example's time depends on the other workers. `make soak` draws new examples.
settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "soak", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=1_000, print_blob=True
)
settings.load_profile("suite")

# Without these flags Chromium contacts its own servers at every start.
_QUIET = ("quic", "gpu", "component-update", "background-networking", "sync")


def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers of `-n auto`: tests of real processes mostly wait."""
    return 4 * (os.cpu_count() or 1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Yield one browser per worker; each test opens its own context."""
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
