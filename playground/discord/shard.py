"""One shard of the local Discord's gateway: its session, and which events it gets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.discord.payloads import Json
    from playground.discord.transport import JsonWebSocket

_ABOUT_GUILDS = ("GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE")


class Shard:
    """The shard `number` of `count`, whose session outlives its connections."""

    def __init__(self, number: int, count: int) -> None:
        self.number, self.count = number, count
        self.connection: JsonWebSocket | None = None
        self.session = ""
        self._events: list[str] = []

    def has_guild(self, guild_id: int) -> bool:
        """Whether it gets the events of a guild; it gets those of direct messages if the id is 0."""
        return (guild_id >> 22) % self.count == self.number

    def is_for(self, event: Json) -> bool:
        """Whether it gets an event, by the id of the guild in it."""
        data, name = event["d"], "id" if event["t"] in _ABOUT_GUILDS else "guild_id"
        guild_id = str(data.get(name)) if isinstance(data, dict) else ""
        return self.has_guild(int(guild_id) if guild_id.isdecimal() else 0)

    def begin_session(self, session: str) -> None:
        """Begin a session without events."""
        self.session, self._events = session, []

    def end_session(self) -> None:
        """End the session, so that a resume is rejected."""
        self.begin_session("")

    def dispatch(self, event: Json, *, is_silent: bool) -> None:
        """Keep an event for a resume, with the next number, and send it unless the shard gets nothing."""
        if self.session:
            self._events.append(frame(0, event["d"], event["t"], len(self._events) + 1))
            if self.connection is not None and not is_silent:
                self.connection.send(self._events[-1])

    def replay(self, sequence: int) -> None:
        """Send every event after the one with this number again."""
        if self.connection is not None:
            for event in self._events[sequence:]:
                self.connection.send(event)


def frame(op: int, data: Any = None, kind: str | None = None, sequence: int | None = None) -> str:
    """Return a frame of the gateway as JSON."""
    return json.dumps({"op": op, "d": data, "s": sequence, "t": kind})
