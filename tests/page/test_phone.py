"""The page on a phone, 390 pixels wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from tests.page.pages import composer, messages, suggestions, use, write

if TYPE_CHECKING:
    from playground.discord import LocalDiscord

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDTH, HEIGHT = 390, 844


async def test_tap_beside_the_drawer_only_closes_it(page: Page, discord: LocalDiscord) -> None:
    await page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    people = page.get_by_role("group", name="You are")
    await expect(people).to_be_hidden()
    for number in range(40):  # links everywhere, also beside the drawer
        discord.members["bob"].say(f"https://a.example/{number}?{'x' * 200}")
    await expect(messages(page)).to_have_count(40)
    await page.get_by_role("button", name="Server and playground").click()
    await expect(people).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == WIDTH
    under = f"document.elementFromPoint({WIDTH - 40}, {HEIGHT / 2})"
    assert await page.evaluate(f"{under}.id") == "scrim"
    await page.mouse.click(WIDTH - 40, HEIGHT / 2)
    await expect(people).to_be_hidden()
    assert len(page.context.pages) == 1
    await page.get_by_role("button", name="Server and playground").click()
    await page.get_by_role("button", name="bot-log").click()
    await expect(page.get_by_role("combobox", name="Message #bot-log")).to_be_visible()
    await expect(people).to_be_hidden()


async def test_image_can_be_enlarged_beyond_the_screen(page: Page) -> None:
    await page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    await use(page, "imagine", "a fox")
    await messages(page).get_by_role("img", name="a fox").click(position={"x": 5, "y": 5})
    image = page.get_by_role("dialog", name="Image").get_by_role("img")
    await image.evaluate("(node) => (node.style.width = '92vw')")  # the test's image is smaller than a chart
    await image.click()
    stage = page.locator(".stage")
    assert await stage.evaluate("(node) => node.scrollWidth > node.clientWidth + 300")
    assert await page.evaluate("document.documentElement.scrollWidth") == WIDTH


async def test_descriptions_of_options_are_below_their_names(page: Page) -> None:
    await page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    await composer(page).focus()
    await write(page, "/imagine", "[Enter]", "a fox", "[Tab]")
    option = suggestions(page).filter(has_text="num_images")
    name, detail = [await option.locator(part).bounding_box() for part in (".label", "small")]
    assert name
    assert detail
    assert detail["y"] >= name["y"] + name["height"]
    assert detail["x"] == name["x"]
