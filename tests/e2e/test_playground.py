"""`python -m playground` and its page in a browser."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FloatRect, Locator, Page, expect

from tests.page.pages import become, composer, messages, suggestions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = Path(__file__).parents[2]
SOON = 30_000  # milliseconds


@asynccontextmanager
async def started_playground(*arguments: str) -> AsyncIterator[str]:
    """Start the playground; yield its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "playground",
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout
    try:
        async for line in process.stdout:
            if found := re.search(rb"http://127\.0\.0\.1:\d+", line):
                yield found[0].decode()
                break
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0


@pytest_asyncio.fixture(loop_scope="session")
async def address() -> AsyncIterator[str]:
    async with started_playground() as address:
        yield address


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, address: str) -> AsyncIterator[Page]:
    async with opened_page(browser, address) as page:
        yield page


@asynccontextmanager
async def opened_page(browser: Browser, address: str) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1366, "height": 900}, locale="en-US")
    page = await context.new_page()
    page.set_default_timeout(SOON)
    expect.set_options(timeout=SOON)
    await page.goto(address)
    await page.get_by_role("img", name="online").wait_for()
    yield page
    await context.close()


async def use(page: Page, command: str, *keys: str) -> None:
    """Type and send a command."""
    await write(page, command, *keys, "[Enter]")


async def write(page: Page, command: str, *keys: str) -> None:
    """Type a command; a word in brackets is a key."""
    await composer(page).focus()
    await page.keyboard.type(f"/{command}")
    # The page loads the commands of the current member after a switch.
    await suggestions(page).first.wait_for()
    for key in ("[Enter]", *keys):
        await (page.keyboard.press(key[1:-1]) if key.startswith("[") else page.keyboard.type(key))


def last(page: Page) -> Locator:
    return messages(page).last


WHOLE_ROWS = 1040  # pixels of a message with five buttons beside each other


async def picture(part: Locator, name: str, width: int | None = 660) -> None:
    """Save a screenshot of a message, or of a form at its own width, for the docs if PICTURES is set."""
    if folder := os.environ.get("PICTURES"):
        box = await part.bounding_box()
        assert box
        clip: FloatRect = {**box, "width": width or box["width"]}
        path = ROOT / folder / f"{name}.png"
        await part.page.screenshot(path=path, clip=clip, animations="disabled")


TWO_WIDE_IMAGES = (
    *("a quiet lake below the mountains", "[Tab]"),
    *("num", "[Enter]", "2", "[Tab]"),
    *("asp", "[Enter]", "16:9", "[Enter]"),
)


async def test_member_creates_images_and_manager_limits_them(page: Page) -> None:
    await use(page, "imagine", *TWO_WIDE_IMAGES)
    await expect(last(page)).to_contain_text("Generating")
    first = last(page)
    await expect(first.get_by_role("img", name="a quiet lake below the mountains")).to_have_count(2)
    await expect(first).to_contain_text(re.compile(r"✅ .*\d+ s"))
    assert await first.locator(".embed .gallery").first.evaluate(
        "(node) => node.clientWidth === node.querySelector('img').clientWidth"  # its corners are round
    )
    await picture(first, "finished", width=WHOLE_ROWS)

    await become(page, "Bob")
    await write(page, "imagine", "a paper boat on a rainy street")  # written before the other job is done
    await last(page).get_by_role("button", name="Re-roll").press("Enter")
    await expect(messages(page)).to_have_count(2)
    await page.get_by_role("textbox", name="prompt").press("Enter")
    await expect(messages(page)).to_have_count(3)
    await expect(last(page)).to_contain_text("In queue, #1")
    await picture(last(page), "waiting")
    await last(page).get_by_role("button", name="Cancel").click()
    await expect(last(page)).to_contain_text("Canceled by @Bob")
    await expect(messages(page).nth(1)).to_contain_text(re.compile(r"✅ .*\d+ s"))
    await _limit(page)


async def _limit(page: Page) -> None:
    await become(page, "Mia")
    await use(page, "quota set", "2", "[Tab]", "day", "[Tab]")
    await expect(last(page)).to_contain_text("Everyone can now spend 2 credits per day")
    await become(page, "Alice")
    await use(page, "imagine", "one more")
    await expect(last(page)).to_contain_text("You're out of credits for today: 0 left of your 2 credits")
    await picture(last(page), "refused", width=820)
    await use(page, "usage")
    await expect(last(page)).to_contain_text("2 of 2 credits used, 0 left")


async def test_killed_bot_resumes_generation(page: Page) -> None:
    await use(page, "imagine", "a quiet harbour at night")
    await expect(last(page)).to_contain_text("Generating")
    await page.get_by_role("button", name="Kill the bot").click()
    await page.get_by_role("img", name="offline").wait_for()
    await page.get_by_role("button", name="Start the bot").click()
    await expect(last(page).get_by_role("img", name="a quiet harbour at night")).to_have_count(1)
    await expect(last(page)).to_contain_text(re.compile(r"✅ .*\d+ s"))
    await last(page).get_by_role("button", name="Re-roll").click()
    await expect(messages(page)).to_have_count(2)


async def test_member_language(page: Page) -> None:
    await page.get_by_label("Language").select_option("ru")
    await use(page, "usage")
    await expect(last(page)).to_contain_text("Сегодня: потрачено 0 из 10")
    await become(page, "Bob")
    await use(page, "usage")
    await expect(last(page)).to_contain_text("Today: 0 of 10")
    await use(page, "imagine", "a paper boat on a rainy street")
    await expect(last(page).get_by_role("button", name="Re-roll")).to_be_visible()
    await become(page, "Alice")
    await last(page).get_by_role("button", name="Re-roll").click()
    await expect(messages(page)).to_have_count(3)  # including mia's /usage
    await expect(last(page).get_by_role("button", name="Ещё вариант")).to_be_visible()


async def choose(message: Locator, select: str, *choices: str) -> None:
    """Choose in a select, which sends a single choice at once and several when it closes."""
    page = message.page
    await message.get_by_role("combobox", name=select).click()
    for choice in choices:
        await page.get_by_role("listbox", name=select).get_by_role("option", name=choice).click()
    if await page.get_by_role("listbox", name=select).count():
        await page.keyboard.press("Tab")


async def test_manager_changes_settings(page: Page) -> None:
    await become(page, "Mia")
    await use(page, "settings")
    panel = messages(page).first
    await expect(panel).to_contain_text("Allowed channels: all")
    await choose(panel, "Choose a section", "Images")
    await choose(panel, "Max images: no limit", "Max images: 1")
    await expect(panel).to_contain_text("Maximum images per request: 1")
    await choose(panel, "Choose a section", "People")
    await choose(panel, "Blocked members", "Bob")
    await expect(panel).to_contain_text("Blocked members: @Bob")
    await choose(panel, "Choose a section", "Time zone and log")
    await choose(panel, "Log channel", "#bot-log")
    await expect(panel).to_contain_text("Log: #bot-log")
    await picture(panel, "settings")
    await _forbid(page, panel)
    await become(page, "Bob")
    await use(page, "imagine", "a quiet harbour")
    await expect(last(page)).to_contain_text("blocked from generating images on this server")
    await become(page, "Alice")
    await use(page, "imagine", "a quiet Harbour")
    await expect(last(page)).to_contain_text("contains a blocked word")
    await use(page, "imagine", "a quiet lake", "[Tab]", "num", "[Enter]", "2")
    await expect(last(page)).to_contain_text("at most 1 image per request")
    await use(page, "imagine", "a quiet lake")
    await expect(last(page)).to_contain_text(re.compile(r"✅ .*\d+ s"))
    await page.get_by_role("button", name="bot-log").click()
    log = page.get_by_role("list", name="Messages in #bot-log")
    await expect(log).to_contain_text("@Mia changed Log: off → #bot-log")
    await expect(log).to_contain_text("@Alice generated 1 image")


async def _forbid(page: Page, panel: Locator) -> None:
    await choose(panel, "Choose a section", "Blocked words")
    await panel.get_by_role("button", name="Edit words").click()
    form = page.get_by_role("dialog", name="Blocked words")
    await form.get_by_role("textbox").fill("/h[a4]rb(/")
    await form.get_by_role("button", name="Submit").click()
    await expect(last(page)).to_contain_text("Line 1 isn't a valid regex")
    await panel.get_by_role("button", name="Edit").click()
    await expect(form.get_by_role("textbox")).to_have_value("/h[a4]rb(/")
    await form.get_by_role("textbox").fill("harbour\n/b[e3]ar/")
    await form.get_by_role("button", name="Submit").click()
    await expect(panel).to_contain_text("2 words or patterns")
