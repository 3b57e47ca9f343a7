"""Keep Discord's list of the bot's commands up to date, in the background."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.http import Route

from bot.discord.errors import DISCORD_ERRORS, ErrorCode
from bot.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from discord.ext import commands

    from bot.storage.claims import ClaimStore
    from bot.storage.key_values import KeyValueStore

_log = logging.getLogger(__name__)

_COMMANDS = {1, 2}  # the types of options that are subcommands, or groups of them
_ENTRY_POINT = 4  # the type of the command that launches an app's Activity; discord.py does not know it
_SENT_BACK = {
    *("id", "type", "name", "name_localizations", "description", "description_localizations", "handler"),
    *("default_member_permissions", "integration_types", "contexts", "nsfw"),
}
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 300.0
_MOST_TURN, _NO_PAUSE = timedelta(seconds=10), timedelta()
_REFUSED_PAUSE_SECONDS = 3600.0  # a refusal or a daily limit doesn't end within minutes


class CommandSync:
    """Registers the commands of a bot's tree with Discord, retrying until it succeeds.

    Discord gives every command an id and, with each change, a new version. Those of the last sync are stored
    beside a hash of the definitions; if neither has changed, there is nothing to sync. Processes compare
    them one at a time, so that several with the same definitions register them once.
    """

    def __init__(
        self,
        bot: commands.AutoShardedBot,
        key_values: KeyValueStore,
        claims: ClaimStore,
        hidden: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._bot = bot
        self._hidden = hidden
        """The full names of commands that are not registered, although the tree handles them."""
        self.after: asyncio.Task[None] | None = None
        """A task that decides about the hidden commands; nothing is synced before its end."""
        self._key_values, self._claims = key_values, claims
        self._task: asyncio.Task[None] | None = None
        self._ids: dict[str, str] = {}

    def mention(self, name: str) -> str:
        """Return a command as a link, by its full name; as plain text before the first sync."""
        command_id = self._ids.get(name.partition(" ")[0])
        return f"</{name}:{command_id}>" if command_id else f"/{name}"

    @property
    def is_done(self) -> bool:
        """Whether Discord has the commands as they are defined."""
        task = self._task
        return task is not None and task.done() and not task.cancelled() and task.exception() is None

    def start(self) -> None:
        """Start syncing in the background, after the login."""
        self.stop()
        self._task = asyncio.create_task(self._until_done(), name="command sync")

    def stop(self) -> None:
        """Stop syncing; the next start continues."""
        if self._task:
            self._task.cancel()

    async def _until_done(self) -> None:
        if self.after:
            await asyncio.wait({self.after})
        pause = _FIRST_PAUSE_SECONDS
        while True:
            name = f"commands of application {self._bot.application_id}"
            try:
                async with self._claims.turn(name, most=_MOST_TURN, pause=_NO_PAUSE):
                    await self._sync(name)
            except (BusyError, *DISCORD_ERRORS) as error:
                seconds = max(_retry_after(error), pause)
                _log.log(
                    logging.ERROR if _is_refusal(error) else logging.WARNING,
                    "Discord's list of commands is not up to date (%s); trying again in %d seconds",
                    error or type(error).__name__,
                    seconds,
                )
                await asyncio.sleep(seconds)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            else:
                return

    async def _sync(self, name: str) -> None:
        tree, application_id = self._bot.tree, self._bot.application_id or 0
        translator = tree.translator or app_commands.Translator()
        wanted = await payloads(tree, translator, self._hidden())
        definition = command_hash(wanted)
        # With translations, which an entry point must keep.
        route = Route("GET", "/applications/{application_id}/commands", application_id=application_id)
        registered: list[Any] = await self._bot.http.request(route, params={"with_localizations": "true"})
        self._ids = _ids(registered)
        if await self._key_values.get(name) == _state(definition, registered):
            _log.debug("Discord's list of commands is up to date")
            return
        wanted += _entry_points(registered)
        registered = await self._bot.http.bulk_upsert_global_commands(application_id, wanted)
        self._ids = _ids(registered)
        with suppress(BusyError):  # the next start would sync again, which changes nothing
            await self._key_values.set(name, _state(definition, registered))
        _log.info("registered the commands %s", ", ".join(command["name"] for command in registered))


async def payloads(
    tree: app_commands.CommandTree[Any], translator: app_commands.Translator, hidden: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Return all global commands as they are sent to Discord, without those with a hidden full name."""
    every = [await command.get_translated_payload(tree, translator) for command in tree.get_commands()]
    return [visible for each in every if (visible := _without_hidden(each, "", hidden))]


def _without_hidden(payload: dict[str, Any], group: str, hidden: Collection[str]) -> dict[str, Any] | None:
    """Return a command without hidden subcommands; None if it is hidden, or a group with nothing left."""
    name = f"{group} {payload['name']}".lstrip()
    if name in hidden:
        return None
    parts = payload.get("options", [])
    if not any(each["type"] in _COMMANDS for each in parts):
        return payload
    visible = [part for each in parts if (part := _without_hidden(each, name, hidden))]
    return {**payload, "options": visible} if visible else None


def command_hash(found: list[dict[str, Any]]) -> str:
    """Return a hash of commands, whatever their order."""
    found = sorted(found, key=lambda payload: (payload["type"], payload["name"]))
    canonical = json.dumps(found, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _ids(registered: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {command["name"]: command["id"] for command in registered}


def _state(definition: str, registered: Iterable[Mapping[str, Any]]) -> str:
    """Return the state to compare at each start, without the entry point, which the bot doesn't define."""
    versions = {each["id"]: each["version"] for each in registered if each.get("type") != _ENTRY_POINT}
    return json.dumps({"definition": definition, "versions": versions}, sort_keys=True)


def _entry_points(registered: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the application's entry point unchanged: Discord refuses a list without it (50240)."""
    found = [each for each in registered if each.get("type") == _ENTRY_POINT]
    return [{name: value for name, value in each.items() if name in _SENT_BACK} for each in found]


def _is_refusal(error: Exception) -> bool:
    return isinstance(error, discord.HTTPException) and error.status < 500 and error.status != 429


def _retry_after(error: Exception) -> float:
    """Return the least number of seconds to wait before the next attempt."""
    if not isinstance(error, discord.HTTPException):
        return 0.0
    if error.code == ErrorCode.TOO_MANY_NEW_COMMANDS or _is_refusal(error):
        return 0.0 if error.code == ErrorCode.ENTRY_POINT_REQUIRED else _REFUSED_PAUSE_SECONDS
    asked = error.response.headers.get("Retry-After", "")
    return min(float(asked), _REFUSED_PAUSE_SECONDS) if asked.isdecimal() else 0.0
