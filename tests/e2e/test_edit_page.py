"""Edit, Vary, Upscale and the menu Edit image, on the playground's page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import FilePayload, expect

from tests.e2e.pictures import drawn
from tests.e2e.test_playground import WHOLE_ROWS, address, last, page, picture, use, write
from tests.page.pages import become, composer

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

__all__ = ["address", "page"]  # fixtures
DONE = re.compile(r"✅ .*\d+ s")
RED, BLUE = (
    FilePayload(name=f"{color}.png", mimeType="image/png", buffer=drawn(color, (400, 400)))
    for color in ("firebrick", "navy")
)


async def filled(page: Page, name: str, instruction: str) -> Locator:
    """Write what to change into the open form."""
    form = page.get_by_role("dialog", name=name)
    await form.get_by_role("textbox", name="What should change?").fill(instruction)
    return form


async def submitted(form: Locator) -> None:
    await form.get_by_role("button", name="Submit").click()
    await expect(last(form.page)).to_contain_text(DONE)


async def test_one_image_is_edited_varied_and_upscaled(page: Page) -> None:
    await use(page, "imagine", "a mountain lake at noon", "[Tab]", "asp", "[Enter]", "1:1", "[Enter]")
    await expect(last(page)).to_contain_text(DONE)
    await last(page).get_by_role("button", name="Edit · 1 credit").click()
    await submitted(await filled(page, "Edit", "make it night"))
    edited = last(page)
    await expect(edited.get_by_role("img", name="Before")).to_be_visible()
    await expect(edited.get_by_role("img", name="After: make it night")).to_be_visible()
    await picture(edited, "edited", width=WHOLE_ROWS)
    await edited.get_by_role("button", name="Vary · 1 credit").click()
    form = page.get_by_role("dialog", name="Vary")
    await form.get_by_role("combobox", name="How different should it be?").click()
    await page.get_by_role("option", name=re.compile("^Strong")).click()
    await submitted(form)
    await expect(last(page)).to_contain_text("Strong variation")
    await last(page).get_by_role("button", name="Upscale to 2K · 1.5 credits").click()
    await expect(last(page)).to_contain_text("Upscaled to 2K")
    await expect(last(page)).to_contain_text(DONE)
    await expect(last(page).get_by_role("button", name="Upscale to 4K · 2.5 credits")).to_be_visible()


async def test_menu_edits_someone_elses_pictures(page: Page) -> None:
    await become(page, "Bob")
    await page.locator("#attachments").set_input_files([RED, BLUE])
    await composer(page).focus()
    await page.keyboard.type("look")
    await page.keyboard.press("Enter")
    await expect(last(page)).to_contain_text("look")
    await become(page, "Alice")
    await last(page).click(button="right")
    await page.get_by_role("menuitem", name="Edit image").click()
    form = await filled(page, "Edit image", "make it winter")
    await form.get_by_role("combobox", name="Image").click()
    await page.get_by_role("option", name="navy.png").click()
    await page.keyboard.press("Escape")
    await submitted(form)
    await expect(last(page)).to_contain_text("make it winter")


async def test_command_edits_attached_pictures(page: Page) -> None:
    await write(page, "edit", "blend them", "[Enter]")
    await page.get_by_label("image", exact=True).set_input_files([RED])
    await page.keyboard.type("image2")
    await page.keyboard.press("Enter")
    await page.get_by_label("image2", exact=True).set_input_files([BLUE])
    await page.keyboard.press("Enter")
    await expect(last(page)).to_contain_text("blend them")
    await expect(last(page)).to_contain_text(DONE)
    await expect(last(page).get_by_role("img", name="blend them")).to_have_count(1)
