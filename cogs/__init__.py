"""One package per feature: read the interaction, call bot.jobs or a store, show the result."""

EXTENSIONS = (
    "cogs.imagine",
    "cogs.jobs",
    "cogs.remix",
    "cogs.edit",
    "cogs.info",
    "cogs.download",
    "cogs.moderation",
    "cogs.usage",
    "cogs.quota",
    "cogs.settings",
    "cogs.privacy",
    "cogs.help",
    "cogs.localization",
)
"""The extensions in loading order: the last one localizes the commands of all others."""
