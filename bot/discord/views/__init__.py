"""How jobs are shown: embeds, buttons and lines of text."""
