"""The command line: run the bot, check its setup, try the real services, pause, show costs, back up, copy."""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bot import app, config, i18n, log
from bot.diagnostics import erasing, pausing, report
from bot.diagnostics.first_run import command as first_run
from bot.diagnostics.models import command as models
from bot.errors import ConfigError
from bot.signals import STOP_SIGNALS
from bot.storage.backup import back_up
from bot.storage.database_url import needs_driver
from bot.storage.inspection import monthly_costs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_log = logging.getLogger(__name__)


def main() -> int:
    """Run the command that the arguments name.

    Returns:
        The exit code: 0 for success, 1 if a check found a problem or difference, 2 if the command could not
        be run.
    """
    arguments = _parser().parse_args()
    os.umask(0o022 if arguments.command == "models" else 0o077)  # model files are code, the others private
    if arguments.command not in {None, "run"}:
        _restore_signals()
    message = "The bot can't start:"
    try:
        match arguments.command:
            case "check":
                findings = asyncio.run(report.run())
                _print(*findings)
                return int(any(finding.severity == "problem" for finding in findings))
            case "models":
                message = f"Can't {arguments.action} models:"
                return models.run(_print, arguments.action, arguments.model_id)
            case "first-run":
                message = "Can't start the first run:"
                return first_run.run(_print, is_confirmed=arguments.yes)
            case "backup":
                message = "Backup failed:"
                back_up(config.load().database_url, arguments.file)
            case "pause" | "resume" | "erase" | "copy":
                message = f"Can't {arguments.command}:"
                _print(*_change(arguments))
            case "costs":
                message = "Can't show costs:"
                _print_costs()
            case _:
                _run()
    except ConfigError as error:
        is_list = len(error.problems) > 1 or arguments.command in {None, "run"}
        _print_problems(message, error.problems, separator="\n- " if is_list else " ")
        return 2
    return 0


def _change(arguments: argparse.Namespace) -> list[str]:
    if arguments.command == "copy":
        return _copy(arguments.source, arguments.target)
    if arguments.command == "erase":
        return erasing.run(arguments.user_id, is_confirmed=arguments.yes)
    return pausing.run(arguments.command)


def _restore_signals() -> None:
    """Undo what `bot.__main__` set for the bot itself."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description="A Discord bot that generates images. Settings come from .env and environment variables.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    commands.add_parser("run", help="run the bot (default)")
    commands.add_parser("check", help="check settings, tokens, database and disk, and say what to fix")
    first = commands.add_parser(
        "first-run", help="compare the real RunComfy and Discord with what the bot expects"
    )
    first.add_argument("--yes", action="store_true", help="agree to pay for one image without being asked")
    _add_model_actions(
        commands.add_parser("models", help="list the model files, compare them with RunComfy, or add one")
    )
    commands.add_parser("pause", help="stop all spending at once (also while the bot runs)")
    commands.add_parser("resume", help="allow spending again; waiting requests continue")
    erase = commands.add_parser("erase", help="delete what is stored about a person, on their behalf")
    erase.add_argument("user_id", metavar="USER_ID", type=int, help="the person's id in Discord")
    erase.add_argument("--yes", action="store_true", help="delete it, instead of saying what there is")
    commands.add_parser("costs", help="show the monthly cost of each server (safe while the bot runs)")
    backup = commands.add_parser("backup", help="copy the database (safe while the bot runs)")
    backup.add_argument("file", metavar="FILE", type=Path, help="the new file; must not exist yet")
    copy = commands.add_parser("copy", help="copy a SQLite database into an empty PostgreSQL database")
    copy.add_argument("source", metavar="SOURCE", help="such as sqlite+aiosqlite:///data/bot.db")
    copy.add_argument("target", metavar="TARGET", help="such as postgresql+asyncpg://user@host/name")
    return parser


def _add_model_actions(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(model_id="")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    actions.add_parser("list", help="show all model files: offered or hidden and why, prices, health")
    actions.add_parser("check", help="compare each file with RunComfy and say what changed")
    add = actions.add_parser("add", help="write the file of a model from RunComfy's answer")
    add.add_argument("model_id", metavar="MODEL_ID", help="such as google/nano-banana-2/edit")


def _run() -> None:
    settings = config.load()
    log.set_up(settings.log_level, style=settings.log_format)
    for deprecation in config.deprecations():
        _log.warning("%s", deprecation)
    i18n.load()  # 0.1 s per language, which would block the event loop later
    gc.collect()  # another 0.1 s; freezing these objects keeps later collections short
    gc.freeze()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(app.run(settings))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def _copy(source: str, target: str) -> list[str]:
    with needs_driver():
        from bot.storage.copying import copy  # noqa: PLC0415 (needs an optional package)
    log.set_up("CRITICAL")
    return copy(source, target, _print)


def _print_costs() -> None:
    costs = monthly_costs(config.load().database_url)
    lines = [f"{'month':7} {'server':20} {'jobs':>7} {'images':>7} {'credits':>10} {'US dollars':>10}"]
    for cost in costs:
        expected = f"  jobs still estimated: {cost.unpriced}" if cost.unpriced else ""
        lines.append(
            f"{cost.month} {cost.guild_id:<20} {cost.jobs:7} {cost.images:7} {cost.credits:10}"
            f" {cost.usd:10.2f}{expected}"
        )
    _print(*lines)


def _print_problems(message: str, problems: Iterable[str], *, separator: str) -> None:
    shown = [log.redact(log.escape_control(each)) for each in problems]  # some quote Discord
    print(message, *shown, sep=separator, file=sys.stderr)  # noqa: T201 (output)


def _print(*lines: object) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # for terminals without some characters
    if hasattr(signal, "SIGPIPE"):  # not on Windows
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader such as `head` can stop early
    print(*(log.redact(str(line)) for line in lines), sep="\n", flush=True)  # noqa: T201 (output)
