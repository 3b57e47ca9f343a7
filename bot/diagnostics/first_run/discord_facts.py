"""What Discord says about the bot, by REST only and without names."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.clock import Clock
from bot.discord.connector import Connector
from bot.discord.errors import DISCORD_NETWORK_ERRORS
from bot.discord.rate_limiter import DiscordRateLimiter
from bot.observability.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.config import Config
    from bot.diagnostics.first_run.report import Report
    from bot.models.model import Model

_SECONDS = 30.0
_INTENTS = ("gateway_presence", "gateway_guild_members", "gateway_message_content")


async def ask_discord(settings: Config, models: Iterable[Model], report: Report) -> None:
    """Ask about the token, the application, its commands and the time; opens no gateway connection."""
    try:
        async with asyncio.timeout(_SECONDS):
            await _ask(settings, models, report)
    except discord.LoginFailure:
        report.compare("Discord: token", "accepted", "rejected")
    except discord.HTTPException as error:
        report.compare("Discord", "answers", f"HTTP {error.status}, code {error.code}")
    except DISCORD_NETWORK_ERRORS as error:
        report.compare("Discord", "answers", f"no usable response ({type(error).__name__})")
    report.note("Discord: upload limit", "known only with an interaction")


async def _ask(settings: Config, models: Iterable[Model], report: Report) -> None:
    limiter = DiscordRateLimiter(Metrics(), Clock())
    async with discord.Client(
        intents=discord.Intents.none(),
        connector=Connector(),
        proxy=settings.discord_proxy,
        http_trace=limiter.trace_config(),
    ) as client:
        await client.login(settings.discord_token.get_secret_value())  # `connect` would open the gateway
        _describe_application(client, report)
        ahead = limiter.clock.host_ahead_seconds
        seen = f"{abs(ahead):.1f} s {'ahead' if ahead >= 0 else 'behind'}"
        report.compare("Discord: clock", "within 5 s", seen, is_same=limiter.clock.warning is None)
        registered = await app_commands.CommandTree(client).fetch_commands()
        _compare_commands(registered, models, report)


def _describe_application(client: discord.Client, report: Report) -> None:
    user, application = client.user, client.application
    if user is None or application is None:
        return
    kind = "a bot" if user.bot else "not a bot"
    report.compare("Discord: token", "accepted, a bot", f"accepted, {kind}")
    same = "same id as the bot" if user.id == application.id else "another id than the bot"
    public = "public" if application.bot_public else "private"
    report.note("Discord: application", f"{same}, {public}, flags {application.flags.value}", "private")
    endpoint = "set" if application.interactions_endpoint_url else "not set"
    report.compare("Discord: endpoint URL", "not set", endpoint)
    intents = [
        name
        for name in _INTENTS
        if getattr(application.flags, name) or getattr(application.flags, f"{name}_limited")
    ]
    report.compare("Discord: intents", "off", ", ".join(intents) or "off")


def _compare_commands(
    registered: Iterable[app_commands.AppCommand], models: Iterable[Model], report: Report
) -> None:
    found = dict(_options(registered))
    for model in models:
        options = [*model.option_names("en-US").values(), *(name for name, _ in model.file_options)]
        if model.command not in found:
            report.note(
                f"Discord: /{model.command}", "not registered; the bot does that when it starts", "registered"
            )
            continue
        seen = found[model.command]
        lacking = ", ".join(sorted({*options} ^ {*seen}))
        report.compare(
            f"Discord: /{model.command}",
            f"{len(options)} options",
            f"{len(seen)} options" + (f", differing in {lacking}" if lacking else ""),
            is_same=not lacking,
        )


def _options(
    commands: Iterable[app_commands.AppCommand | app_commands.AppCommandGroup], prefix: str = ""
) -> Iterable[tuple[str, list[str]]]:
    """Yield each command's full name and the names of its options."""
    for command in commands:
        name = f"{prefix}{command.name}"
        groups = [each for each in command.options if isinstance(each, app_commands.AppCommandGroup)]
        yield name, [each.name for each in command.options if isinstance(each, app_commands.Argument)]
        yield from _options(groups, f"{name} ")
