"""`python -m bot`: read the settings, be the bot, answer with an exit code."""

from __future__ import annotations

import asyncio
import sys

from bot import app, config, log
from bot.errors import ConfigError


def main() -> int:
    """Run until stopped; 0 after a stop, 2 where a setting does not let the bot start."""
    try:
        settings = config.load()
        secrets = (settings.discord_token, settings.runcomfy_token)
        log.set_up(settings.log_level, secrets=[secret.get_secret_value() for secret in secrets])
        asyncio.run(app.run(settings))
    except ConfigError as error:
        print("The bot cannot start:", *error.problems, sep="\n- ", file=sys.stderr)  # noqa: T201 (for the owner)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
