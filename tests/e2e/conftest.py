"""One world for all tests of a module that do not disturb each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.e2e.world import World, open_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A RunComfy that paints at once, and quotas that nobody reaches."""
    limits = dict.fromkeys(("DEFAULT_QUOTA", "MAX_QUOTA", "BUDGET"), "1000000/month")
    folder = tmp_path_factory.mktemp("world")
    async with open_world(folder, runcomfy={"workers": 4, "seconds": 0}, **limits) as world:
        yield world


@pytest.fixture
def world(opened: World) -> Iterator[World]:
    """The module's world, looked through for leaks after each test."""
    yield opened
    opened.check_nothing_leaked()
