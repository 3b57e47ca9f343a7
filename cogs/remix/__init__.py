"""Remix and Edit prompt: a form with a job's prompt and main options, sent as a new request."""

from bot.discord.client import ImagineBot
from cogs.remix.buttons import add_handlers


async def setup(bot: ImagineBot) -> None:
    """Add the handlers of both buttons and of their forms."""
    add_handlers(bot)
