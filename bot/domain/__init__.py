"""The bot's own nouns and rules: pure, and without I/O."""
