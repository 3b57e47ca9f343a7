"""Discord glue: read the interaction, call the core, render the answer."""

EXTENSIONS = (
    "cogs.imagine.cog",
    "cogs.jobs.cog",
    "cogs.moderation.menus",
    "cogs.usage.command",
    "cogs.quota.command",
    "cogs.settings.command",
    "cogs.localization.translator",
)
"""What the bot loads, in this order: the last puts the commands of all others into words."""
