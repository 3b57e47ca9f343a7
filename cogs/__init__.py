"""Discord glue: read the interaction, call the core, render the answer."""

EXTENSIONS = (
    "cogs.imagine",
    "cogs.jobs",
    "cogs.moderation",
    "cogs.usage",
    "cogs.quota",
    "cogs.settings",
    "cogs.translation",
)
"""What the bot loads, in this order: the last puts the commands of all others into words."""
