"""Pictures in the page: chosen for commands, forms and messages, and shown in every kind of message."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import FilePayload, Locator, Page, expect

from playground.discord import UploadedFile
from tests.page.pages import CONTRAST, become, composer, messages, suggestions, use, write
from tests.page.picture_bot import PictureBot, picture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.discord import Interaction, LocalDiscord

pytestmark = pytest.mark.asyncio(loop_scope="session")

PNG = picture((40, 90, 160), "x.png").fp.read()
FOX, OWL, CAT = (
    FilePayload(name=f"{name}.png", mimeType="image/png", buffer=PNG) for name in ("fox", "owl", "cat")
)
ELSEWHERE = "https://pictures.example/cat.png"
TRANSFER = """async (names) => {
  const png = await (await fetch(document.querySelector(".tile img").src)).blob();
  const data = new DataTransfer();
  names.forEach((name) => data.items.add(new File([png], name, { type: "image/png" })));
  return data;
}"""

PASTE = """(field, data) => {
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def bot(discord: LocalDiscord) -> AsyncIterator[PictureBot]:
    bot = PictureBot(discord.connector())
    running = asyncio.create_task(bot.start(discord.token))
    await discord.until(lambda: discord.commands and discord.is_online)
    yield bot
    await bot.close()
    await running


async def begin(page: Page, command: str, *keys: str) -> None:
    await composer(page).focus()
    await write(page, f"/{command}")
    await suggestions(page).first.wait_for()
    await write(page, "[Enter]", *keys)


async def is_loaded(image: Locator) -> None:
    await expect(image).to_have_js_property("naturalWidth", 64)


async def sent_files(discord: LocalDiscord, count: int) -> list[str]:
    """Wait for so many interactions; return the names of the last one's files in the order of its options."""
    await discord.until(lambda: len(discord.interactions) == count)
    data = last(discord).event["d"]["data"]
    found = data["resolved"]["attachments"]
    return [found[each["value"]]["filename"] for each in data["options"] if each["type"] == 11]


def last(discord: LocalDiscord) -> Interaction:
    return list(discord.interactions.values())[-1]


async def test_files_are_posted(page: Page, discord: LocalDiscord) -> None:
    await page.locator("#attachments").set_input_files([FOX, OWL])
    await page.locator("#attachments").set_input_files([CAT])
    attached = page.locator("#attached")
    await is_loaded(attached.locator("img").last)
    await attached.get_by_role("button", name="Remove owl.png").click()
    await expect(attached.locator(".card")).to_have_count(2)
    await expect(composer(page)).to_be_focused()
    await write(page, "look", "[Enter]")
    await expect(messages(page)).to_have_count(1)
    await is_loaded(messages(page).locator(".tile img").last)
    await expect(attached).to_be_hidden()
    [said] = discord.channel.messages
    names = [(each["filename"], each["content_type"]) for each in said.attachments]
    assert (said.content, names) == ("look", [("fox.png", "image/png"), ("cat.png", "image/png")])
    await write(page, "[Enter]")  # there is nothing left to post
    await page.locator("#attachments").set_input_files([FOX])
    await write(page, "[Enter]")
    await expect(messages(page)).to_have_count(2)


async def test_file_that_is_too_large_is_not_posted(page: Page, discord: LocalDiscord) -> None:
    discord.attachment_size_limit = len(PNG)
    await become(page, "Bob")  # the page learns the limit when it opens
    await page.locator("#attachments").set_input_files([FOX | {"buffer": PNG + b"0"}])
    await write(page, "look", "[Enter]")
    await expect(page.get_by_role("alert")).to_have_text(f"fox.png is larger than {len(PNG)} bytes.")
    await composer(page).fill("")
    await begin(page, "edit", "night", "[Enter]")
    await expect(page.get_by_label("image", exact=True)).to_be_focused()
    await expect(page.get_by_role("alert")).to_contain_text("fox.png is larger than")
    assert (discord.channel.messages, discord.interactions) == ([], {})


async def test_file_option(page: Page, discord: LocalDiscord) -> None:
    await begin(page, "edit", "night", "[Enter]")
    image = page.get_by_label("image", exact=True)
    await expect(image).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_role("alert")).to_contain_text("This option is required")
    await image.set_input_files([OWL])
    await page.get_by_role("button", name="Remove owl.png").click()
    await expect(image).to_be_focused()
    await image.set_input_files([FOX])
    await is_loaded(page.locator(".chip img"))
    await expect(composer(page)).to_have_count(0)
    await write(page, "im", "[Enter]")
    await page.get_by_label("image2", exact=True).set_input_files([CAT])
    await write(page, "[Enter]")
    await expect(messages(page)).to_contain_text(["night: fox.png, cat.png"])
    assert await sent_files(discord, 1) == ["fox.png", "cat.png"]
    await is_loaded(messages(page).locator(".tile img").last)


async def test_dropped_and_pasted_files(page: Page, discord: LocalDiscord) -> None:
    discord.members["bob"].say(files=[UploadedFile("fox.png", PNG)])
    await is_loaded(messages(page).locator(".tile img").last)
    main = page.get_by_role("main")
    await main.dispatch_event("drop", {"dataTransfer": await page.evaluate_handle(TRANSFER, ["fox.png"])})
    await expect(page.locator("#attached .card")).to_have_count(1)
    await begin(page, "edit")  # takes the file that waits beside the text
    await expect(page.locator("#attached .card")).to_have_count(0)
    await main.dispatch_event(
        "drop", {"dataTransfer": await page.evaluate_handle(TRANSFER, ["owl.png", "cat.png"])}
    )
    await expect(page.locator(".chip .card")).to_have_count(2)  # one was too many
    await write(page, "night", "[Enter]")
    assert await sent_files(discord, 1) == ["fox.png", "owl.png"]
    await expect(messages(page)).to_have_count(2)
    await composer(page).evaluate(PASTE, await page.evaluate_handle(TRANSFER, ["cat.png"]))
    await expect(page.locator("#attached")).to_contain_text("cat.png")


async def test_form_with_files_and_choices(page: Page, discord: LocalDiscord) -> None:
    await use(page, "result")
    rows = messages(page).last.get_by_role("button", name="Re-roll")
    await expect(rows).to_have_count(5)
    await rows.nth(2).click()
    form = page.get_by_role("dialog", name="Remix")
    words = form.get_by_role("textbox")
    await expect(words).to_be_focused()
    await form.get_by_role("button", name="Submit").click()
    await expect(form.get_by_role("alert").filter(has_text="required")).to_have_count(1)
    pictures = form.get_by_label("Pictures")
    await pictures.set_input_files([FOX, OWL])
    await pictures.set_input_files([CAT, FOX])  # the fourth is one too many
    await expect(form.locator(".card")).to_have_count(3)
    await form.get_by_role("button", name="Remove owl.png").click()
    await form.get_by_role("radio", name="1:1").focus()
    await write(page, "[ArrowDown]")
    await expect(form.get_by_role("radio", name="16:9")).to_be_checked()
    for name in ("Web search", "Keep the seed", "Safe"):
        await form.get_by_role("checkbox", name=name).check()
    await form.get_by_role("button", name="Submit").click()
    await expect(form.get_by_text("Choose at most 2.")).to_be_visible()
    await form.get_by_role("checkbox", name="Safe").uncheck()
    await form.get_by_role("checkbox", name="Only for me").check()
    await form.get_by_role("button", name="Submit").click()
    said = "a fox; ['fox.png', 'cat.png']; 16:9; ['Web search', 'Keep the seed']; True"
    await expect(messages(page).last).to_contain_text(said)
    await expect(form).to_be_hidden()
    assert json.dumps(last(discord).event).count('"ephemeral": true') == 2


async def test_message_menu_on_a_picture(page: Page, discord: LocalDiscord) -> None:
    discord.members["bob"].say(files=[UploadedFile("fox.png", PNG)])
    await messages(page).last.locator(".tile img").last.click(button="right")
    await page.get_by_role("menuitem", name="Edit image").click()
    await expect(page.get_by_role("dialog", name="Remix")).to_be_visible()
    [target] = last(discord).event["d"]["data"]["resolved"]["messages"].values()
    assert target["attachments"][0]["filename"] == "fox.png"


async def test_autocomplete(page: Page, discord: LocalDiscord) -> None:
    await begin(page, "image paint", "a fox", "[Tab]", "sty", "[Enter]")
    await expect(suggestions(page)).to_have_text(["Oil On Canvas", "Ink", "Chalk"])
    await write(page, "in")
    await expect(suggestions(page)).to_have_text(["Ink"])
    await write(page, "[Enter]")
    await expect(page.get_by_role("combobox", name="style")).to_have_value("Ink")
    await write(page, "[Enter]")
    await expect(messages(page).last).to_contain_text("a fox in ink")
    await begin(page, "image paint", "an owl", "[Tab]", "sty", "[Enter]", "fog")
    await expect(suggestions(page)).to_have_count(0)
    await write(page, "[Enter]")
    await expect(messages(page).last).to_contain_text("an owl in fog")
    kinds = [each.event["d"]["type"] for each in discord.interactions.values()]
    assert kinds.count(2) == 2
    asked = last(discord).event["d"]["data"]["options"][0]["options"]
    assert {each["name"]: each["value"] for each in asked} == {"prompt": "an owl", "style": "fog"}


async def test_unanswered_autocomplete_is_explained(page: Page, discord: LocalDiscord) -> None:
    discord.inject_fault("callback", 500, {}, times=10)
    discord.response_seconds = 0.3
    await begin(page, "image paint", "a fox", "[Tab]", "sty", "[Enter]")
    await expect(page.get_by_text("The app suggested nothing in time.")).to_be_visible()
    discord.clear_faults()


async def test_pictures_of_other_apps(page: Page, discord: LocalDiscord) -> None:
    fox, owl = UploadedFile("fox.png", PNG), UploadedFile("owl.png", PNG)
    discord.cdn.put(ELSEWHERE, fox)
    app, alice = discord.add_app("sketcher"), discord.members["alice"]
    alice.say(f"see {ELSEWHERE}")
    await is_loaded(messages(page).last.locator(".tile img").last)
    app.post(
        {
            "embeds": [
                {"title": "a", "thumbnail": {"url": ELSEWHERE}, "image": {"url": "attachment://fox.png"}}
            ]
        },
        [fox],
    )
    for image in await messages(page).last.locator(".tile img").all():
        await is_loaded(image)
    section: dict[str, Any] = {"type": 9, "components": [{"type": 10, "content": "a **cat**"}]}
    section |= {"accessory": {"type": 11, "media": {"url": ELSEWHERE}}}
    gallery = {
        "type": 12,
        "items": [{"media": {"url": f"attachment://{name}.png"}} for name in ("fox", "owl")],
    }
    file = {"type": 13, "file": {"url": "attachment://owl.png"}}
    parts = [{"type": 17, "components": [section, gallery]}, file]
    posted = app.post({"flags": 1 << 15, "components": parts}, [fox, owl])
    await expect(messages(page).last.locator("strong")).to_have_text("cat")
    await expect(messages(page).last.get_by_role("link", name="owl.png")).to_be_visible()
    alice.forward(posted)
    await expect(messages(page).last).to_contain_text("Forwarded")
    for number in (2, 3):
        images = messages(page).nth(number).locator(".tile img")
        await expect(images).to_have_count(3)
        for image in await images.all():
            await is_loaded(image)
    alice.say(stickers=[UploadedFile("wave.png", PNG)])
    await is_loaded(messages(page).last.get_by_role("img", name="wave"))


async def test_many_buttons_and_files_fit_a_phone(page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await use(page, "result")
    message = messages(page).last
    await is_loaded(message.get_by_role("img", name="after"))
    buttons = message.locator(".row button")
    await expect(buttons).to_have_count(25)
    boxes = [await each.bounding_box() for each in await buttons.all()]
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    await begin(page, "edit", "night")
    long = FOX | {"name": f"{'a very long name ' * 9}.png"}
    await page.get_by_label("image", exact=True).set_input_files([long])
    remove = await page.get_by_role("button", name="Remove a very long").bounding_box()
    assert remove
    assert remove["x"] + remove["width"] <= 390
    assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_words_about_files_and_choices_can_be_read(page: Page) -> None:
    await page.locator("#attachments").set_input_files([FOX])
    assert await page.evaluate(CONTRAST) == []
    await begin(page, "edit", "[Enter]")
    assert await page.evaluate(CONTRAST) == []
    await write(page, "[Escape]")
    await use(page, "result")
    await messages(page).last.get_by_role("button", name="Re-roll").first.click()
    form = page.get_by_role("dialog", name="Remix")
    await form.get_by_role("button", name="Submit").click()
    assert await page.evaluate(CONTRAST) == []
    await form.get_by_label("Pictures").set_input_files([OWL])
    await form.get_by_role("radio", name="9:16").check()
    assert await page.evaluate(CONTRAST) == []


async def test_russian_words(page: Page) -> None:
    await page.get_by_label("Language").select_option("ru")
    await expect(page.get_by_role("button", name="Прикрепить файлы")).to_be_visible()
    await begin(page, "edit")
    await expect(page.locator(".place")).to_contain_text("Выберите или перетащите файл")
