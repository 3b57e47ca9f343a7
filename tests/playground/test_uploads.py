"""Files that members upload for commands, and how Discord's file servers serve them."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import aiohttp
import pytest

from playground.clock import CLOCK
from playground.discord import RejectedByClient, UploadedFile
from tests.playground.conftest import PNG, Bot, running
from tests.playground.edit_bot import EditBot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import discord

    from playground.discord import LocalDiscord, Member
    from tests.playground.conftest import Api

FOX = UploadedFile("fox.png", PNG)
LONG = UploadedFile("long.png", PNG * 1000)
LINK = re.compile(
    r"https://cdn\.discordapp\.com/ephemeral-attachments/\d+/\d+/[\w.-]+\?ex=[0-9a-f]+&is=[0-9a-f]+&hm=[0-9a-f]{64}&"
)


@pytest.fixture
async def bot(local: LocalDiscord) -> AsyncIterator[Bot]:
    async with running(local, EditBot, connector=local.connector()) as bot:
        yield bot


@pytest.fixture
async def http(local: LocalDiscord) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=local.connector()) as session:
        yield session


async def upload(bot: Bot, alice: Member, file: UploadedFile = FOX) -> discord.Attachment:
    assert isinstance(bot, EditBot)
    await alice.command("edit", prompt="night", image=file)
    return await bot.image()


async def status(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url, allow_redirects=False) as response:
        return response.status


async def test_file_options_arrive_as_attachments(local: LocalDiscord, bot: Bot, alice: Member) -> None:
    named = UploadedFile("Моя лиса (2) é.png", PNG, content_type="image/webp", declared_size=7)
    said = await (await alice.command("edit", prompt="night", image=FOX, image2=named)).response()
    assert said.text == "night: fox.png, 2_e.png"
    [first, second] = (
        local.interactions[bot.seen[-1].token].event["d"]["data"]["resolved"]["attachments"].values()
    )
    assert LINK.fullmatch(first["url"])
    assert first["proxy_url"] == first["url"].replace("cdn.discordapp.com", "media.discordapp.net")
    assert (first["size"], first["content_type"], first["ephemeral"]) == (len(PNG), "image/png", True)
    assert (first["width"], first["height"], "title" in first) == (2, 1, False)
    assert (second["title"], second["content_type"], second["size"]) == ("Моя лиса (2) é", "image/webp", 7)
    image = bot.seen[-1].namespace.image2
    assert (await image.read(), await image.read(use_cached=True)) == (PNG, PNG)


async def test_other_files_have_no_pixel_size(bot: Bot, alice: Member) -> None:
    image = await upload(bot, alice, UploadedFile("видео.mp4", b"no video"))
    assert (image.width, image.height, image.content_type) == (None, None, "video/mp4")
    assert (image.filename, image.title) == ("file.mp4", "видео")


async def test_client_rejects_what_it_would_not_upload(local: LocalDiscord, bot: Bot, alice: Member) -> None:
    local.attachment_size_limit = len(PNG)
    for wrong in (UploadedFile("big.png", PNG + b"0"), "fox.png", PNG, None):
        with pytest.raises(RejectedByClient):
            await alice.command("edit", prompt="night", image=wrong)
    with pytest.raises(RejectedByClient):
        await alice.command("edit", prompt="night")
    with pytest.raises(RejectedByClient):
        await alice.command("edit", prompt=FOX, image=FOX)
    assert (bot.seen, local.cdn.files) == ([], {})


async def test_links_need_a_signature_and_expire(
    bot: Bot, alice: Member, http: aiohttp.ClientSession
) -> None:
    url = (await upload(bot, alice)).url
    assert [await status(http, each) for each in (url, f"{url}format=webp&width=64")] == [200, 200]
    forged = (url.partition("?")[0], url.replace("hm=", "hm=0"), url.replace("?ex=", "?ex=f"))
    assert [await status(http, each) for each in forged] == [404] * 3
    CLOCK.skip(25 * 3600)
    try:
        assert await status(http, url) == 404
    finally:
        CLOCK.skip(-25 * 3600)


async def test_deleted_files_are_gone(
    local: LocalDiscord, bot: Bot, alice: Member, http: aiohttp.ClientSession
) -> None:
    image = await upload(bot, alice)
    local.cdn.remove({"id": str(image.id)})
    assert await status(http, image.url) == 404
    shown = await (await alice.command("draw", prompt="fox")).response()
    await local.until(lambda: shown.files)
    url = shown.files[0]["url"]
    assert await status(http, url) == 200
    local.delete(shown)
    assert await status(http, url) == 404


async def test_old_messages_come_with_new_links(
    local: LocalDiscord, bot: Bot, alice: Member, api: Api, http: aiohttp.ClientSession
) -> None:
    shown = await (await alice.command("draw", prompt="fox")).response()
    await local.until(lambda: shown.files)
    path = f"/channels/{local.channel.id}/messages/{shown.id}"
    _, before = await api("GET", path)
    CLOCK.skip(30 * 3600)
    try:
        assert await status(http, before["attachments"][0]["url"]) == 404
        _, after = await api("GET", path)
        assert await status(http, after["attachments"][0]["url"]) == 200
        assert await status(http, after["embeds"][0]["image"]["proxy_url"]) == 200
        await (await alice.press(shown, "Again")).response()
        pressed = bot.seen[-1].message
        assert pressed is not None
        assert await status(http, pressed.attachments[0].url) == 200
    finally:
        CLOCK.skip(-30 * 3600)


async def test_faults_of_the_file_server(
    local: LocalDiscord, bot: Bot, alice: Member, http: aiohttp.ClientSession
) -> None:
    url = (await upload(bot, alice, LONG)).url
    local.cdn.inject_fault(403, times=2)
    local.cdn.inject_fault(302, location="https://elsewhere.example/")
    assert [await status(http, url) for _ in range(4)] == [403, 403, 302, 200]
    local.cdn.inject_fault(is_truncated=True)
    with pytest.raises(aiohttp.ClientPayloadError):
        async with http.get(url) as response:
            await response.read()
    local.cdn.inject_fault(data=b"more than it says" * 9, has_length=False)
    async with http.get(url) as response:
        assert (response.content_length, len(await response.read())) == (None, 153)
    local.cdn.inject_fault(403)
    local.cdn.clear_faults()
    assert await status(http, url) == 200


async def test_held_file_arrives_after_release(
    local: LocalDiscord, bot: Bot, alice: Member, http: aiohttp.ClientSession
) -> None:
    url = (await upload(bot, alice, LONG)).url
    local.cdn.hold()
    async with http.get(url, headers={"X-Test": "1"}) as response:
        assert await response.content.readexactly(len(LONG.data) // 2) == LONG.data[: len(LONG.data) // 2]
        rest = asyncio.create_task(response.read())
        assert not rest.done()
        local.cdn.release()
        assert len(await rest) == len(LONG.data) - len(LONG.data) // 2
    [fetch] = local.cdn.fetches
    assert (fetch.host, fetch.headers["X-Test"]) == ("cdn.discordapp.com", "1")


async def test_files_are_served_under_an_address_of_their_own(
    local: LocalDiscord, bot: Bot, alice: Member
) -> None:
    url = (await upload(bot, alice)).url.replace("cdn.discordapp.com", local.cdn_host)
    async with aiohttp.ClientSession() as http, http.get(url, ssl=local.tls) as response:
        assert await response.read() == PNG
