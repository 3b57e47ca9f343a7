"""What follows a finished image, on the playground's page: Remix, Info and Download."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.e2e.test_playground import TWO_WIDE_IMAGES, address, last, page, picture, use
from tests.page.pages import become, messages

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

__all__ = ["address", "page"]  # fixtures
DONE = re.compile(r"✅ .*\d+ s")


async def test_member_remixes_someone_elses_result(page: Page) -> None:
    await use(page, "imagine", "a hill")
    await expect(last(page)).to_contain_text(DONE)
    await become(page, "Bob")
    await last(page).get_by_role("button", name="Remix · 1 credit").click()
    form = page.get_by_role("dialog", name="Remix")
    prompt = form.get_by_role("textbox", name="Prompt")
    await expect(prompt).to_have_value("a hill")
    await prompt.fill("a hill in the snow")
    await picture(form, "remix", width=None)
    await form.get_by_role("combobox", name="Resolution").click()
    await page.get_by_role("option", name="0.5K").click()
    await form.get_by_role("button", name="Submit").click()
    await expect(last(page)).to_contain_text(DONE)
    await expect(last(page)).to_contain_text("a hill in the snow")
    await expect(last(page)).to_contain_text("0.5K")
    await expect(last(page)).to_contain_text("from an earlier request")
    await expect(last(page).get_by_role("button", name="Remix · 0.75 credits")).to_be_visible()


async def test_privacy(page: Page) -> None:
    await use(page, "imagine", *TWO_WIDE_IMAGES)
    await expect(last(page)).to_contain_text(DONE)
    await use(page, "privacy")
    panel = messages(page).filter(has=page.get_by_role("button", name="Export"))
    await expect(panel).to_contain_text("1 request with prompt and options")
    await picture(panel, "privacy", width=820)
    await panel.get_by_role("button", name="Export").click()
    await expect(last(page).get_by_text("my-data.zip")).to_be_visible()
    await panel.get_by_role("button", name="Delete my data").click()
    form = page.get_by_role("dialog", name="Delete my data")
    await expect(form).to_contain_text("This can't be undone")
    await form.get_by_role("button", name="Submit").click()
    await expect(panel).to_contain_text("1 request without text")
    await expect(messages(page).filter(has=page.get_by_role("button", name="Download"))).to_have_count(0)


async def test_info_and_download_of_one_of_two_images(page: Page) -> None:
    await use(page, "imagine", *TWO_WIDE_IMAGES)
    await expect(last(page)).to_contain_text(DONE)
    result = messages(page).filter(has=page.get_by_role("button", name="Download"))
    await result.get_by_role("button", name="Info").click()
    for text in ("Requested by @Alice", "Aspect ratio: 16:9", "2 credits", "kept until"):
        await expect(last(page)).to_contain_text(text)
    await picture(last(page), "info", width=820)
    await result.get_by_role("button", name="Download").click()
    form = page.get_by_role("dialog", name="Download")
    await form.get_by_role("combobox", name="Image").click()
    await page.get_by_role("option", name="Image 2").click()
    await form.get_by_role("button", name="Submit").click()
    await expect(last(page).get_by_role("img", name=re.compile(r"\(2 of 2\)$"))).to_be_visible()
    await expect(last(page)).to_contain_text("Only you can see this")
