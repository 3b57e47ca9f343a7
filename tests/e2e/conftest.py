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
    many = "1000000/month"
    async with open_world(
        tmp_path_factory.mktemp("world"),
        runcomfy={"workers": 4, "seconds": 0},
        DEFAULT_QUOTA=many,
        MAX_QUOTA=many,
        BUDGET=many,
    ) as world:
        yield world


@pytest.fixture
def world(opened: World) -> Iterator[World]:
    """The module's world, looked through for leaks after each test."""
    yield opened
    opened.check_nothing_leaked()


@pytest_asyncio.fixture(loop_scope="module")
async def held(world: World) -> AsyncIterator[World]:
    """The same world, whose RunComfy moves only where the test says so."""
    world.runcomfy.hold()
    yield world
    world.runcomfy.release()
