"""The commands made from the catalogue: /imagine first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.discord.error_handler import explain
from bot.discord.first_response import answer
from bot.discord.requester import painter
from cogs._command import build

if TYPE_CHECKING:
    import discord

    from bot.discord.client import ImagineBot
    from bot.models.catalogue import Model


async def paint(interaction: discord.Interaction[Any], model: Model, values: dict[str, object]) -> None:
    """Order images from a model, and show the order in the first response."""
    bot: ImagineBot = interaction.client
    job = await bot.jobs.start(painter(interaction), model, values)
    if job:
        await answer(interaction, job)


async def setup(bot: ImagineBot) -> None:
    """Add a command for each model of the catalogue, and the boundary for every command's errors."""
    for model in bot.catalogue.values():
        bot.tree.add_command(build(model, paint))
    bot.tree.error(explain)
