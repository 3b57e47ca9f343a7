"""Looks at what Discord and RunComfy say, without changing or spending anything there."""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord import app_commands

from bot.diagnostics.finding import Finding
from bot.discord.client import REQUIRED_PERMISSIONS
from bot.discord.clock import DiscordClock
from bot.discord.response_validation import DISCORD_NETWORK_ERRORS, validate_response
from bot.errors import ConfigError, OperatorError, RunComfyUnavailableError
from bot.models.catalogue import Catalogue
from bot.runcomfy import RunComfyClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterable
    from types import SimpleNamespace

    from bot.config import Config

_NETWORK_SECONDS = 5
_PAGE = 200  # servers that Discord lists at once
_NAMES_MAX = 5  # of many, so that all stays on one screen


async def check_discord(config: Config) -> list[Finding]:
    """Whether Discord takes the token, what stands in the way there, and which servers the bot is in."""
    intents, clock = discord.Intents.none(), DiscordClock()
    proxy, trace = config.discord_proxy, _http_trace(clock)
    async with discord.Client(intents=intents, proxy=proxy, http_trace=trace) as client:
        found = await _query("Discord", _log_in(client, config.discord_token.get_secret_value()))
        if client.application is None:
            text = "not looked at: mend what is wrong with Discord first"
            return [*found, Finding("note", "commands", text), Finding("note", "servers", text)]
        if clock.warning:
            found.append(Finding("problem", "clock", clock.warning))
        more = (
            _query("commands", _check_commands(client)),
            _query("servers", _check_servers(client, config.guilds)),
        )
        return [*found, *chain(*await asyncio.gather(*more))]


def _http_trace(clock: DiscordClock) -> aiohttp.TraceConfig:
    async def hear(
        _: aiohttp.ClientSession, __: SimpleNamespace, answered: aiohttp.TraceRequestEndParams
    ) -> None:
        clock.observe_date_header(answered.response.headers.get("Date"))

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(hear)
    trace.on_request_end.append(_checked)
    return trace


async def _checked(_: aiohttp.ClientSession, __: object, answered: aiohttp.TraceRequestEndParams) -> None:
    await validate_response(answered.response)


async def _query(subject: str, asking: Awaitable[list[Finding]]) -> list[Finding]:
    """What Discord's answers say, or why there are none."""
    try:
        async with asyncio.timeout(_NETWORK_SECONDS):
            return await asking
    except discord.LoginFailure:
        text = "DISCORD_TOKEN is rejected: copy it anew from Discord's developer portal"
    except discord.HTTPException as error:
        text = f"Discord answers with HTTP {error.status}: try again later"
    except DISCORD_NETWORK_ERRORS as error:
        text = f"Discord gives no answer ({type(error).__name__}): check the network and DISCORD_PROXY"
    return [Finding("problem", subject, text)]


async def _log_in(client: discord.Client, token: str) -> list[Finding]:
    await client.login(token)  # by REST alone: it is `connect` that opens the gateway
    found = [Finding("ok", "Discord", f"DISCORD_TOKEN is good, and the bot's name is {client.user}")]
    if client.application and client.application.interactions_endpoint_url:
        text = "Interactions Endpoint URL is set, so the bot hears nothing: empty it in the developer portal"
        found.append(Finding("problem", "Discord", text))
    return found


async def _check_commands(client: discord.Client) -> list[Finding]:
    known = {command.name for command in await app_commands.CommandTree(client).fetch_commands()}
    if missing := _expected_commands() - known:
        return [
            Finding("note", "commands", f"{_shorten(missing)} not registered yet: the bot's start does it")
        ]
    return [Finding("ok", "commands", f"{_shorten(known)} registered")]


def _expected_commands() -> set[str]:
    try:
        return set(Catalogue.load().by_command)
    except ConfigError:
        return set()


async def _check_servers(client: discord.Client, allowed: frozenset[int]) -> list[Finding]:
    joined = [guild async for guild in _guilds(client)]
    ids = {int(guild["id"]) for guild in joined}
    invite = discord.utils.oauth_url(client.application_id or 0, permissions=REQUIRED_PERMISSIONS)
    found = []
    if absent := allowed - ids:
        text = (
            f"GUILDS names {_shorten(map(str, absent))}, where the bot is not: correct it, or open {invite}"
        )
        found.append(Finding("problem", "servers", text))
    for rights, names in _missing_permissions(joined).items():
        text = f"the bot's role lacks {rights} in {_shorten(names)}: give it these rights"
        found.append(Finding("problem", "servers", text))
    if not joined:
        return [*found, Finding("note", "servers", f"the bot is in none yet, invite it: {invite}")]
    barred = f", {len(ids - allowed)} of them not named in GUILDS" if allowed and ids - allowed else ""
    return found or [Finding("ok", "servers", f"the bot is in {len(joined)}{barred}")]


async def _guilds(client: discord.Client) -> AsyncIterator[dict[str, Any]]:
    """Every server that the bot is in, as Discord lists them; discord.py's own objects lack the rights."""
    after = None
    while True:
        page: list[Any] = list(await client.http.get_guilds(_PAGE, after=after))
        for guild in page:
            yield guild
        if len(page) < _PAGE:
            return
        after = page[-1]["id"]


def _missing_permissions(joined: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """The names of the servers by the rights that the bot's roles lack there."""
    found: dict[str, list[str]] = {}
    for guild in joined:
        has = discord.Permissions(int(guild["permissions"]))
        lacking = [
            name.replace("_", " ")
            for name, is_needed in REQUIRED_PERMISSIONS
            if is_needed and not getattr(has, name)
        ]
        if lacking and not has.administrator:
            found.setdefault(", ".join(lacking), []).append(guild["name"])
    return found


def _shorten(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - _NAMES_MAX} more" if len(listed) > _NAMES_MAX else ""
    return ", ".join(listed[:_NAMES_MAX]) + more


async def check_runcomfy(config: Config) -> list[Finding]:
    """Whether RunComfy is there and takes the token."""
    async with aiohttp.ClientSession() as session:
        token = config.runcomfy_token.get_secret_value()
        api_url, proxies = config.runcomfy_api_url, config.proxies
        client = RunComfyClient(session, api_url=api_url, token=token, proxies=proxies)
        try:
            async with asyncio.timeout(_NETWORK_SECONDS):
                await client.probe()
            return [Finding("ok", "RunComfy", "RUNCOMFY_TOKEN is good")]
        except OperatorError as error:
            return [Finding("problem", "RunComfy", error.remedy)]
        except (RunComfyUnavailableError, TimeoutError):
            pass
    text = "no usable answer: check the network, RUNCOMFY_API_URL and the proxy settings, or try again later"
    return [Finding("problem", "RunComfy", text)]
