"""Page helpers that use visible text in English or Russian and the keyboard, like a user."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import Locator, Page, expect

CONTRAST = Path(__file__).with_name("contrast.js").read_text("utf-8")
"""A script that returns the texts that are hard to read."""


def composer(page: Page) -> Locator:
    return page.get_by_role("combobox", name=re.compile("^(Message|Написать в) #images"))


def messages(page: Page) -> Locator:
    return page.get_by_role("list", name=re.compile("^(Messages in|Сообщения в) #images")).get_by_role(
        "listitem"
    )


def suggestions(page: Page) -> Locator:
    return page.get_by_role("listbox", name=re.compile("Suggestions|Подсказки")).get_by_role("option")


async def write(page: Page, *keys: str) -> None:
    """Type texts; a word in brackets is a key."""
    for key in keys:
        await (page.keyboard.press(key[1:-1]) if key.startswith("[") else page.keyboard.type(key))


async def use(page: Page, command: str, *keys: str) -> None:
    await composer(page).focus()
    await write(page, f"/{command}")
    await suggestions(page).first.wait_for()
    await write(page, "[Enter]", *keys, "[Enter]")


async def become(page: Page, name: str) -> None:
    group = page.get_by_role("group", name=re.compile("^(You are|Вы)$"))
    await group.get_by_role("button", name=name).click()
    await expect(group.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("#messages")).to_have_attribute("aria-busy", "false")
