"""A success without the expected JSON is a lost response."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import pytest

from bot.clock import Clock
from bot.discord.connector import Connector
from bot.discord.errors import DISCORD_NETWORK_ERRORS, LostResponseError
from bot.discord.rate_limiter import DiscordRateLimiter
from bot.observability.metrics import Metrics
from playground.discord import LocalDiscord
from tests.playground.conftest import PNG

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

JSON = {"Content-Type": "application/json"}
ODD: dict[str, dict[str, Any]] = {
    "empty": {"body": ""},
    "empty JSON": {"body": "", "headers": JSON},
    "page": {"body": "<html>welcome</html>"},
    "page as JSON": {"body": "<html>welcome</html>", "headers": JSON},
    "half": {"body": '{"id": "1", "channel', "headers": JSON},
    "other type": {"body": '{"id": "1"}', "headers": {"Content-Type": "text/plain"}},
    "list": {"body": [1]},
    "list in a list": {"body": [[]]},
    "object": {"body": {}},
    "null": {"body": "null", "headers": JSON},
    "number": {"body": 7},
    "text": {"body": '"done"', "headers": JSON},
    "id alone": {"body": {"id": "1"}},
    "deep": {"body": "[" * 100_000, "headers": JSON},
    "204": {"body": "", "status": 204},
    "201": {"body": {}, "status": 201},
}


class Bot(discord.Client):
    """A client with the objects that each kind of call needs."""

    def __init__(self, local: LocalDiscord) -> None:
        limiter = DiscordRateLimiter(Metrics(), Clock())
        super().__init__(
            intents=discord.Intents.none(),
            connector=Connector(**local.route()),
            http_trace=limiter.trace_config(),
        )
        self.local = local
        self.webhooks = aiohttp.ClientSession(
            connector=Connector(**local.route()), trace_configs=[limiter.trace_config()]
        )

    async def close(self) -> None:
        await super().close()
        await self.webhooks.close()

    async def posted(self) -> discord.PartialMessage:
        channel = self.get_partial_messageable(int(self.local.channel.id))
        return channel.get_partial_message((await channel.send("hello")).id)

    async def webhook(self) -> discord.Webhook:
        """Return the webhook of an interaction that has a response."""
        press = await self.local.members["alice"].send_raw("nothing")
        url = f"https://discord.com/api/v10/interactions/{press.id}/{press.token}/callback?with_response=1"
        async with self.webhooks.post(url, json={"type": 4, "data": {"content": "hello"}}) as response:
            await response.text()
        return discord.Webhook.partial(
            int(self.local.application_id), press.token, session=self.webhooks, client=self
        )


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    async with LocalDiscord(tmp_path) as local, Bot(local) as bot:
        local.has_rate_limits = False  # or sixteen calls in a row would wait for most of the time
        await bot.login(local.token)
        yield bot


async def callback(bot: Bot) -> Callable[[], Awaitable[object]]:
    return bot.webhook


async def edit_message(bot: Bot) -> Callable[[], Awaitable[object]]:
    message = await bot.posted()
    return lambda: message.edit(content="2", attachments=[discord.File(io.BytesIO(PNG), "1.png")])


async def delete_message(bot: Bot) -> Callable[[], Awaitable[object]]:
    return (await bot.posted()).delete


async def get_message(bot: Bot) -> Callable[[], Awaitable[object]]:
    return (await bot.posted()).fetch


async def create_message(bot: Bot) -> Callable[[], Awaitable[object]]:
    return bot.posted


async def edit_followup(bot: Bot) -> Callable[[], Awaitable[object]]:
    webhook = await bot.webhook()
    message = await webhook.fetch_message(ORIGINAL)
    return lambda: webhook.edit_message(message.id, content="2")


async def get_original(bot: Bot) -> Callable[[], Awaitable[object]]:
    webhook = await bot.webhook()
    return lambda: webhook.fetch_message(ORIGINAL)


async def followup(bot: Bot) -> Callable[[], Awaitable[object]]:
    webhook = await bot.webhook()
    return lambda: webhook.send("2", wait=True)


async def create_dm(bot: Bot) -> Callable[[], Awaitable[object]]:
    return lambda: bot.create_dm(discord.Object(int(bot.local.members["alice"].id)))


async def user(bot: Bot) -> Callable[[], Awaitable[object]]:
    return lambda: bot.fetch_user(int(bot.local.members["alice"].id))


async def application(bot: Bot) -> Callable[[], Awaitable[object]]:
    return bot.application_info


async def me(bot: Bot) -> Callable[[], Awaitable[object]]:
    async def log_in_again() -> object:
        async with Bot(bot.local) as other:
            await other.login(bot.local.token)
        return other

    return log_in_again


async def sync(bot: Bot) -> Callable[[], Awaitable[object]]:
    assert bot.application_id
    application_id = bot.application_id
    return lambda: bot.http.bulk_upsert_global_commands(application_id, [])


async def commands(bot: Bot) -> Callable[[], Awaitable[object]]:
    assert bot.application_id
    application_id = bot.application_id
    return lambda: bot.http.get_global_commands(application_id)


ORIGINAL: Any = "@original"
CALLS = [
    *(callback, edit_message, delete_message, get_message, create_message, edit_followup, get_original),
    *(followup, create_dm, user, application, me, sync, commands),
]


@pytest.mark.parametrize("prepare", CALLS, ids=lambda call: call.__name__)
async def test_success_without_valid_json_is_a_lost_response(
    bot: Bot, prepare: Callable[[Bot], Awaitable[Callable[[], Awaitable[object]]]]
) -> None:
    route = prepare.__name__
    call = await prepare(bot)
    assert issubclass(LostResponseError, DISCORD_NETWORK_ERRORS)
    for name, odd in ODD.items():
        if route == "delete_message" and name == "204":
            continue
        bot.local.inject_fault(route, **{"status": 200, **odd})
        with pytest.raises(LostResponseError):
            await call()
    assert await call() is not LostResponseError  # as Discord answers it


async def test_refusal_is_raised_unchanged(bot: Bot) -> None:
    bot.local.inject_fault("create_message", 403, {"code": 50013, "message": "Missing Permissions"})
    with pytest.raises(discord.Forbidden):
        await bot.posted()


async def test_proxys_page_in_another_encoding_is_a_refusal(bot: Bot) -> None:
    page = {"Content-Type": "text/html; charset=latin-1"}
    bot.local.inject_fault("create_message", 403, "<html>accès refusé</html>", headers=page)
    with pytest.raises(discord.Forbidden):
        await bot.posted()
