"""A bot with attachment options and autocomplete."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from tests.playground.conftest import Bot

Interaction = discord.Interaction[Any]
STYLES = ("oil", "ink", "chalk")


@app_commands.command(description="Edit pictures")
async def edit(
    interaction: Interaction,
    prompt: str,
    image: discord.Attachment,
    image2: discord.Attachment | None = None,
) -> None:
    images = [image] if image2 is None else [image, image2]
    await interaction.response.send_message(f"{prompt}: {', '.join(each.filename for each in images)}")


style = app_commands.Group(name="style", description="Styles")


@style.command(description="Pick a style")
async def pick(interaction: Interaction, style: str, strength: int = 1) -> None:
    await interaction.response.send_message(f"{style} {strength}")


@pick.autocomplete("style")
async def suggest(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    strength = getattr(interaction.namespace, "strength", 1)
    found = [each for each in STYLES if typed in each]
    return [app_commands.Choice(name=f"{each}, strength {strength}", value=each) for each in found]


class EditBot(Bot):
    async def setup_hook(self) -> None:
        self.tree.add_command(edit)
        self.tree.add_command(style)
        await super().setup_hook()

    async def image(self) -> discord.Attachment:
        """Return the `image` of the next command."""
        interaction = await self.arrivals.get()
        found = interaction.namespace.image
        assert isinstance(found, discord.Attachment)
        return found
