"""The bot without its commands, which are in `cogs`."""
