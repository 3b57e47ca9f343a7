from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest
import stamina

from bot.runcomfy.client import RunComfyClient
from playground.runcomfy import LocalRunComfy
from tests.runcomfy.caller import Caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    """Retry without pauses."""
    with stamina.set_testing(True, attempts=9, cap=True):
        yield


@pytest.fixture
async def runcomfy() -> AsyncIterator[LocalRunComfy]:
    async with LocalRunComfy(workers=1, seconds=0) as local:
        yield local


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def client(runcomfy: LocalRunComfy, session: aiohttp.ClientSession) -> AsyncIterator[RunComfyClient]:
    client = RunComfyClient(session, api_url=runcomfy.url, token=runcomfy.token)
    yield client
    client.close()


@pytest.fixture
def caller(runcomfy: LocalRunComfy, session: aiohttp.ClientSession) -> Caller:
    return Caller(runcomfy, session)
