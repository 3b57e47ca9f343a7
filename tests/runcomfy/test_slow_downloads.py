"""Slow downloads fail and do not delay others."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.errors import OutputUnavailableError
from bot.runcomfy.download import Downloader
from bot.runcomfy.fair_semaphore import FairSemaphore, Owner
from bot.runcomfy.file_url import AllowedHosts
from playground.runcomfy import LocalRunComfy, drip
from tests.runcomfy.helpers import routes

if TYPE_CHECKING:
    from pathlib import Path

    import aiohttp

SLOW, OTHER, NEIGHBOR = Owner(1, 1), Owner(2, 2), Owner(1, 2)


def noise(side: int) -> bytes:
    image = Image.frombytes("RGB", (side, side), Random(1).randbytes(side * side * 3))
    image.save(file := io.BytesIO(), "PNG", compress_level=0)
    return file.getvalue()


@pytest.fixture
def downloader(runcomfy: LocalRunComfy, session: aiohttp.ClientSession) -> Downloader:
    return Downloader(session, AllowedHosts.parse(runcomfy.environment["RUNCOMFY_FILE_HOSTS"]))


@pytest.fixture
def url(runcomfy: LocalRunComfy) -> str:
    return f"{runcomfy.url}/files/a/b/0_output.png"


@pytest.mark.parametrize("files", [10, 50])
async def test_slow_files_of_one_member_do_not_delay_others(
    runcomfy: LocalRunComfy, downloader: Downloader, url: str, tmp_path: Path, files: int
) -> None:
    runcomfy.inject_fault("file", drip(noise(8), piece=1, seconds=5), times=4)
    slow = [
        asyncio.ensure_future(downloader.download(url, tmp_path, f"slow-{number}", SLOW))
        for number in range(files)
    ]
    await runcomfy.until(lambda: routes(runcomfy).count("file") == 4)
    runcomfy.inject_fault("file", drip(noise(8), piece=1000, seconds=0), times=2)
    async with asyncio.timeout(10):  # until the slow files are dropped, which takes 15 s
        for other in (NEIGHBOR, OTHER):
            path = await downloader.download(url, tmp_path, "1", other)
            assert path.read_bytes() == noise(8)
    assert routes(runcomfy).count("file") == 6  # the slow member never held more than its share
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_file_below_the_minimum_rate_fails(
    runcomfy: LocalRunComfy, downloader: Downloader, url: str, tmp_path: Path
) -> None:
    downloader = replace(downloader, block_seconds=0.2)
    runcomfy.inject_fault("file", drip(noise(200), piece=1, seconds=0.01), times=None)
    with pytest.raises(OutputUnavailableError, match="TimeoutError"):
        await downloader.download(url, tmp_path, "1", SLOW)
    assert routes(runcomfy).count("file") > 1
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 (a local folder)


async def test_slow_but_steady_file_arrives(
    runcomfy: LocalRunComfy, downloader: Downloader, url: str, tmp_path: Path
) -> None:
    data = noise(420)
    assert len(data) > 8 * 2**16
    runcomfy.inject_fault("file", drip(data, piece=2**15, seconds=0.4))
    downloader = replace(downloader, block_seconds=5)
    path = await downloader.download(url, tmp_path, "1")
    assert path.read_bytes() == data
    assert routes(runcomfy).count("file") == 1


async def _wait(slots: FairSemaphore, owner: Owner, served: list[Owner]) -> None:
    async with slots.slot(owner):
        served.append(owner)


async def test_servers_and_members_are_served_round_robin() -> None:
    slots, served = FairSemaphore(1, per_user=1, per_guild=1), list[Owner]()
    pile, neighbor, other = Owner(1, 1), Owner(1, 2), Owner(2, 3)
    async with asyncio.TaskGroup() as group, slots.slot(Owner(9, 9)):
        for owner in (pile, pile, pile, neighbor, other):
            group.create_task(_wait(slots, owner, served))
        await asyncio.sleep(0)
        assert served == []
    assert served == [pile, other, neighbor, pile, pile]


async def test_cancelled_waiter_takes_no_slot() -> None:
    slots, served = FairSemaphore(1, per_user=1, per_guild=1), list[Owner]()
    async with slots.slot(SLOW):
        waiting = asyncio.ensure_future(_wait(slots, SLOW, served))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    granted = asyncio.ensure_future(_wait(slots, SLOW, served))
    await asyncio.sleep(0)
    granted.cancel()
    await asyncio.gather(granted, return_exceptions=True)
    async with asyncio.timeout(30):
        await _wait(slots, SLOW, served)
