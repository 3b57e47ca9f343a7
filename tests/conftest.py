from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from playwright.async_api import Browser, async_playwright

from playground.postgres import find_binaries
from tests import browser as system_browser
from tests import postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

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
    """Return the number of workers of `-n auto`: real processes mostly wait, but respond within seconds."""
    return 3 * (os.cpu_count() or 1)


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder of the run's PostgreSQL server, unless this is a worker, which inherits it."""
    if not hasattr(config, "workerinput"):
        stack = ExitStack()
        stack.enter_context(postgres.run_folder())
        config.add_cleanup(stack.close)


@pytest.fixture(scope="session")
def postgres_server() -> postgres.PostgresServer:
    """Return the server that all PostgreSQL tests of this run share."""
    if find_binaries() is None:
        if os.environ.get("REQUIRE_POSTGRES") == "1":
            pytest.fail(postgres.NOT_RUN)
        pytest.skip(postgres.NOT_RUN)
    return postgres.shared_server()


@pytest.fixture
def postgres_url(postgres_server: postgres.PostgresServer) -> Iterator[str]:
    """Return the URL of an empty database."""
    with postgres_server.new_database() as url:
        yield url


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
