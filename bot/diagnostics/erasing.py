"""`python -m bot erase`: delete a person's data on their behalf, whether or not the bot runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import stamina

from bot import config, log
from bot.errors import BusyError, ConfigError
from bot.storage.database_url import open_beside_bot
from bot.storage.privacy import PrivacyStore

if TYPE_CHECKING:
    from bot.config import Config

_retry = stamina.AsyncRetryingCaller(attempts=None, timeout=10.0).on(BusyError)


def run(user_id: int, *, is_confirmed: bool) -> list[str]:
    """Say what is stored about a person, as lines, and let the bot delete it if that is confirmed.

    Raises:
        ConfigError: The settings are invalid, or there is no database that can be written.
    """
    log.set_up("CRITICAL")
    return asyncio.run(_run(config.load(), user_id, is_confirmed=is_confirmed))


async def _run(settings: Config, user_id: int, *, is_confirmed: bool) -> list[str]:
    async with open_beside_bot(settings.database_url) as database:
        store = PrivacyStore(database)
        summary = await store.summary(user_id)
        if not summary.erasable:
            return [f"User {user_id}: nothing to delete."]
        found = f"User {user_id}: {summary.erasable} requests, {summary.messages} messages."
        if not is_confirmed:
            return [found, "To delete them and their files, which can't be undone, add --yes."]
        try:
            await _retry(store.request_erasure, user_id)
        except BusyError as error:
            raise ConfigError(["the database can't be written, so nothing has changed"]) from error
        return [
            found,
            "They are deleted in the next ten seconds if the bot runs, otherwise at its next start.",
        ]
