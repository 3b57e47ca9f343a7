"""`python -m bot first-run`: compare the real services with what the bot and its stand-ins assume."""
