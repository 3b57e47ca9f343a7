"""`python -m bot`: be the bot, check what it needs, or copy its database; answers with an exit code."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from bot import app, check, config, log
from bot.errors import ConfigError
from bot.storage.backup import back_up


def main() -> int:
    """Do what the command line asks for.

    Returns:
        0 where all went well, 1 where a check found a problem, 2 where the command could not be done.
    """
    chosen = _parser().parse_args()
    if chosen.command == "check":
        return asyncio.run(check.run())
    if chosen.command == "backup":
        return _back_up(chosen.file)
    return _run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description="A Discord bot that makes images. Settings come from the environment and .env.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    commands.add_parser("run", help="be the bot until it is stopped; this is meant where no command is given")
    commands.add_parser(
        "check", help="say what is right and wrong with settings, tokens, database and disk, and what to do"
    )
    backup = commands.add_parser("backup", help="copy the database, also while the bot runs")
    backup.add_argument("file", metavar="FILE", type=Path, help="where the copy goes; must not exist yet")
    return parser


def _run() -> int:
    try:
        settings = config.load()
        secrets = (settings.discord_token, settings.runcomfy_token)
        log.set_up(settings.log_level, secrets=[secret.get_secret_value() for secret in secrets])
        asyncio.run(app.run(settings))
    except ConfigError as error:
        print("The bot cannot start:", *error.problems, sep="\n- ", file=sys.stderr)  # noqa: T201 (for the owner)
        return 2
    return 0


def _back_up(file: Path) -> int:
    try:
        back_up(config.load().database_url, file)
    except ConfigError as error:
        print("No copy was made:", *error.problems, file=sys.stderr)  # noqa: T201 (for the owner)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
