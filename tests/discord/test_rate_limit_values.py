"""Invalid rate limits neither stall a message nor break anything."""

from __future__ import annotations

import asyncio
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from bot.discord import http_response
from bot.discord.connector import Connector
from bot.storage.sqlite import open_database
from playground.discord import LocalDiscord
from tests.bots import make_bot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import discord

    from bot.discord.client import ImagineBot
    from playground.discord import Interaction

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXTS = ["nan", "inf", "-inf", "-5", "1e999", "1e9", "abc", "", "1_0", "None"]
JSON: list[Any] = [math.nan, math.inf, -5, 1e9, 10**400, "abc", "nan", None, [], {}, True]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def local(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord(tmp_path_factory.mktemp("discord")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bot(local: LocalDiscord, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ImagineBot]:
    async with open_database(tmp_path_factory.mktemp("bot") / "bot.db") as database:
        bot = make_bot(database, partial(Connector, **local.route()))
        async with bot:
            running = asyncio.ensure_future(bot.start(local.token))
            await local.until(lambda: local.is_online)
            yield bot
            await bot.close()
            await asyncio.gather(running, return_exceptions=True)


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the longest waits."""
    for name in ("_MAX_RESET_SECONDS", "_MAX_RETRY_SECONDS", "_DEFAULT_SECONDS"):
        monkeypatch.setattr(http_response, name, 0.01)


async def respond(local: LocalDiscord, bot: ImagineBot) -> Interaction:
    """Create an interaction and the bot's first response to it."""
    done = asyncio.get_running_loop().create_future()

    async def on_interaction(interaction: discord.Interaction[Any]) -> None:
        try:
            done.set_result(await interaction.response.send_message("first"))
        except Exception as error:  # noqa: BLE001 (passed to the test)
            done.set_exception(error)

    bot.add_listener(on_interaction)
    try:
        # A channel of its own, since edits by the bot share a channel's limit.
        channel = local.guild.add_channel("images")
        sent = await local.members["alice"].send_raw(custom_id="no:such:button", channel=channel)
        await done
    finally:
        bot.remove_listener(on_interaction)
    return sent


async def ask_all(local: LocalDiscord, bot: ImagineBot) -> None:
    """Call each kind of route: callback, webhook, bot; the latter two twice, since their limits persist."""
    async with asyncio.timeout(30):
        sent = await respond(local, bot)
        assert sent.message is not None
        channel = bot.get_partial_messageable(int(sent.channel.id))
        for text in ("second", "third"):
            await bot.interaction_webhook(sent.token).edit_message(int(sent.message.id), content=text)
            await channel.get_partial_message(int(sent.message.id)).edit(content=f"{text} by the bot")
        assert sent.message.content == "third by the bot"


ROUTES = ("callback", "edit_followup", "edit_message")


@pytest.mark.parametrize("remaining", ["0", "3"])
@pytest.mark.parametrize("value", TEXTS)
async def test_reset_after(local: LocalDiscord, bot: ImagineBot, value: str, remaining: str) -> None:
    for route in ROUTES:
        local.add_headers(
            route,
            {
                "X-RateLimit-Limit": "5",
                "X-RateLimit-Remaining": remaining,
                "X-RateLimit-Reset-After": value,
                "X-RateLimit-Reset": value,
            },
        )
    await ask_all(local, bot)


@pytest.mark.parametrize("value", ["nan", "-1", "abc", "", "0", "1e3"])
async def test_limit_and_remaining(local: LocalDiscord, bot: ImagineBot, value: str) -> None:
    for route in ROUTES:
        local.add_headers(route, {"X-RateLimit-Limit": value, "X-RateLimit-Remaining": value})
    await ask_all(local, bot)


@pytest.mark.parametrize("value", JSON, ids=[str(value)[:8] for value in JSON])
@pytest.mark.parametrize("is_global", [False, True])
async def test_retry_after(local: LocalDiscord, bot: ImagineBot, value: Any, *, is_global: bool) -> None:
    body = {"message": "You are being rate limited.", "retry_after": value, "global": is_global}
    headers = {"Via": "1.1 google", "Retry-After": str(value)[:20]}
    for route in ROUTES:
        local.inject_fault(route, 429, body, headers=headers)
    await ask_all(local, bot)


@pytest.mark.parametrize("body", ["<html>slow down</html>", "", [], {}, "NaN"], ids=str)
async def test_rate_limit_without_discords_body(local: LocalDiscord, bot: ImagineBot, body: Any) -> None:
    for route in ROUTES:
        local.inject_fault(route, 429, body, headers={"Via": "1.1 proxy"})
    await ask_all(local, bot)
