"""/jobs, and the handlers of the buttons under jobs."""

from bot.discord.client import ImagineBot
from bot.discord.views.job_buttons import JobButton
from cogs.jobs.actions import JobActions
from cogs.jobs.job_list import JobList


async def setup(bot: ImagineBot) -> None:
    """Add /jobs and the handlers of all buttons ever posted."""
    bot.add_dynamic_items(JobButton)
    await bot.add_cog(JobActions(bot))
    await bot.add_cog(JobList(bot))
