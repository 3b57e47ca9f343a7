"""Every text on the page can be read: its contrast is at least 4.5:1, as WCAG AA asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from tests.page.pages import CONTRAST, become, composer, messages, use, write

if TYPE_CHECKING:
    from playground.discord import LocalDiscord

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKDOWN = """# Title
-# small *words* [link](https://a.example) `code` ||secret|| <t:0:R> @here </usage:1>
> quote"""


async def test_check_finds_faint_text(page: Page) -> None:
    await page.evaluate("document.getElementById('guild').style.cssText = 'color: #777'")
    (found,) = await page.evaluate(CONTRAST)
    assert found.endswith("h1.: Playground")


async def test_messages(page: Page, discord: LocalDiscord) -> None:
    alice, mia = discord.members["alice"], discord.members["mia"]
    alice.say(MARKDOWN)
    mia.say(f"<@{alice.id}> look")
    await use(page, "imagine", MARKDOWN.replace("\n", " "), "[Tab]", "num", "[Enter]", "2")
    await page.get_by_role("button", name="Re-roll").click()
    await use(page, "usage")
    await expect(messages(page)).to_have_count(5)
    assert await page.evaluate(CONTRAST) == []
    await messages(page).nth(2).get_by_role("img").first.hover(position={"x": 5, "y": 5})
    assert await page.evaluate(CONTRAST) == []
    await use(page, "silence")
    await expect(page.get_by_text("Sending command")).to_be_visible()
    assert await page.evaluate(CONTRAST) == []
    discord.age(list(discord.interactions.values())[-1], 3)
    await expect(page.get_by_role("alert")).to_be_visible()
    assert await page.evaluate(CONTRAST) == []
    await page.locator(".tile img").first.click(position={"x": 5, "y": 5})
    await expect(page.get_by_role("dialog", name="Image")).to_be_visible()
    assert await page.evaluate(CONTRAST) == []


async def test_composer_and_panels(page: Page) -> None:
    await become(page, "Mia")
    await composer(page).focus()
    await write(page, "/")
    assert await page.evaluate(CONTRAST) == []
    await write(page, "quota grant", "[Enter]", "nobody", "[Enter]")
    await expect(page.get_by_role("alert")).to_be_visible()
    assert await page.evaluate(CONTRAST) == []
    await write(page, "[Escape]")
    await use(page, "settings")
    await messages(page).last.get_by_role("combobox", name="Who").click()
    assert await page.evaluate(CONTRAST) == []
    await write(page, "[Escape]")
    await messages(page).last.get_by_role("button", name="Words").click()
    await page.get_by_role("dialog").get_by_role("textbox", name="Words").fill("")
    await page.get_by_role("button", name="Submit").click()
    await expect(page.get_by_text("This field is required.")).to_be_visible()
    assert await page.evaluate(CONTRAST) == []


async def test_offline_and_phone(page: Page, discord: LocalDiscord) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.get_by_role("button", name="Server and playground").click()
    controls = page.locator("#controls")  # shown where a playground runs the bot
    await controls.evaluate("(node) => (node.hidden = false)")
    await controls.locator("button").evaluate_all("(all) => all.forEach((one) => (one.disabled = false))")
    discord.set_online(is_online=False)
    await expect(page.get_by_role("img", name="offline")).to_be_visible()
    assert await page.evaluate(CONTRAST) == []
