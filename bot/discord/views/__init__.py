"""How jobs and limits are rendered for Discord: embeds, buttons and lines of text."""
