"""Taps on the stand-ins: a listener is called before and after each call is carried out, and can hold it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from aiohttp import web

from playground.discord import LocalDiscord
from playground.discord.error_responses import ApiError
from playground.runcomfy import LocalRunComfy
from playground.runcomfy.api import SUBMIT

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp.typedefs import Handler

    from playground.discord import Interaction
    from playground.discord.rest_pipeline import RestRequest

SIGNS = {"succeeded": "✅", "failed": "⚠️", "cancelled": "✖️"}
"""How a line in the message of a finished job starts, by status."""


@dataclass(frozen=True)
class ObservedCall:
    """A call of the bot: its name, the prompt of its job, and whether it was carried out yet.

    `what` is the route's name, except for edits ("progress", "images" or "end"), polls ("status in_queue",
    with the request's state) and files ("file 0", with the number).
    """

    what: str
    moment: Literal["arrived", "made"]
    prompt: str


class DroppedCallError(Exception):
    """Raised by a listener to drop a call before it is carried out."""


Listener: TypeAlias = Callable[[ObservedCall], None]


@dataclass
class Tap:
    """The current listener, every call so far, and the calls to hold."""

    listener: Listener | None = None
    calls: list[ObservedCall] = field(default_factory=list)
    held: set[ObservedCall] = field(default_factory=set)
    """They get no further, and no response, until `drop_held`."""
    _is_dropping: asyncio.Event = field(default_factory=asyncio.Event)

    async def notify(self, seen: ObservedCall) -> None:
        self.calls.append(seen)
        if self.listener:
            self.listener(seen)
        if seen in self.held:
            await self._is_dropping.wait()
            raise DroppedCallError

    def drop_held(self) -> None:
        """End the calls that are held, once their caller is dead."""
        self.held.clear()
        self._is_dropping.set()


def prompt_of(interaction: Interaction | None) -> str:
    """Return the prompt of the job that an interaction starts or whose button it presses."""
    if interaction is None:
        return ""
    options = interaction.event["d"]["data"].get("options", [])
    named = {option["name"]: option.get("value", "") for option in options}
    return str(
        named.get("prompt") or prompt_of(interaction.source.interaction if interaction.source else None)
    )


def _call_name(route: str, request: RestRequest) -> str:
    if not route.startswith("edit_"):
        return route
    words = "".join(embed.get("description", "") for embed in request.body.get("embeds", []))
    is_end = any(sign in words for sign in SIGNS.values())
    return "images" if request.files else "end" if is_end else "progress"


class TappedDiscord(LocalDiscord):
    def __init__(self, folder: Path, tap: Tap) -> None:
        super().__init__(folder)
        self._tap = tap
        self.pipeline.tap = self._observe

    @asynccontextmanager
    async def _observe(self, route: str, request: RestRequest) -> AsyncIterator[None]:
        interaction = self.interactions.get(request.path.get("token", "")) or self._creator(request)
        prompt, what = prompt_of(interaction), _call_name(route, request)
        try:
            await self._tap.notify(ObservedCall(what, "arrived", prompt))
            yield
            await self._tap.notify(ObservedCall(what, "made", prompt))
        except DroppedCallError:
            raise ApiError(503, 0, "dropped") from None

    def _creator(self, request: RestRequest) -> Interaction | None:
        """Return the interaction behind the message that a call with the bot's token names."""
        try:
            return self.message(request.path.get("id", "")).interaction
        except LookupError:
            return None


class TappedRunComfy(LocalRunComfy):
    """`gone` has the prompts whose files are missing, `busy` those whose submits are rejected."""

    def __init__(self, tap: Tap, **options: Any) -> None:
        super().__init__(**options)
        self._tap = tap
        self.gone: set[str] = set()
        self.busy: set[str] = set()

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        what, prompt = self._described(request)
        try:
            await self._tap.notify(ObservedCall(what, "arrived", prompt))
            if what == "submit" and prompt in self.busy:
                raise web.HTTPTooManyRequests
            if what.startswith("file") and prompt in self.gone:
                raise web.HTTPNotFound
            answer = await super().handle(request, handler)
            await self._tap.notify(ObservedCall(what, "made", prompt))
        except DroppedCallError:
            raise web.HTTPServiceUnavailable from None
        return answer

    def _described(self, request: web.Request) -> tuple[str, str]:
        route = request.match_info.route.name or ""
        if route == "submit":
            body = request[SUBMIT].input
            return route, str(body["prompt"]) if isinstance(body, dict) else ""
        generation = self.requests.get(request.match_info.get("request_id", ""))
        if generation is None:
            return route, ""
        more = {"status": generation.state, "file": request.match_info.get("index", "")}.get(route, "")
        return f"{route} {more}".strip(), str(generation.input["prompt"])
