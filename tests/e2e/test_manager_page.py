"""Managers and moderators on the playground's page: limits, reports, removal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.e2e.test_playground import address, last, page, picture, use
from tests.page.pages import become, messages

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

__all__ = ["address", "page"]  # fixtures


async def test_moderator_looks_up_and_removes_an_image(page: Page) -> None:
    await use(page, "imagine", "a hill")
    await expect(last(page)).to_contain_text(re.compile(r"✅ .*\d+ s"))
    await become(page, "Nora")
    shown = messages(page).filter(has=page.get_by_role("img", name="a hill"))
    await shown.get_by_role("button", name="Apps").click()
    await page.get_by_role("menuitem", name="Who made this").click()
    await expect(last(page)).to_contain_text("Requested by @Alice")
    await shown.get_by_role("button", name="Apps").click()
    await page.get_by_role("menuitem", name="Remove image").click()
    form = page.get_by_role("dialog", name="Remove this message?")
    await form.get_by_role("button", name="Submit").click()
    await expect(shown).to_have_count(0)


async def test_member_deletes_own_image(page: Page) -> None:
    await use(page, "imagine", "a hill")
    await expect(last(page)).to_contain_text(re.compile(r"✅ .*\d+ s"))
    await last(page).get_by_role("button", name="Delete").click()
    form = page.get_by_role("dialog", name="Delete this image?")
    await expect(form).to_contain_text("This can't be undone")
    await form.get_by_role("button", name="Submit").click()
    await expect(page.get_by_role("img", name="a hill")).to_have_count(0)


async def test_manager_sets_limits_and_views_report(page: Page) -> None:
    await use(page, "imagine", "a quiet harbour")
    await expect(last(page)).to_contain_text(re.compile(r"✅ .*\d+ s"))
    await use(page, "usage")
    await expect(last(page).get_by_role("img", name=re.compile("Credits you spent"))).to_be_visible()
    await picture(last(page), "usage")
    await become(page, "Mia")
    who = ("[Tab]", "who", "[Enter]", "Painters", "[Enter]")
    await use(page, "quota set", "50", "[Tab]", "month", *who)
    await expect(last(page)).to_contain_text("Members with @Painters can now spend 50 credits per month")
    await use(page, "quota report")
    await expect(
        last(page).get_by_role("img", name=re.compile("Credits in the last 30 days"))
    ).to_be_visible()
    await expect(last(page).get_by_role("link", name="days.csv")).to_be_visible()
    await page.get_by_label("Language").select_option("ru")
    await use(page, "settings")
    await expect(last(page)).to_contain_text("Настройки сервера: Каналы")


async def test_refused_prompt_can_be_edited(page: Page) -> None:
    await use(page, "imagine", "refuse this harbour")
    await expect(last(page)).to_contain_text("Press Edit prompt")
    await last(page).get_by_role("button", name="Edit prompt").click()
    form = page.get_by_role("dialog", name="Edit prompt")
    prompt = form.get_by_role("textbox", name="Prompt")
    await expect(prompt).to_have_value("refuse this harbour")
    await prompt.fill("a quiet harbour")
    await form.get_by_role("button", name="Submit").click()
    await expect(form).to_be_hidden()
    await expect(last(page)).to_contain_text(re.compile(r"✅ .*\d+ s"))
    await expect(last(page).get_by_role("img", name="a quiet harbour")).to_be_visible()
