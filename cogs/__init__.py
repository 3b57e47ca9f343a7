"""Discord glue: read the interaction, call the core, render the answer."""

EXTENSIONS = ("cogs.imagine", "cogs.jobs", "cogs.quota")
"""What the bot loads, in this order."""
