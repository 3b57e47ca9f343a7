"""Try the bot without any account: stand-ins for Discord and RunComfy, the bot, and a page."""
