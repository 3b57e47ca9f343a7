import asyncio
import re

import discord as discord_py
import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from playground.discord import LocalDiscord
from tests.page.pages import become, composer, messages, suggestions, use, write
from tests.page.small_bot import SmallBot

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = '<img src=x onerror="document.title=1"> <script>1</script> **bold** [x](javascript:alert(1)) [ok](https://a.example)'


async def test_command_by_keyboard(page: Page, discord: LocalDiscord) -> None:
    await composer(page).focus()
    await write(page, "/im")
    await expect(suggestions(page)).to_have_count(1)
    await write(page, "[Enter]", "a fox, in the snow", "[Tab]", "asp", "[Enter]", "16", "[Tab]")
    await expect(page.get_by_role("combobox", name="aspect_ratio")).to_have_value("16:9")
    await write(page, "[ArrowDown]", "[Enter]", "3", "[Enter]")

    await expect(messages(page)).to_contain_text(["Alice used /imagine"])
    await expect(messages(page).get_by_role("heading", name="3 of 16:9")).to_be_visible()
    (interaction,) = discord.interactions.values()
    options = {each["name"]: each["value"] for each in interaction.event["d"]["data"]["options"]}
    assert options == {"prompt": "a fox, in the snow", "num_images": 3, "aspect_ratio": "16:9"}
    await expect(composer(page)).to_be_focused()


async def test_pasted_command(page: Page) -> None:
    await composer(page).fill("/imagine a red fox")
    await expect(page.get_by_role("textbox", name="prompt")).to_have_value("a red fox")
    await write(page, "[Escape]")
    await expect(composer(page)).to_be_empty()


async def test_option_navigation_by_keyboard(page: Page) -> None:
    await composer(page).focus()
    await write(page, "/im", "[Enter]", "fox", "[Tab]", "num", "[Enter]")
    number = page.get_by_role("textbox", name="num_images")
    await expect(number).to_be_focused()
    await write(page, "[Shift+Tab]")
    await expect(page.get_by_role("textbox", name="prompt")).to_be_focused()
    await write(page, "[Tab]", "[Backspace]")
    await expect(number).to_have_count(0)
    await expect(page.get_by_placeholder("+3 optional")).to_have_count(1)


@pytest.mark.parametrize(
    ("keys", "name", "word"),
    [
        ([], "prompt", "This option is required"),
        (["fox", "[Tab]", "num", "[Enter]", "9"], "num_images", "Must be 1 to 4"),
        (["fox", "[Tab]", "num", "[Enter]", "2.5"], "num_images", "Must be a whole number"),
        (["fox", "[Tab]", "num", "[Enter]"], "num_images", "Give it a value, or remove this option"),
        (["fox", "[Tab]", "asp", "[Enter]", "square"], "aspect_ratio", "Must be one of the list"),
    ],
)
async def test_invalid_option_is_explained_and_not_sent(
    page: Page, discord: LocalDiscord, keys: list[str], name: str, word: str
) -> None:
    await use(page, "imagine", *keys)
    field = page.get_by_label(name, exact=True)
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(field).to_be_focused()
    await expect(page.get_by_role("alert")).to_contain_text(word)
    assert not discord.interactions


async def test_plain_text_is_posted(page: Page, discord: LocalDiscord) -> None:
    await composer(page).focus()
    await write(page, "hello **you**", "[Enter]")
    await expect(messages(page)).to_have_count(1)
    await expect(messages(page).locator("strong")).to_have_text("you")
    await expect(composer(page)).to_be_empty()
    await write(page, "/nothing", "[Enter]")
    await expect(page.get_by_text("No matching command.")).to_be_visible()
    await composer(page).fill("x" * 2001)
    await write(page, "[Enter]")
    await expect(page.get_by_role("alert")).to_have_text("A message has at most 2000 characters.")
    assert [each.content for each in discord.channel.messages] == ["hello **you**"]
    assert not discord.interactions
    await page.get_by_role("button", name="Delete message").click()
    await expect(messages(page)).to_have_count(0)


async def test_prompt_is_not_rendered_as_html(page: Page) -> None:
    await composer(page).fill("/imagine ")
    await page.get_by_role("textbox", name="prompt").fill(HOSTILE)
    await write(page, "[Enter]")
    embed = messages(page).get_by_role("article")
    await expect(embed).to_contain_text('<img src=x onerror="document.title=1"> <script>1</script> bold')
    await expect(embed).to_contain_text("[x](javascript:alert(1))")
    await expect(embed.locator("strong")).to_have_text("bold")
    await expect(embed.get_by_role("link")).to_have_attribute("href", "https://a.example")
    assert await messages(page).locator("img[src=x], script").count() == 0
    await expect(page).to_have_title("#images · Playground")


async def test_markdown_matches_discord(page: Page) -> None:
    await use(page, "imagine", r"*it* __under__ ~~gone~~ `x*y*` ||secret|| \*plain\* snake_case_name <t:0:D>")
    embed = messages(page).get_by_role("article")
    for tag, words in {"em": "it", "u": "under", "s": "gone", "code": "x*y*"}.items():
        await expect(embed.locator(tag)).to_have_text(words)
    await expect(embed).to_contain_text("*plain* snake_case_name January 1, 1970")
    await expect(embed.get_by_text("secret")).to_be_hidden()
    await embed.get_by_role("button", name="Spoiler").click()
    await expect(embed.get_by_text("secret")).to_be_visible()


async def test_image_alt_text_and_lightbox(page: Page) -> None:
    await use(page, "imagine", "a fox", "[Tab]", "num", "[Enter]", "2")
    images = messages(page).get_by_role("img", name="a fox")
    await expect(images).to_have_count(2)
    await expect(images.first).to_have_js_property("naturalWidth", 64)
    await expect(messages(page).get_by_role("link", name="prompt.txt")).to_be_visible()
    await images.first.click()
    await expect(page.get_by_role("dialog").get_by_role("img", name="a fox")).to_be_visible()
    await write(page, "[Escape]")
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_ephemeral_message_can_be_dismissed(page: Page, discord: LocalDiscord) -> None:
    await use(page, "usage")
    await expect(messages(page)).to_contain_text(["4 of 10 images"])
    await expect(messages(page)).to_contain_text(["Only you can see this"])
    await become(page, "Bob")
    await expect(messages(page)).to_have_count(0)
    await become(page, "Alice")
    await page.get_by_role("button", name="Dismiss message").click()
    await expect(messages(page)).to_have_count(0)
    await discord.until(lambda: not discord.channel.messages)


async def test_button_shows_progress_until_answered(page: Page) -> None:
    await use(page, "imagine", "fox")
    await expect(page.get_by_role("button", name="Gone")).to_be_disabled()
    await expect(page.get_by_role("link", name="Docs")).to_have_attribute("href", "https://example.com/docs")
    await page.get_by_role("button", name="Re-roll").click()
    await expect(messages(page)).to_have_count(2)
    await expect(messages(page).last).to_contain_text("Again, @Alice")
    await expect(page.get_by_role("button", name="Re-roll")).not_to_have_attribute("aria-disabled", "true")


async def test_unanswered_interaction_shows_failure(page: Page, discord: LocalDiscord) -> None:
    await use(page, "silence")
    await expect(messages(page)).to_contain_text(["Sending command"])
    await discord.until(lambda: discord.interactions)
    discord.age(next(iter(discord.interactions.values())), 3)
    await expect(messages(page).get_by_role("alert")).to_have_text("The application did not respond")

    await use(page, "imagine", "fox")
    silent = page.get_by_role("button", name="Silent")
    await silent.click()
    await expect(silent).to_have_attribute("aria-busy", "true")
    await discord.until(lambda: len(discord.interactions) == 3)
    discord.age(list(discord.interactions.values())[-1], 3)
    await expect(messages(page).last.get_by_role("alert")).to_be_visible()
    await expect(silent).not_to_have_attribute("aria-busy", "true")


async def test_manager_only_actions(page: Page, discord: LocalDiscord) -> None:
    await use(page, "imagine", "fox")
    await expect(messages(page)).to_have_count(1)
    await composer(page).fill("/quota")
    await expect(suggestions(page)).to_have_count(0)
    await become(page, "Mia")
    await use(page, "quota set", "5", "[Tab]", "w", "[Enter]", "mem", "[Enter]", "bo", "[Enter]")
    await expect(messages(page).last).to_contain_text("5 per week for @Bob")
    await messages(page).first.hover()
    await page.get_by_role("button", name="Delete message").click()
    await expect(messages(page)).to_have_count(1)
    assert len(discord.channel.messages) == 1


async def test_locale_is_sent_and_applied(page: Page, discord: LocalDiscord) -> None:
    await page.get_by_label("Language").select_option("ru")
    await composer(page).fill("/im")
    await expect(suggestions(page)).to_contain_text("Нарисовать по описанию")
    await composer(page).focus()
    await write(page, "[Enter]", "лиса", "[Enter]")
    await expect(messages(page).get_by_role("article")).to_contain_text(re.compile("ноября 2023"))
    (interaction,) = discord.interactions.values()
    assert interaction.event["d"]["locale"] == "ru"


async def test_presence_dot_follows_the_bot(page: Page, bot: SmallBot) -> None:
    await bot.close()
    await expect(page.get_by_role("img", name="offline")).to_be_visible()


async def test_reconnect_keeps_the_draft(page: Page) -> None:
    sockets: list[WebSocketRoute] = []
    is_seen = asyncio.Event()  # it reconnects so soon that polling could miss it

    async def pass_through(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if len(sockets) > 1:
            await is_seen.wait()
        socket.connect_to_server()

    await page.route_web_socket("**/client/socket*", pass_through)
    await page.reload()
    await expect(page.get_by_role("img", name="online")).to_be_visible()
    await composer(page).fill("/imagine a fox")
    await sockets[0].close()
    await expect(page.get_by_text("Connection lost")).to_be_visible()
    is_seen.set()
    await expect(page.get_by_text("Connection lost")).to_be_hidden()
    assert len(sockets) == 2
    await page.get_by_role("textbox", name="prompt").press("Enter")
    await expect(messages(page)).to_contain_text(["Alice used /imagine"])


async def test_direct_message_opens_its_channel(page: Page, discord: LocalDiscord, bot: SmallBot) -> None:
    channel = await bot.create_dm(discord_py.Object(int(discord.members["alice"].id)))
    await channel.send("Your image")
    await page.get_by_role("button", name="imagine (direct)").click()
    await expect(page.get_by_role("list", name="Messages in #imagine (direct)")).to_contain_text("Your image")
