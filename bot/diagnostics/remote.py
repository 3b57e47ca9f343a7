"""Checks of Discord and RunComfy; they change and cost nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord import app_commands

from bot.clock import Clock
from bot.diagnostics.finding import Finding, note, ok, problem
from bot.diagnostics.models.check import expected_commands
from bot.discord.connector import Connector
from bot.discord.errors import DISCORD_NETWORK_ERRORS
from bot.discord.rate_limiter import DiscordRateLimiter
from bot.discord.requester import REQUIRED_PERMISSIONS
from bot.discord.shards import fetch_gateway_info
from bot.errors import ConfigError, OperatorError, RunComfyUnavailableError
from bot.observability.metrics import Metrics
from bot.runcomfy.client import RunComfyClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterable

    from bot.config import Config

_TIMEOUT_SECONDS = 5
_PAGE_SIZE = 200  # the most servers that Discord lists at once
_NAMES_MAX = 5  # so that the report fits on a screen


async def check_discord(settings: Config) -> list[Finding]:
    """Check the token, the application, this machine's clock, the commands and the servers."""
    limiter = DiscordRateLimiter(Metrics(), Clock())  # it validates responses and learns Discord's time
    async with discord.Client(
        intents=discord.Intents.none(),
        connector=Connector(),
        proxy=settings.discord_proxy,
        http_trace=limiter.trace_config(),
    ) as client:
        findings = await _query("Discord", _log_in(client, settings.discord_token.get_secret_value()))
        if client.application is None:
            text = "not checked: fix the problem with Discord first"
            return [*findings, *(note(subject, text) for subject in ("shards", "commands", "servers"))]
        if limiter.clock.warning:
            findings.append(problem("clock", limiter.clock.warning))
        shards, commands, servers = await asyncio.gather(
            _query("shards", _check_shards(client, settings)),
            _query("commands", _check_commands(client, settings)),
            _query("servers", _check_servers(client, settings.guilds)),
        )
        return [*findings, *shards, *commands, *servers]


async def _query(subject: str, check: Awaitable[list[Finding]]) -> list[Finding]:
    """Run a check, and turn Discord's errors into a finding."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            return await check
    except discord.LoginFailure:
        text = "DISCORD_TOKEN is rejected: copy it again from Discord's developer portal"
    except discord.HTTPException as error:
        text = f"Discord returned HTTP {error.status}: try again later"
    except DISCORD_NETWORK_ERRORS as error:
        text = f"Discord does not respond ({type(error).__name__}): check the network and DISCORD_PROXY"
    return [problem(subject, text)]


async def _log_in(client: discord.Client, token: str) -> list[Finding]:
    await client.login(token)  # REST only: `connect` would open the gateway
    findings = [ok("Discord", f"DISCORD_TOKEN is valid, logged in as {client.user}")]
    if client.application and client.application.interactions_endpoint_url:
        text = "Interactions Endpoint URL is set, so the bot gets no commands: clear it in Discord's portal"
        findings.append(problem("Discord", text))
    return findings


async def _check_shards(client: discord.Client, settings: Config) -> list[Finding]:
    info = await fetch_gateway_info(client.http)
    if info.warning:
        return [problem("shards", info.warning)]
    text = f"Discord recommends {info.recommended_shards}"
    if settings.shard_count and settings.shard_count != info.recommended_shards:
        return [note("shards", f"{text}, SHARD_COUNT is {settings.shard_count}")]
    left = f"{info.identifies_left} of {info.identifies_total}"
    return [ok("shards", f"{text}; {left} connections are left today")]


async def _check_commands(client: discord.Client, settings: Config) -> list[Finding]:
    registered = {command.name for command in await app_commands.CommandTree(client).fetch_commands()}
    try:
        names = await asyncio.to_thread(expected_commands, settings)
    except ConfigError:  # `check_models` reports it
        names = set()
    expected = {name.partition(" ")[0] for name in names}
    if missing := expected - registered:
        text = f"{_shorten(missing)} not registered yet; the bot does that when it starts"
        return [note("commands", text)]
    return [ok("commands", f"{_shorten(registered)} registered")]


async def _check_servers(client: discord.Client, allowed: frozenset[int]) -> list[Finding]:
    guilds = [guild async for guild in _guilds(client)]
    ids = {int(guild["id"]) for guild in guilds}
    invite = discord.utils.oauth_url(client.application_id or 0, permissions=REQUIRED_PERMISSIONS)
    findings = []
    if absent := allowed - ids:
        names = _shorten(map(str, absent))
        text = f"GUILDS names {names}, but the bot isn't there: correct it, or invite the bot with {invite}"
        findings.append(problem("servers", text))
    for permissions, guild_names in _missing_permissions(guilds).items():
        text = f"the bot is missing permissions in {_shorten(guild_names)}: give its role {permissions}"
        findings.append(problem("servers", text))
    if not guilds:
        return [*findings, note("servers", f"the bot is in none yet; invite it with {invite}")]
    ignored = f", {len(ids - allowed)} of them not named in GUILDS" if allowed and ids - allowed else ""
    return findings or [ok("servers", f"the bot is in {len(guilds)}{ignored}")]


async def _guilds(client: discord.Client) -> AsyncIterator[dict[str, Any]]:
    """Yield every server of the bot as Discord lists it; discord.py's objects lack the permissions."""
    after = None
    while True:
        page: list[Any] = list(await client.http.get_guilds(_PAGE_SIZE, after=after))
        for guild in page:
            yield guild
        if len(page) < _PAGE_SIZE:
            return
        after = page[-1]["id"]


def _missing_permissions(guilds: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the names of servers by the permissions that the bot's roles lack there."""
    found: dict[str, list[str]] = {}
    for guild in guilds:
        granted = discord.Permissions(int(guild["permissions"]))
        lacking = REQUIRED_PERMISSIONS & ~granted
        missing = [name.replace("_", " ") for name, is_missing in lacking if is_missing]
        if missing and not granted.administrator:
            found.setdefault(", ".join(missing), []).append(guild["name"])
    return found


def _shorten(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - _NAMES_MAX} more" if len(listed) > _NAMES_MAX else ""
    return ", ".join(listed[:_NAMES_MAX]) + more


async def check_runcomfy(settings: Config) -> list[Finding]:
    """Check that RunComfy responds and accepts the token."""
    token, api_url = settings.runcomfy_token.get_secret_value(), str(settings.runcomfy_api_url)
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(_TIMEOUT_SECONDS):
            await RunComfyClient(session, api_url=api_url, token=token, proxies=settings.proxies).probe()
    except OperatorError as error:
        return [problem("RunComfy", error.remedy)]
    except (RunComfyUnavailableError, TimeoutError):
        text = "no usable response: check the network, RUNCOMFY_API_URL and the proxy settings, or try later"
        return [problem("RunComfy", text)]
    return [ok("RunComfy", "RUNCOMFY_TOKEN is valid")]
