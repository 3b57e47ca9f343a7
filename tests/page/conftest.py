import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from playground.discord import LocalDiscord
from tests.page.small_bot import SmallBot

PAGE = Path(__file__).parents[2] / "playground" / "page"
SOON = 30_000  # milliseconds


@pytest_asyncio.fixture(loop_scope="session")
async def discord(tmp_path: Path) -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord(tmp_path, page=PAGE) as discord:
        yield discord


@pytest_asyncio.fixture(loop_scope="session")
async def bot(discord: LocalDiscord) -> AsyncIterator[SmallBot]:
    bot = SmallBot(discord.connector())
    running = asyncio.create_task(bot.start(discord.token))
    await discord.until(lambda: discord.commands and discord.is_online)
    yield bot
    await bot.close()
    await running


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, discord: LocalDiscord, bot: SmallBot) -> AsyncIterator[Page]:
    """Open the page as alice; a script error fails the test."""
    await bot.wait_until_ready()
    wrong: list[str] = []
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    page = await context.new_page()
    page.set_default_timeout(SOON)
    expect.set_options(timeout=SOON)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    await page.goto(discord.client_url)
    await page.get_by_role("img", name="online").wait_for()
    yield page
    await context.close()
    assert wrong == []
