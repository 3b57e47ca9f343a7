"""Both stand-ins' data in a file, so that `--keep` can continue where the last run ended."""

from __future__ import annotations

import io
import pickle
import time
from typing import TYPE_CHECKING, Any

from playground.clock import CLOCK

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import LocalDiscord
    from playground.runcomfy import LocalRunComfy

_OF_DISCORD = (
    *("application_id", "token", "bot", "commands", "interactions"),
    *("users", "channels", "guilds"),
)


class _Pickler(pickle.Pickler):
    """Leaves out the local Discord itself, to which its guilds, channels and members refer."""

    def __init__(self, file: io.BytesIO, discord: LocalDiscord) -> None:
        super().__init__(file)
        self._discord = discord

    def persistent_id(self, value: object) -> str | None:
        return "discord" if value is self._discord else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, discord: LocalDiscord) -> None:
        super().__init__(file)
        self._discord = discord

    def persistent_load(self, _: str) -> LocalDiscord:
        return self._discord


def save(path: Path, discord: LocalDiscord, runcomfy: LocalRunComfy) -> None:
    """Replace the file."""
    data = {name: getattr(discord, name) for name in _OF_DISCORD}
    data |= {
        "members": discord.members,
        "uploads": discord.cdn.files,
        "runcomfy": (runcomfy.token, runcomfy.requests),
        "ahead": CLOCK.ahead,
        "at": time.monotonic(),
    }
    _Pickler(buffer := io.BytesIO(), discord).dump(data)
    (new := path.with_suffix(".new")).write_bytes(buffer.getvalue())
    new.replace(path)


def restore(path: Path, discord: LocalDiscord, runcomfy: LocalRunComfy) -> None:
    """Give both stand-ins the data of the file, if there is one; unfinished requests start again."""
    if not path.exists():
        return
    data: dict[str, Any] = _Unpickler(io.BytesIO(path.read_bytes()), discord).load()
    vars(discord).update({name: data[name] for name in _OF_DISCORD})
    discord.cdn.files.update(data["uploads"])
    discord.members.update(data["members"])  # in place, since the page's server has this dictionary too
    for interaction in discord.interactions.values():
        interaction.created_at += time.monotonic() - data["at"]
    runcomfy.token, requests = data["runcomfy"]
    runcomfy.queue.restore(requests.values())
    CLOCK.skip(data["ahead"])
