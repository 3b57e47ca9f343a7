"""One environment per module, shared by tests that don't disturb each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.e2e.environment import Environment, open_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Environment]:
    """Open an environment with an instant RunComfy and unreachable quotas."""
    many = "1000000/month"
    async with open_environment(
        tmp_path_factory.mktemp("environment"),
        runcomfy={"workers": 4, "seconds": 0},
        DEFAULT_QUOTA=many,
        MAX_QUOTA=many,
        BUDGET=many,
    ) as env:
        yield env


@pytest.fixture
def env(opened: Environment) -> Iterator[Environment]:
    """Yield the module's environment, checked for leaks after each test."""
    yield opened
    opened.check_nothing_leaked()


@pytest_asyncio.fixture(loop_scope="module")
async def held(env: Environment) -> AsyncIterator[Environment]:
    """Yield the same environment with RunComfy on hold."""
    env.runcomfy.hold()
    yield env
    env.runcomfy.release()
