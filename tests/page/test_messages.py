"""Replies, links to messages, scrolling and the keyboard in the list of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Locator, Page, expect

from tests.page.pages import become, composer, messages, use, write

if TYPE_CHECKING:
    import discord as discord_py

    from playground.discord import LocalDiscord
    from playground.discord import Message as LocalMessage
    from tests.page.small_bot import SmallBot

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def fill(page: Page, discord: LocalDiscord, count: int = 30) -> LocalMessage:
    """Post more messages than fit; return the first."""
    first, *_ = [discord.members["bob"].say(f"message *{number}*") for number in range(count)]
    await expect(messages(page)).to_have_count(count)
    return first


async def reply(bot: SmallBot, original: LocalMessage) -> discord_py.Message:
    channel = bot.get_partial_messageable(int(original.channel.id))
    return await channel.send("Here", reference=channel.get_partial_message(int(original.id)))


def quote(page: Page) -> Locator:
    return messages(page).last.get_by_role("button", name="Replies to")


async def test_reply_leads_to_the_original(page: Page, discord: LocalDiscord, bot: SmallBot) -> None:
    first = await fill(page, discord)
    await reply(bot, first)
    await expect(quote(page)).to_have_text("message 0")
    await expect(messages(page).last).to_contain_text("Bobmessage 0")
    await expect(messages(page).first).not_to_be_in_viewport()
    await quote(page).click()
    await expect(messages(page).first).to_be_in_viewport()
    await expect(messages(page).first).to_be_focused()
    await expect(messages(page).first).to_have_class("message found")


async def test_reply_shows_a_deleted_original(page: Page, discord: LocalDiscord, bot: SmallBot) -> None:
    original = discord.members["alice"].say("||secret|| words")
    await reply(bot, original)
    await expect(quote(page)).to_have_text("spoiler words")
    discord.delete(original)
    await expect(messages(page)).to_have_count(1)
    await expect(messages(page)).to_contain_text(["The original message was deleted."])


async def test_response_to_a_button_is_a_reply(page: Page) -> None:
    await use(page, "imagine", "a fox")
    await page.get_by_role("button", name="Re-roll").click()
    await expect(quote(page)).to_have_text("Done")


async def test_jump_to_present(page: Page, discord: LocalDiscord) -> None:
    await fill(page, discord)
    jump = page.get_by_role("button", name="Jump to present")
    await expect(jump).to_be_hidden()
    await page.mouse.move(600, 400)
    await page.mouse.wheel(0, -600)
    await expect(jump).to_be_visible()
    discord.members["bob"].say("the latest")
    await expect(messages(page).last).not_to_be_in_viewport()
    await jump.click()
    await expect(messages(page).last).to_be_in_viewport()
    await expect(jump).to_be_hidden()
    discord.members["bob"].say("one more")
    await expect(messages(page).last).to_contain_text("one more")
    await expect(messages(page).last).to_be_in_viewport()


async def test_message_link_switches_channel_and_scrolls(page: Page, discord: LocalDiscord) -> None:
    first, bob, log = await fill(page, discord), discord.members["bob"], discord.guild.channels[2]
    start = f"https://discord.com/channels/{discord.guild.id}"
    bob.say(f"see {start}/{discord.channel.id}/{first.id} or {start}/{log.id}/1 or {start}/1/1", log)
    await page.get_by_role("button", name="bot-log").click()
    links = page.get_by_role("list", name="Messages in #bot-log").get_by_role("link")
    await expect(links).to_have_text(["#images › 💬", "#bot-log › 💬", "#unknown › 💬"])
    await links.nth(1).click()
    await expect(page.get_by_text("This message no longer exists.")).to_be_visible()
    await links.nth(2).click()
    await expect(page.get_by_text("You can't see this channel.")).to_be_visible()
    await links.nth(0).click()
    await expect(composer(page)).to_be_visible()
    await expect(messages(page).first).to_be_focused()
    await expect(messages(page).first).to_be_in_viewport()


async def test_arrow_keys_move_between_messages(page: Page, discord: LocalDiscord) -> None:
    await fill(page, discord, 3)
    await composer(page).focus()
    await write(page, "[Shift+Tab]")
    while not await messages(page).last.evaluate("(node) => node === document.activeElement"):
        await write(page, "[Shift+Tab]")  # over the composer's and the last message's buttons
    await expect(messages(page).last).to_be_focused()
    await write(page, "[ArrowUp]")
    await expect(messages(page).nth(1)).to_be_focused()
    await expect(messages(page).nth(1)).to_have_accessible_description("message 1")
    await write(page, "[Home]", "[ArrowUp]")
    await expect(messages(page).first).to_be_focused()
    await write(page, "[End]")
    await expect(messages(page).last).to_be_focused()
    await write(page, "[Escape]")
    await expect(composer(page)).to_be_focused()


async def test_lightbox_steps_through_the_images(page: Page) -> None:
    await use(page, "imagine", "a fox", "[Tab]", "num", "[Enter]", "3")
    images, shown = messages(page).get_by_role("img", name="a fox"), page.get_by_role("dialog", name="Image")
    await expect(images).to_have_count(3)
    await images.nth(1).click()
    await expect(shown).to_contain_text("2 of 3")
    await write(page, "[ArrowRight]")
    await expect(shown).to_contain_text("3 of 3")
    await shown.get_by_role("button", name="Next image").click()
    await expect(shown).to_contain_text("1 of 3")
    await write(page, "[ArrowLeft]")
    await expect(shown).to_contain_text("3 of 3")
    link = await shown.get_by_role("img").get_attribute("src")
    assert link == await images.nth(2).get_attribute("src")
    before = await shown.get_by_role("img").bounding_box()
    await shown.get_by_role("img").click()
    after = await shown.get_by_role("img").bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] >= 2 * before["width"]


async def test_alt_badge_shows_the_description(page: Page) -> None:
    await use(page, "imagine", "a fox")
    await messages(page).get_by_role("img", name="a fox").hover(position={"x": 5, "y": 5})
    badge = messages(page).get_by_role("button", name="Description: a fox")
    await expect(badge).to_have_css("opacity", "1")
    await expect(page.locator(".alt-text")).to_be_hidden()
    await badge.hover()
    await expect(page.locator(".alt-text")).to_be_visible()


async def test_pickers_show_avatars(page: Page) -> None:
    await become(page, "Mia")
    await use(page, "settings")
    await messages(page).last.get_by_role("combobox", name="Who").click()
    member = page.get_by_role("listbox", name="Who").get_by_role("option", name="Bob")
    await expect(member.locator(".avatar")).to_have_text("B")
    await member.click()
    await expect(messages(page).last.locator(".token .avatar")).to_have_text("B")
    await write(page, "[Escape]")
    await composer(page).focus()
    await write(page, "/quota grant", "[Enter]", "ali")
    await expect(page.locator("#choices .avatar")).to_have_text("A")
    await expect(page.locator("#choices .label")).to_have_text("Alice")
