"""Selects, modals and context menus on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Locator, Page, expect

from tests.page.pages import become, composer, messages, suggestions, use, write

if TYPE_CHECKING:
    from playground.discord import LocalDiscord

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def panel(page: Page) -> Locator:
    """Open the panel as a manager."""
    await become(page, "Mia")
    await use(page, "settings")
    await expect(messages(page)).to_contain_text(["Settings"])
    return messages(page).last


def choices(page: Page, name: str) -> Locator:
    return page.get_by_role("listbox", name=name).get_by_role("option")


async def test_single_select_submits_immediately(page: Page, discord: LocalDiscord) -> None:
    message = await panel(page)
    await message.get_by_role("combobox", name="Log").click()
    await expect(choices(page, "Log")).to_have_text(["#images", "#after-dark", "#bot-log"])
    await write(page, "log", "[Enter]")
    await expect(message).to_contain_text("Log: #bot-log")
    await expect(message.get_by_role("combobox", name="Log")).to_be_focused()
    await page.get_by_role("button", name="bot-log").click()
    await expect(page.get_by_role("list", name="Messages in #bot-log")).to_contain_text("Here is the log")
    (_, interaction) = discord.interactions.values()
    assert list(interaction.event["d"]["data"]["resolved"]["channels"]) == [discord.guild.channels[2].id]


async def test_multi_select_submits_when_closed(page: Page, discord: LocalDiscord) -> None:
    message = await panel(page)
    field = message.get_by_role("combobox", name="Sizes")
    await field.focus()
    await write(page, "[Enter]", "[Enter]", "[ArrowDown]", "[Enter]")
    await expect(choices(page, "Sizes").nth(1)).to_have_attribute("aria-selected", "true")
    await expect(choices(page, "Sizes").nth(2)).to_have_attribute("aria-disabled", "true")
    await expect(message).to_contain_text("Settings")
    await write(page, "[Tab]")
    await expect(message).to_contain_text("Sizes: 1K, 2K")
    await expect(message.locator(".token")).to_have_text(["1K", "2K"])
    await field.focus()
    await write(page, "[ArrowDown]", "[Enter]", "[Escape]")
    await expect(message.locator(".token")).to_have_text(["1K", "2K"])
    await write(page, "[Backspace]", "[Backspace]", "[Tab]")
    await expect(message).to_contain_text("Sizes: none")
    assert len(discord.interactions) == 3


async def test_members_and_roles_are_searchable(page: Page) -> None:
    message = await panel(page)
    await message.get_by_role("combobox", name="Who").click()
    await write(page, "nobody")
    await expect(page.get_by_text("No matches.")).to_be_visible()
    await message.get_by_role("combobox", name="Who").fill("bob")
    await choices(page, "Who").filter(has_text="Bob").click()
    await write(page, "paint", "[Enter]", "[Tab]")
    await expect(message).to_contain_text("Who: @Bob @Painters")


async def test_modal_can_be_filled_by_keyboard(page: Page) -> None:
    message = await panel(page)
    await message.get_by_role("button", name="Words").click()
    form = page.get_by_role("dialog", name="Forbidden words")
    words = form.get_by_role("textbox", name="Words")
    await expect(form).to_contain_text("Nobody may write these.")
    await expect(words).to_have_value("cat")
    await expect(words).to_be_focused()
    await words.fill("")
    await form.get_by_role("button", name="Submit").click()
    await expect(form.get_by_role("alert").first).to_have_text("This field is required.")
    await expect(words).to_have_attribute("aria-invalid", "true")
    await write(page, "do")
    await form.get_by_role("button", name="Submit").click()
    await expect(form.get_by_role("alert").first).to_have_text("At least 3 characters.")
    await write(page, "g" * 50)
    await expect(words).to_have_value("do" + "g" * 38)
    await words.fill("dog")
    await write(page, "[Tab]", "30", "[Tab]", "pai", "[Enter]", "[Tab]", "[Tab]", "[Enter]")
    await expect(form).to_be_hidden()
    await expect(message).to_contain_text("Words: dog; 30 seconds; not for Painters")
    await expect(message.get_by_role("button", name="Words")).to_be_focused()


async def test_modal_can_be_cancelled(page: Page, discord: LocalDiscord) -> None:
    message = await panel(page)
    for leave in ("[Escape]", "[Shift+Tab]"):
        await message.get_by_role("button", name="Words").click()
        form = page.get_by_role("dialog", name="Forbidden words")
        await expect(form).to_be_visible()
        if leave == "[Escape]":
            await write(page, leave)
        else:
            await form.get_by_role("button", name="Cancel").click()
        await expect(form).to_be_hidden()
    assert len(discord.interactions) == 3


async def test_unanswered_modal_stays_open(page: Page, discord: LocalDiscord) -> None:
    message = await panel(page)
    await message.get_by_role("button", name="Words").click()
    form = page.get_by_role("dialog", name="Forbidden words")
    await expect(form).to_be_visible()
    asked = list(discord.interactions.values())[-1]
    assert asked.modal is not None
    asked.modal["custom_id"] = "nobody knows it"
    await form.get_by_role("button", name="Submit").click()
    await discord.until(lambda: len(discord.interactions) == 3)
    discord.age(list(discord.interactions.values())[-1], 3)
    await expect(form.get_by_role("alert").last).to_have_text("The application did not respond")
    await expect(form.get_by_role("button", name="Submit")).to_be_enabled()


async def test_message_context_menu(page: Page, discord: LocalDiscord) -> None:
    await use(page, "imagine", "a fox")
    await expect(messages(page)).to_have_count(1)
    await messages(page).first.hover()
    await messages(page).first.get_by_role("button", name="Apps").click()
    menu = page.get_by_role("menu", name="Apps")
    await expect(menu.get_by_role("menuitem")).to_have_text(["Who made this"])
    await write(page, "[Escape]")
    await expect(menu).to_be_hidden()
    await write(page, "[Enter]", "[Enter]")
    await expect(messages(page).last).to_contain_text("Alice used Who made this")
    await expect(messages(page).last).to_contain_text("@Alice made this")
    await page.get_by_label("Language").select_option("ru")
    await expect(messages(page).last).to_contain_text("Alice использует Чьё это")
    await page.get_by_label("Язык").select_option("en-US")
    await expect(messages(page).last.get_by_role("button", name="Apps")).to_have_count(0)

    await become(page, "Nora")
    image = messages(page).first.get_by_role("img", name="a fox")
    await image.click(button="right", position={"x": 5, "y": 5})
    await expect(menu.get_by_role("menuitem")).to_have_text(["Who made this", "Remove image"])
    await write(page, "[ArrowDown]", "[Enter]")
    await expect(messages(page)).to_have_count(1)
    await expect(messages(page)).to_contain_text(["Removed"])
    await become(page, "Alice")
    await expect(messages(page)).to_have_count(1)
    assert len(discord.channel.messages) == 2


async def test_context_menus_are_localized(page: Page) -> None:
    await use(page, "imagine", "a fox")
    await expect(messages(page)).to_have_count(1)
    await become(page, "Bob")
    await page.get_by_label("Language").select_option("ru")
    await messages(page).first.hover()
    await messages(page).first.get_by_role("button", name="Приложения").click()
    await expect(page.get_by_role("menuitem")).to_have_text(["Чьё это"])
    await become(page, "Alice")
    await expect(page.get_by_label("Language")).to_have_value("en-US")
    await become(page, "Bob")
    await expect(page.get_by_label("Язык")).to_have_value("ru")


async def test_all_option_types(page: Page) -> None:
    await become(page, "Mia")
    await use(page, "quota grant", "@pai", "[Enter]", "dark", "[Enter]", "5")
    await expect(messages(page).last).to_contain_text("5 to @Painters in #after-dark")
    await composer(page).focus()
    await write(page, "/quota grant", "[Enter]", "bo", "[Enter]")
    await expect(suggestions(page)).to_have_text(["images", "after-dark", "bot-log"])


async def test_attachment_download(page: Page) -> None:
    await become(page, "Mia")
    await use(page, "quota export")
    async with page.expect_download() as downloading:
        await messages(page).last.get_by_role("link", name="usage.csv").click()
    download = await downloading.value
    assert download.suggested_filename == "usage.csv"
    assert (await download.path()).read_bytes() == b"member,images\nbob,3\n"


async def test_spoiler_hides_image_and_alt_text(page: Page) -> None:
    await use(page, "secret")
    message = messages(page).last
    await expect(message).to_contain_text("Only you can see this")
    cover = message.get_by_role("button", name="Spoiler")
    await expect(cover).to_be_visible()
    assert "a hidden fox" not in await message.inner_html()
    await cover.click()
    await expect(message.get_by_role("img", name="a hidden fox")).to_have_js_property("naturalWidth", 64)
    await expect(cover).to_have_count(0)


async def test_channel_list_shows_channel_types(page: Page) -> None:
    channels = page.get_by_role("navigation", name="Server").get_by_role("list").get_by_role("button")
    await expect(channels).to_have_text(
        ["# images", "↳ sketches", "# after-dark (age-restricted)", "# bot-log"]
    )
    await channels.nth(1).click()
    await expect(page.get_by_role("combobox", name="Message #sketches")).to_be_visible()
    await channels.nth(0).click()
    await expect(composer(page)).to_be_visible()
