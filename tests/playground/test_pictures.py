"""Pictures in messages of members and other apps, as a message menu of a discord.py bot gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import pytest
from discord import app_commands

from playground.discord import Member, RejectedByClient, UploadedFile
from playground.discord.error_responses import ApiError
from tests.playground.conftest import PNG, Bot, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.discord import LocalDiscord, Message, OtherApp
    from tests.playground.conftest import Api

FOX, OWL = UploadedFile("fox.png", PNG), UploadedFile("owl.png", PNG)
ELSEWHERE = "https://pictures.example/cat.png?size=9"
LAYOUT = 1 << 15


class MenuBot(Bot):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.targets: list[discord.Message] = []

    async def setup_hook(self) -> None:
        async def keep(interaction: discord.Interaction[Any], message: discord.Message) -> None:
            self.targets.append(message)
            await interaction.response.send_message("Kept", ephemeral=True)

        self.tree.add_command(app_commands.ContextMenu(name="Edit image", callback=keep))
        await super().setup_hook()

    async def target_of(self, message: Message) -> discord.Message:
        """Use the menu on a message; return the message as discord.py sees it."""
        person = next(each for each in message.channel.discord.users.values() if isinstance(each, Member))
        await (await person.menu("Edit image", message)).response()
        return self.targets[-1]


@pytest.fixture
async def bot(local: LocalDiscord) -> AsyncIterator[MenuBot]:
    async with running(local, MenuBot, connector=local.connector()) as bot:
        assert isinstance(bot, MenuBot)
        yield bot


@pytest.fixture
def app(local: LocalDiscord) -> OtherApp:
    return local.add_app("sketcher")


async def is_fox(local: LocalDiscord, url: str | None) -> bool:
    """Whether a link leads to the picture."""
    assert url is not None
    async with aiohttp.ClientSession(connector=local.connector()) as http, http.get(url) as response:
        return await response.read() == PNG


async def test_members_post_files(local: LocalDiscord, bot: MenuBot, alice: Member, api: Api) -> None:
    said = alice.say("look", files=[FOX, UploadedFile("notes.txt", b"words")])
    found = await bot.target_of(said)
    assert (found.content, found.author.name) == ("look", "alice")
    picture, notes = found.attachments
    assert (picture.content_type, picture.width, picture.ephemeral) == ("image/png", 2, False)
    assert (notes.filename, notes.width) == ("notes.txt", None)
    assert await is_fox(local, picture.url)
    _, hidden = await api("GET", f"/channels/{local.channel.id}/messages/{said.id}")
    assert (hidden["content"], hidden["attachments"]) == ("", [])
    local.attachment_size_limit = 1
    with pytest.raises(RejectedByClient):
        alice.say(files=[FOX])
    with pytest.raises(RejectedByClient):
        alice.say(files=[UploadedFile("a", b"")] * 11)


async def test_links_to_pictures_get_embeds(local: LocalDiscord, bot: MenuBot, alice: Member) -> None:
    local.cdn.put(ELSEWHERE, FOX)
    [embed] = (await bot.target_of(alice.say(f"see {ELSEWHERE} and https://words.example/"))).embeds
    assert (embed.type, embed.url, embed.thumbnail.url) == ("image", ELSEWHERE, ELSEWHERE)
    proxy = embed.thumbnail.proxy_url
    assert proxy is not None
    assert proxy.startswith("https://images-ext-1.discordapp.net/external/")
    assert proxy.endswith("/%3Fsize%3D9/https/pictures.example/cat.png")
    assert await is_fox(local, proxy)
    assert [fetch.host for fetch in local.cdn.fetches] == ["images-ext-1.discordapp.net"]


async def test_embeds_of_other_apps(local: LocalDiscord, bot: MenuBot, app: OtherApp) -> None:
    local.cdn.put(ELSEWHERE, FOX)
    shown = {"title": "a", "image": {"url": "attachment://fox.png"}}
    embeds = [shown, {"title": "b", "thumbnail": {"url": ELSEWHERE}}]
    posted = app.post({"embeds": embeds}, [FOX])
    found = await bot.target_of(posted)
    assert (found.author.bot, found.attachments) == (True, [])
    first, second = found.embeds
    assert (first.image.width, second.thumbnail.width) == (2, 2)
    for link in (first.image.url, first.image.proxy_url, second.thumbnail.proxy_url):
        assert await is_fox(local, link)
    with pytest.raises(ApiError):
        app.post({"embeds": [{"title": "t" * 257}]})


async def test_components_of_newer_messages(local: LocalDiscord, bot: MenuBot, app: OtherApp) -> None:
    local.cdn.put(ELSEWHERE, FOX)
    thumbnail = {"type": 11, "media": {"url": ELSEWHERE}}
    section = {"type": 9, "components": [{"type": 10, "content": "a cat"}], "accessory": thumbnail}
    gallery = {"type": 12, "items": [{"media": {"url": "attachment://fox.png"}, "description": "a fox"}]}
    file = {"type": 13, "file": {"url": "attachment://owl.png"}}
    button = {"type": 2, "style": 1, "label": "Go", "custom_id": "go", "disabled": False}
    parts: list[Any] = [
        {"type": 17, "components": [section, gallery]},
        file,
        {"type": 1, "components": [button]},
    ]
    posted = app.post({"flags": LAYOUT, "components": parts}, [FOX, OWL])
    assert list(posted.buttons) == ["Go"]
    found = await bot.target_of(posted)
    assert (found.attachments, found.flags.components_v2) == ([], True)
    container, shown, _ = found.components
    assert isinstance(container, discord.Container)
    assert isinstance(shown, discord.FileComponent)
    inner, pictures = container.children
    assert isinstance(inner, discord.SectionComponent)
    assert isinstance(inner.accessory, discord.ThumbnailComponent)
    assert isinstance(pictures, discord.MediaGalleryComponent)
    media = pictures.items[0].media
    assert media.attachment_id == int(posted.files[0]["id"])
    assert (media.width, media.content_type) == (2, "image/png")
    for link in (media.url, media.proxy_url, inner.accessory.media.proxy_url, shown.media.url):
        assert await is_fox(local, link)


async def test_forwarded_messages(local: LocalDiscord, bot: MenuBot, alice: Member, app: OtherApp) -> None:
    original = alice.say("look", files=[FOX])
    found = await bot.target_of(alice.forward(original, local.guild.channels[2]))
    assert (found.content, found.attachments, found.flags.forwarded) == ("", [], True)
    [snapshot] = found.message_snapshots
    assert (snapshot.content, [each.filename for each in snapshot.attachments]) == ("look", ["fox.png"])
    assert await is_fox(local, snapshot.attachments[0].url)
    layout = [{"type": 12, "items": [{"media": {"url": "attachment://fox.png"}}]}]
    found = await bot.target_of(alice.forward(app.post({"flags": LAYOUT, "components": layout}, [FOX])))
    [gallery] = found.message_snapshots[0].components
    assert isinstance(gallery, discord.MediaGalleryComponent)
    assert await is_fox(local, gallery.items[0].media.url)
    with pytest.raises(RejectedByClient):
        local.members["bob"].forward(await (await alice.menu("Edit image", original)).response())


async def test_stickers(local: LocalDiscord, bot: MenuBot, alice: Member) -> None:
    [sticker] = (await bot.target_of(alice.say(stickers=[UploadedFile("wave.png", PNG)]))).stickers
    assert (sticker.name, sticker.format) == ("wave", discord.StickerFormatType.png)
    assert await is_fox(local, sticker.url)


async def test_bot_cannot_edit_other_apps_messages(local: LocalDiscord, api: Api, app: OtherApp) -> None:
    posted = app.post({"content": "mine"})
    path = f"/channels/{local.channel.id}/messages/{posted.id}"
    status, answer = await api("PATCH", path, {"content": "c"})
    assert (status, answer["code"]) == (403, 50005)
