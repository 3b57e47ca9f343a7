"""The page's own texts, in every language."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from tests.page.conftest import PAGE
from tests.page.pages import become, composer, messages, use, write

if TYPE_CHECKING:
    from playground.discord import LocalDiscord

MODULES = {file.name: file.read_text("utf-8") for file in PAGE.glob("*.js")}
HTML = (PAGE / "index.html").read_text("utf-8")
CYRILLIC = re.compile("[а-яА-Я]")


def translations() -> dict[str, str]:
    pairs = re.findall(r'^  ("(?:[^"\\]|\\.)*"): ("(?:[^"\\]|\\.)*"),$', MODULES["russian.js"], re.MULTILINE)
    return {json.loads(english): json.loads(russian) for english, russian in pairs}


def used_texts() -> set[str]:
    """Collect the texts that the modules pass to `t` and those that index.html marks with data-t."""
    texts = {text for module in MODULES.values() for text in re.findall(r'\bt\("([^"]+)"', module)}
    for attributes, what, content in re.findall(r'<\w+([^>]*) data-t="([^"]*)"[^>]*>([^<]*)', HTML):
        for part in what.split():
            found = [content] if part == "text" else re.findall(rf'{part}="([^"]*)"', attributes)
            texts |= set(found)
    return texts


def test_every_text_is_translated() -> None:
    russian, used = translations(), used_texts()
    assert len(used) > 60
    assert used - set(russian) == set()
    assert [text for text in russian.values() if not CYRILLIC.search(text) and text != "18+"] == []
    slots = re.compile(r"\{\w+\}|`[^`]*`")
    assert {
        en: ru for en, ru in russian.items() if sorted(slots.findall(en)) != sorted(slots.findall(ru))
    } == {}


def test_no_translation_is_left_over() -> None:
    sources = [text for name, text in MODULES.items() if name != "russian.js"]
    sources += [HTML, *(file.read_text("utf-8") for file in (PAGE.parent / "discord").glob("*.py"))]
    assert [text for text in translations() if not any(text in source for source in sources)] == []


@pytest.mark.asyncio(loop_scope="session")
async def test_page_speaks_the_members_language(page: Page, discord: LocalDiscord) -> None:
    await use(page, "usage")
    await page.get_by_label("Language").select_option("ru")
    await expect(messages(page).last).to_contain_text("Это видно только вам · Скрыть сообщение")
    await expect(page.locator(".hint[data-t]")).to_have_text("Введите /imagine и нажмите Enter.")
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
    await use(page, "silence")
    await discord.until(lambda: len(discord.interactions) == 2)
    discord.age(list(discord.interactions.values())[1], 3)
    await expect(page.get_by_role("alert")).to_have_text("Приложение не ответило")
    await composer(page).focus()
    await write(page, "/im", "[Enter]", "[Enter]")
    await expect(page.get_by_text("Этот параметр обязателен. Укажите значение.")).to_be_visible()
    await become(page, "Bob")
    await expect(page.get_by_role("button", name="Kill the bot", include_hidden=True)).to_have_count(1)
    await expect(composer(page)).to_have_attribute("placeholder", "Message #images")
