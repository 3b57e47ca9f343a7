"""The command line: run the bot, check its setup, show costs, or back up its database."""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
import sys
from pathlib import Path

import uvloop

from bot import app, config, i18n, log
from bot.diagnostics import report
from bot.errors import ConfigError
from bot.runcomfy.proxies import proxy_credentials
from bot.storage.backup import back_up
from bot.storage.cost_report import monthly_costs


def main() -> int:
    """Do what the command line asks for.

    Returns:
        0 where all went well, 1 where a check found a problem, 2 where the command could not be done.
    """
    chosen = _parser().parse_args()
    if chosen.command in {None, "run"}:
        return _run()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the other commands stop as any program does
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if chosen.command == "check":
        return asyncio.run(report.run())
    if chosen.command == "backup":
        return _back_up(chosen.file)
    return _costs()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description="A Discord bot that makes images. Settings come from the environment and .env.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    commands.add_parser("run", help="run the bot (default)")
    commands.add_parser("check", help="check settings, tokens, database and disk, and say what to fix")
    commands.add_parser("costs", help="show what each server has cost per month, also while the bot runs")
    backup = commands.add_parser("backup", help="copy the database, also while the bot runs")
    backup.add_argument("file", metavar="FILE", type=Path, help="the new file; must not exist yet")
    return parser


def _run() -> int:
    try:
        settings = config.load()
        secrets = (settings.discord_token, settings.runcomfy_token)
        proxies = (settings.discord_proxy, settings.http_proxy, settings.https_proxy)
        log.set_up(
            settings.log_level,
            secrets=[*(secret.get_secret_value() for secret in secrets), *proxy_credentials(*proxies)],
            style=settings.log_format,
        )
        i18n.load()  # a tenth of a second each, in which the event loop would stand still
        gc.collect()  # and another one, of which little is left for the loop once these are spared
        gc.freeze()
        uvloop.run(app.run(settings))
    except ConfigError as error:
        problems = map(log.escape_control, error.problems)  # some quote what Discord has answered
        print("The bot cannot start:", *problems, sep="\n- ", file=sys.stderr)  # noqa: T201 (for the owner)
        return 2
    return 0


def _back_up(file: Path) -> int:
    try:
        back_up(config.load().database_url, file)
    except ConfigError as error:
        print("No copy was made:", *error.problems, file=sys.stderr)  # noqa: T201 (for the owner)
        return 2
    return 0


def _costs() -> int:
    try:
        found = monthly_costs(config.load().database_url)
    except ConfigError as error:
        print("Nothing to show:", *error.problems, file=sys.stderr)  # noqa: T201 (for the owner)
        return 2
    print(f"{'month':7} {'server':20} {'orders':>7} {'images':>7} {'credits':>10} {'US dollars':>10}")  # noqa: T201 (for the owner)
    for bill in found:
        expected = f"  {bill.unpriced} orders as expected" if bill.unpriced else ""
        print(  # noqa: T201 (for the owner)
            f"{bill.month:%Y-%m} {bill.guild_id:<20} {bill.jobs:7} {bill.images:7} {bill.credits:10}"
            f" {bill.usd:10.2f}{expected}"
        )
    return 0
