"""A bot written with hikari, a library independent of discord.py, on the local Discord."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.playground.conftest import PNG

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from playground.discord import LocalDiscord, Member

# Written like the examples in hikari's guide; only the proxy setting points it to the local Discord.
BOT = """\
import os
import sys

import hikari

bot = hikari.GatewayBot(
    os.environ["DISCORD_TOKEN"],
    intents=hikari.Intents.GUILDS,
    banner=None,
    logs="ERROR",
    proxy_settings=hikari.impl.ProxySettings(url=os.environ["DISCORD_PROXY"]),
)


@bot.listen()
async def register(_: hikari.StartedEvent) -> None:
    prompt = hikari.CommandOption(
        type=hikari.OptionType.STRING, name="prompt", description="What to paint", is_required=True
    )
    command = bot.rest.slash_command_builder("paint", "Paint something").add_option(prompt)
    await bot.rest.set_application_commands(await bot.rest.fetch_application(), [command])


@bot.listen()
async def answer(event: hikari.InteractionCreateEvent) -> None:
    interaction = event.interaction
    if isinstance(interaction, hikari.CommandInteraction):
        await paint(interaction)
    elif isinstance(interaction, hikari.ComponentInteraction):
        await interaction.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_UPDATE)
        await interaction.edit_initial_response(f"{interaction.message.content}, signed", components=[])


async def paint(interaction: hikari.CommandInteraction) -> None:
    assert interaction.options
    guild = bot.cache.get_guild(interaction.guild_id or 0)
    channel = bot.cache.get_guild_channel(interaction.channel_id)
    assert guild is not None, "READY and GUILD_CREATE were not understood"
    assert channel is not None, "a channel was not understood"
    await interaction.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE)
    row = bot.rest.build_message_action_row()
    row.add_interactive_button(hikari.ButtonStyle.PRIMARY, "sign", label="Sign")
    text = f"{interaction.options[0].value} in {channel.name} of {guild.name}"
    file = hikari.Bytes(bytes.fromhex(sys.argv[1]), "fox.png")
    await interaction.edit_initial_response(text, attachment=file, component=row)


bot.run(check_for_updates=False)
"""


async def test_hikari_bot_runs_unchanged(local: LocalDiscord, alice: Member) -> None:
    async with running(local) as process:
        message = await (await alice.command("paint", prompt="fox")).response()
        await local.until(lambda: message.buttons)
        assert message.text == "fox in images of Playground"
        [file] = message.attachments
        assert (file["filename"], file["width"], file["height"]) == ("fox.png", 2, 1)
        assert await local.file(file) == PNG
        local.gateway.drop()
        await local.until(lambda: local.is_online)
        await alice.press(message, "Sign")
        await local.until(lambda: message.text.endswith(", signed"))
        assert message.buttons == {}
        assert message.attachments == [file]
        process.terminate()
        _, said = await process.communicate()
    assert said == b""


@asynccontextmanager
async def running(local: LocalDiscord) -> AsyncIterator[Process]:
    """Run the bot in its own process; yield when its command is registered."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BOT, PNG.hex(), env=local.environment, stdout=PIPE, stderr=PIPE
    )
    try:
        await local.until(lambda: local.commands or process.returncode is not None)
        if not local.commands:
            pytest.fail((await process.stderr.read()).decode() if process.stderr else "it ended")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
