"""Download: an image as the model made it."""

from bot.discord.client import ImagineBot
from bot.discord.views.job_buttons import JobAction
from cogs.download.actions import Downloads


async def setup(bot: ImagineBot) -> None:
    """Add the handlers of the button and of its form."""
    downloads = Downloads()
    bot.job_actions[JobAction.DOWNLOAD] = downloads.press
    bot.job_forms[JobAction.DOWNLOAD] = downloads.submit
