"""How the playground starts, keeps its data, and what its panel controls."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Dialog, Page, expect

from tests.e2e.test_playground import ROOT, SOON, address, last, page, use
from tests.page.pages import become, messages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

__all__ = ["address", "page"]  # fixtures


async def is_online(page: Page) -> None:
    await expect(page.get_by_role("img", name="online")).to_have_count(1, timeout=SOON)


async def test_image_service_can_fail_and_recover(page: Page) -> None:
    service = page.get_by_label("Image service")
    await service.select_option("failing")
    await use(page, "imagine", "a hill")
    await expect(last(page).get_by_role("button", name="Retry")).to_be_visible()
    await service.select_option("refusing")
    await use(page, "imagine", "a lake")
    await expect(last(page).get_by_role("button", name="Edit prompt")).to_be_visible()
    await expect(last(page).get_by_role("button", name="Retry")).to_have_count(0)
    await service.select_option("down")
    await use(page, "imagine", "a wood")
    await expect(last(page).get_by_role("button", name="Retry")).to_be_visible()
    await service.select_option("slow")
    await use(page, "imagine", "a bay")
    await expect(last(page)).to_contain_text("a bay")
    await service.select_option("normal")
    await expect(last(page).get_by_role("img", name="a bay")).to_be_visible()


async def test_day_can_be_skipped(page: Page) -> None:
    await use(page, "imagine", "a hill")
    await expect(last(page).get_by_role("img", name="a hill")).to_be_visible()
    await use(page, "usage")
    await expect(last(page)).to_contain_text("1 of 10")
    await page.get_by_role("button", name="Skip a day").click()
    await expect(page.get_by_text("Days ahead: 1")).to_be_visible()
    await is_online(page)
    await use(page, "usage")
    await expect(last(page)).to_contain_text("0 of 10")
    await expect(last(page)).to_contain_text(re.compile(r"resets in \d+ (hour|minute|second)"))
    await expect(messages(page).first).to_contain_text("yesterday")
    await use(page, "imagine", "a lake")
    await expect(last(page).get_by_role("img", name="a lake")).to_be_visible()


async def test_start_over_begins_with_clean_data(page: Page) -> None:
    await become(page, "Mia")
    await use(page, "imagine", "a hill")
    await expect(last(page).get_by_role("img", name="a hill")).to_be_visible()
    before = page.url

    async def accept(dialog: Dialog) -> None:
        await dialog.accept()

    page.on("dialog", accept)
    async with page.expect_event("load"):
        await page.get_by_role("button", name="Start over").click()
    await is_online(page)
    await expect(messages(page)).to_have_count(0)
    assert page.url == before
    await use(page, "usage")
    await expect(last(page)).to_contain_text("0 of 10")


@asynccontextmanager
async def playground(folder: Path, *arguments: str) -> AsyncIterator[list[str]]:
    """Start it in a folder; yield the lines up to the address, and all that was printed at the end."""
    lines: list[str] = []
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "playground", *arguments),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout
    try:
        async for line in process.stdout:
            lines.append(line.decode().strip())
            if "http://" in lines[-1]:
                break
        yield lines
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = await process.communicate()
        lines += rest.decode().split("\n")
    assert process.returncode == 0


def last_address(lines: list[str]) -> str:
    assert lines[0].startswith("Starting")
    assert "//discord.com" not in "\n".join(lines)
    return [line for line in lines if line][-1].rpartition(" ")[2]


def is_empty(folder: Path) -> bool:
    return not list(folder.iterdir())


async def test_address_is_the_same_unless_taken(tmp_path: Path) -> None:
    async with playground(tmp_path) as first, playground(tmp_path) as second:
        addresses = {first[-1].rpartition(" ")[2], second[-1].rpartition(" ")[2]}
        assert len(addresses) == 2
    assert {last_address(first), last_address(second)} == addresses
    assert is_empty(tmp_path)


async def test_keep_continues_the_last_run(browser: Browser, tmp_path: Path) -> None:
    context = await browser.new_context(locale="en-US")
    page = await context.new_page()
    page.set_default_timeout(SOON)
    async with playground(tmp_path, "--keep") as lines:
        await page.goto(lines[-1].rpartition(" ")[2])
        await is_online(page)
        await use(page, "imagine", "a hill")
        await expect(last(page).get_by_role("img", name="a hill")).to_be_visible()
        await use(page, "imagine", "a lake")
        await expect(last(page)).to_contain_text("a lake")
    async with playground(tmp_path, "--keep") as lines:
        await page.goto(lines[-1].rpartition(" ")[2])
        await is_online(page)
        await expect(messages(page)).to_have_count(2)
        await expect(last(page).get_by_role("img", name="a lake")).to_be_visible()
        await messages(page).first.get_by_role("button", name="Re-roll").click()
        await expect(messages(page)).to_have_count(3)
        await use(page, "usage")
        await expect(last(page)).to_contain_text("3 of 10")
    await context.close()
    log = (tmp_path / ".playground" / "bot.log").read_text("utf-8")
    assert "ready as" in log
    assert "//discord.com" not in log
