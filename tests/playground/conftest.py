"""A local Discord with a small discord.py bot."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import aiohttp
import discord
import pytest
from discord import app_commands
from PIL import Image

from playground.discord import LocalDiscord, Member


def _png() -> bytes:
    Image.new("RGB", (2, 1)).save(file := io.BytesIO(), "PNG")
    return file.getvalue()


PNG = _png()


class Again(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"again:(?P<prompt>\w+)"):
    def __init__(self, prompt: str) -> None:
        super().__init__(discord.ui.Button(label="Again", custom_id=f"again:{prompt}"))
        self.prompt = prompt

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str]
    ) -> Self:
        return cls(match["prompt"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.send_message(f"{self.prompt} again", ephemeral=True)


def picture(name: str = "fox.png") -> discord.File:
    return discord.File(io.BytesIO(PNG), name)


def drawn(prompt: str) -> dict[str, Any]:
    view = discord.ui.View(timeout=None)
    view.add_item(Again(prompt))
    view.add_item(discord.ui.Button(label="Off", custom_id="off", disabled=True))
    embed = discord.Embed(title=prompt).set_image(url="attachment://fox.png").set_footer(text="done")
    return {"embed": embed, "view": view, "attachments": [picture(), picture("spare.png")]}


@app_commands.command(description="Draw something")
@app_commands.choices(style=[app_commands.Choice(name="Plain", value="plain")])
async def draw(
    interaction: discord.Interaction[Any],
    prompt: app_commands.Range[str, 1, 20],
    number: app_commands.Range[int, 1, 4] = 1,
    style: str = "plain",
) -> None:
    await interaction.response.send_message(f"{number} {style} {prompt} on their way")
    await interaction.edit_original_response(content=None, **drawn(prompt))


@app_commands.command(description="Say nothing")
async def silence(interaction: discord.Interaction[Any]) -> None:
    del interaction


@app_commands.command(description="Think first")
async def think(interaction: discord.Interaction[Any]) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)


@app_commands.command(description="Ask")
async def ask(interaction: discord.Interaction[Any]) -> None:
    form = discord.ui.Modal(title="Ask", custom_id="ask")
    form.add_item(discord.ui.TextInput(label="What", custom_id="what"))
    await interaction.response.send_modal(form)


quota = app_commands.Group(
    name="quota", description="Limits", default_permissions=discord.Permissions(manage_guild=True)
)


@quota.command(name="set", description="Set a limit")
async def quota_set(interaction: discord.Interaction[Any], limit: int, member: discord.Member) -> None:
    await interaction.response.send_message(f"{limit} for {member.mention} @everyone")


class Bot(discord.Client):
    def __init__(self, **options: Any) -> None:
        super().__init__(intents=discord.Intents(guilds=True), guild_ready_timeout=0.01, **options)
        self.tree = app_commands.CommandTree(self)
        self.seen: list[discord.Interaction[Any]] = []
        self.arrivals: asyncio.Queue[discord.Interaction[Any]] = asyncio.Queue()
        self.knows_guild = asyncio.Event()

    async def setup_hook(self) -> None:
        commands: tuple[Any, ...] = (draw, silence, think, ask, quota)
        for command in commands:
            self.tree.add_command(command)
        self.add_dynamic_items(Again)
        await self.tree.sync()

    async def on_guild_available(self, _guild: discord.Guild) -> None:
        self.knows_guild.set()

    async def on_guild_join(self, _guild: discord.Guild) -> None:
        self.knows_guild.set()  # discord.py calls either, depending on when it is ready

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        self.seen.append(interaction)
        self.arrivals.put_nowait(interaction)


@asynccontextmanager
async def running(
    discord: LocalDiscord, make: Callable[..., Bot] = Bot, **options: Any
) -> AsyncIterator[Bot]:
    """Run the bot; yield it when it is online and knows its guild, and close it afterwards."""
    async with make(**options) as bot:
        task = asyncio.create_task(bot.start(discord.token))
        try:
            await discord.until(lambda: discord.is_online or task.done())
            if task.done():
                task.result()
            async with asyncio.timeout(20):
                await bot.knows_guild.wait()
            yield bot
        finally:
            await bot.close()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord(tmp_path) as discord:
        yield discord


@pytest.fixture
async def bot(local: LocalDiscord) -> AsyncIterator[Bot]:
    async with running(local, connector=local.connector()) as bot:
        yield bot


@pytest.fixture
def alice(local: LocalDiscord) -> Member:
    return local.members["alice"]


@pytest.fixture
def mia(local: LocalDiscord) -> Member:
    return local.members["mia"]


class Api:
    """A plain REST client with the bot's token."""

    def __init__(self, local: LocalDiscord, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.headers = {"Authorization": f"Bot {local.token}"}
        self.last: aiohttp.ClientResponse

    async def __call__(self, method: str, path: str, json: Any = None, **options: Any) -> tuple[int, Any]:
        url = f"https://discord.com/api/v10{path}"
        async with self._session.request(method, url, json=json, headers=self.headers, **options) as response:
            self.last = response
            return response.status, (
                await response.json() if response.content_type == "application/json" else None
            )


@pytest.fixture
async def api(local: LocalDiscord) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession(connector=local.connector()) as session:
        yield Api(local, session)
