"""`python -m playground --processes 2`: two bots on one PostgreSQL server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.test_playground import last, opened_page, started_playground, use

if TYPE_CHECKING:
    from tests.postgres import PostgresServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_other_process_finishes_what_a_killed_one_began(
    browser: Browser, postgres_server: PostgresServer
) -> None:
    assert postgres_server  # else this test is skipped; the playground starts a server of its own
    async with started_playground("--processes", "2") as address, opened_page(browser, address) as page:
        await use(page, "imagine", "a quiet harbour at night")
        await expect(last(page)).to_contain_text("Generating")
        await page.get_by_role("button", name="Kill the bot").click()
        await page.get_by_role("img", name="offline").wait_for()
        await expect(last(page).get_by_role("img", name="a quiet harbour at night")).to_have_count(1)
        await page.get_by_role("button", name="Start the bot").click()
        await page.get_by_role("img", name="online").wait_for()
        await last(page).get_by_role("button", name="Re-roll").click()
        await expect(last(page).get_by_role("img", name="a quiet harbour at night")).to_have_count(1)
