"""`python -m tests.demo FILE`: record the README's animated picture in the playground's page."""

from __future__ import annotations

import asyncio
import io
import re
import sys
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.async_api import Locator, Page, ViewportSize, async_playwright, expect

from tests import browser
from tests.e2e.test_playground import SOON, started_playground, use
from tests.page.pages import become, messages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_WINDOW: ViewportSize = {"width": 1120, "height": 700}
_SHOWN_WIDTH = 960
_PAUSE_SECONDS = 0.1
_FRAME_MAX_MS = 1500  # nobody wants to watch a still image


class Recorder:
    """Takes screenshots of a page until the block ends, and keeps those that differ."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._shots: list[tuple[float, bytes]] = []

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[None]:
        """Record while the block runs."""
        stop = asyncio.Event()
        task = asyncio.create_task(self._record(stop))
        try:
            yield
        finally:
            stop.set()
            await task

    async def _record(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            shot = await self._page.screenshot(animations="disabled", caret="initial")
            if not self._shots or shot != self._shots[-1][1]:
                self._shots.append((loop.time(), shot))
            await asyncio.sleep(_PAUSE_SECONDS)
        self._shots.append((loop.time() + 3, b""))  # the end of the last one

    def save(self, file: Path) -> None:
        """Write an endless animation."""
        frames = [Image.open(io.BytesIO(shot)).convert("RGB") for _, shot in self._shots[:-1]]
        size = (_SHOWN_WIDTH, _SHOWN_WIDTH * _WINDOW["height"] // _WINDOW["width"])
        small = [frame.resize(size, Image.Resampling.LANCZOS) for frame in frames]
        times = [time for time, _ in self._shots]
        lengths = [end - begin for begin, end in pairwise(times)]
        durations = [min(int(length * 1000), _FRAME_MAX_MS) for length in lengths]
        durations[-1] = 2 * _FRAME_MAX_MS
        small[0].save(
            file, save_all=True, append_images=small[1:], duration=durations, loop=0, quality=80, method=4
        )


async def play(page: Page) -> None:
    """Show a request, a re-roll, the queue, a kill with its recovery, and an edit."""
    await type_slowly(page, "/imagine")
    await type_slowly(page, "a quiet lake below the mountains", "[Tab]")
    await type_slowly(page, "num", "[Enter]", "2", "[Tab]", "asp", "[Enter]", "16:9", "[Enter]")
    await page.wait_for_timeout(600)
    await page.keyboard.press("Enter")
    first, again, boat = (messages(page).nth(number) for number in range(3))
    await expect(first.get_by_role("img", name="a quiet lake")).to_have_count(2)
    await page.wait_for_timeout(1500)
    await press(first.get_by_role("button", name="Re-roll"))
    await expect(messages(page)).to_have_count(2)
    await become(page, "Bob")
    await use(page, "imagine", "violet mountains by night")
    await expect(messages(page)).to_have_count(3)
    await expect(boat).to_contain_text(re.compile("(place |#)1"))
    await page.wait_for_timeout(1000)
    await press(page.get_by_role("button", name="Kill the bot"))
    await page.get_by_role("img", name="offline").wait_for()
    await page.wait_for_timeout(1200)
    await press(page.get_by_role("button", name="Start the bot"))
    await expect(again.get_by_role("img", name="a quiet lake")).to_have_count(2)
    await expect(boat.get_by_role("img", name="violet mountains")).to_have_count(1)
    await boat.get_by_role("img", name="violet mountains").scroll_into_view_if_needed()
    await page.wait_for_timeout(1000)
    await edit(boat, "make it winter")


async def edit(message: Locator, instruction: str) -> None:
    """Change a message's image, and show it before and after."""
    page = message.page
    await press(message.get_by_role("button", name="Edit ·"))
    form = page.get_by_role("dialog", name="Edit")
    await form.get_by_role("textbox", name="What should change?").focus()
    await page.keyboard.type(instruction, delay=45)
    await press(form.get_by_role("button", name="Submit"))
    after = messages(page).last.get_by_role("img", name=f"After: {instruction}")
    await expect(after).to_be_visible()
    await after.scroll_into_view_if_needed()
    await page.wait_for_timeout(1000)


async def type_slowly(page: Page, *keys: str) -> None:
    """Type as a person does; a word in brackets is a key."""
    if keys[0].startswith("/"):
        await page.get_by_role("combobox", name="Message #images").focus()
    for key in keys:
        if key.startswith("["):
            await page.wait_for_timeout(250)
            await page.keyboard.press(key[1:-1])
        else:
            await page.keyboard.type(key, delay=45)
    if keys[0].startswith("/"):
        await page.get_by_role("listbox", name="Suggestions").get_by_role("option").first.wait_for()
        await page.wait_for_timeout(500)
        await page.keyboard.press("Enter")


async def press(button: Locator) -> None:
    """Move over a button, then press it."""
    await button.scroll_into_view_if_needed()
    await button.hover()
    await button.page.wait_for_timeout(500)
    await button.click()


async def main(file: Path) -> None:
    """Start the playground and a browser, and record."""
    async with started_playground() as address, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=browser.find())
        page = await chromium.new_page(viewport=_WINDOW, locale="en-US")
        page.set_default_timeout(SOON)
        expect.set_options(timeout=SOON)
        await page.goto(address)
        await page.get_by_role("img", name="online").wait_for()
        recorder = Recorder(page)
        async with recorder.recording():
            await play(page)
        recorder.save(file)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
