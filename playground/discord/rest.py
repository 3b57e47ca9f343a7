"""The REST routes under /api/v10 that a bot with commands, buttons and images needs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from playground.discord import command_registration, payloads
from playground.discord.error_responses import (
    ANOTHER_AUTHOR,
    MISSING_PERMISSIONS,
    THREAD_IS_ARCHIVED,
    UNKNOWN_MESSAGE,
    UNKNOWN_USER,
    ApiError,
)
from playground.discord.interaction_callbacks import acknowledge
from playground.discord.message_content import EPHEMERAL, LOADING
from playground.discord.messages import create_message, edit_message
from playground.discord.state import TOKEN_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.discord.gateway import Gateway
    from playground.discord.payloads import Json
    from playground.discord.rest_pipeline import RestPipeline, RestRequest
    from playground.discord.state import Channel, Interaction, Message, State


class Rest:
    """The handlers; each returns the response's JSON, or None for 204."""

    def __init__(self, state: State, pipeline: RestPipeline, gateway: Gateway) -> None:
        self._state, self._gateway = state, gateway
        self._pipeline = pipeline

    def routes(self) -> list[web.RouteDef]:
        """Return every route; its name is the one that `inject_fault` takes."""
        channel, commands = "/channels/{channel}/messages", "/applications/{app}/commands"
        webhook = "/webhooks/{app}/{token}"
        table: dict[str, tuple[str, str, Callable[[RestRequest], Any]]] = {
            "me": ("GET", "/users/@me", lambda _: self._state.bot | payloads.OWN_USER_FIELDS),
            "user": ("GET", "/users/{id}", self._user),
            "application": ("GET", "/oauth2/applications/@me", self._application),
            "get_guild": ("GET", "/guilds/{id}", self._guild),
            "gateway": ("GET", "/gateway", lambda _: {"url": "wss://gateway.discord.gg"}),
            "gateway_bot": ("GET", "/gateway/bot", lambda _: self._gateway.bot_info),
            "sync": ("PUT", commands, self._sync),
            "commands": ("GET", commands, lambda _: self._state.commands),
            "callback": ("POST", "/interactions/{id}/{token}/callback", partial(acknowledge, self._state)),
            "followup": ("POST", webhook, self._followup),
            "create_message": ("POST", channel, self._create),
            "get_channel": ("GET", "/channels/{channel}", lambda request: self._channel(request).payload),
            "list_messages": ("GET", channel, self._list),
            "create_dm": ("POST", "/users/@me/channels", self._create_dm),
        }
        # The order matters: @original would match {id} too.
        for what, path in (
            ("original", f"{webhook}/messages/@original"),
            ("followup", f"{webhook}/messages/{{id}}"),
            ("message", f"{channel}/{{id}}"),
        ):
            table |= {
                f"get_{what}": ("GET", path, lambda request: self._message(request).app_payload),
                f"edit_{what}": ("PATCH", path, self._edit),
                f"delete_{what}": ("DELETE", path, self._delete),
            }
        table["unknown"] = ("*", "/{anything:.*}", self._unknown)
        return [
            web.route(method, f"/api/v10{path}", self._pipeline.handler(name, act))
            for name, (method, path, act) in table.items()
        ]

    def _user(self, request: RestRequest) -> Json:
        if user := self._state.users.get(request.path["id"]):
            return user.payload
        raise ApiError(*UNKNOWN_USER)

    def _guild(self, request: RestRequest) -> Json:
        for guild in self._state.guilds:
            if guild.id == request.path["id"] and guild.has_bot:
                return payloads.requested_guild(guild.payload)
        raise ApiError(404, 10004, "Unknown Guild")

    def _application(self, _: RestRequest) -> Json:
        owner = next(user for user in self._state.users.values() if user.is_manager)
        return payloads.application(self._state.bot, owner.payload)

    def _unknown(self, _: RestRequest) -> Json:
        raise ApiError(404, 0, "404: Not Found")

    def _sync(self, request: RestRequest) -> list[Json]:
        state = self._state
        state.set_commands(command_registration.register(request.body, state.application_id, state.commands))
        return state.commands

    def _create_dm(self, request: RestRequest) -> Json:
        if user := self._state.users.get(str(request.body.get("recipient_id"))):
            return user.direct_messages.payload
        raise ApiError(*UNKNOWN_USER)

    # Messages are reached by channel with the bot's token, or by an interaction's token.

    def _channel(self, request: RestRequest) -> Channel:
        channel = self._state.channels.get(request.path["channel"])
        if channel is None:
            raise ApiError(404, 10003, "Unknown Channel")
        guild = channel.guild
        if guild is not None and not (guild.has_bot and channel.app_permissions.view_channel):
            raise ApiError(403, 50001, "Missing Access")
        return channel

    def _interaction(self, request: RestRequest) -> Interaction:
        """Find the interaction of a token; it is valid from the callback on, for 15 minutes."""
        found = self._state.interactions.get(request.path["token"])
        if found is None or not found.is_acknowledged or request.path["app"] != self._state.application_id:
            raise ApiError(404, 10015, "Unknown Webhook")
        if found.age > TOKEN_SECONDS:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        return found

    def _message(self, request: RestRequest) -> Message:
        message_id = request.path.get("id")
        if "channel" in request.path:
            return self._channel(request).public_message(str(message_id))
        interaction = self._interaction(request)
        reachable = interaction.messages if message_id else [interaction.message]
        for message in reachable:
            if message is not None and not message.is_deleted and message_id in (None, message.id):
                return message
        raise ApiError(*UNKNOWN_MESSAGE)

    def _edit(self, request: RestRequest) -> Json:
        message = self._message(request)
        if message.channel.is_archived:
            raise ApiError(*THREAD_IS_ARCHIVED)
        if not message.is_from_bot:
            raise ApiError(*ANOTHER_AUTHOR)
        return edit_message(message, request.body, request.files).app_payload

    def _delete(self, request: RestRequest) -> None:
        message = self._message(request)
        if not (message.is_from_bot or message.channel.app_permissions.manage_messages):
            raise ApiError(*MISSING_PERMISSIONS)
        self._state.delete(message)

    def _create(self, request: RestRequest) -> Json:
        channel = self._channel(request)
        if channel.guild is not None and not channel.app_permissions.send_messages:
            raise ApiError(*MISSING_PERMISSIONS)
        if channel.recipient is not None and not channel.recipient.takes_direct_messages:
            raise ApiError(403, 50007, "Cannot send messages to this user")
        nonce = {"nonce": request.body["nonce"]} if request.body.get("enforce_nonce") else {}
        for message in channel.messages:
            if nonce and nonce.items() <= message.data.items():
                return message.app_payload
        body = request.body | {"flags": (request.body.get("flags") or 0) & ~(EPHEMERAL | LOADING)}
        message = create_message(channel, body, request.files)
        message.data |= nonce
        return message.app_payload

    def _list(self, request: RestRequest) -> list[Json]:
        before = int(request.query.get("before", 2**63))
        public = [each for each in self._channel(request).messages if not each.is_ephemeral]
        older = [each.app_payload for each in public if int(each.id) < before]
        return older[: -int(request.query.get("limit", 50)) - 1 : -1]

    def _followup(self, request: RestRequest) -> Json:
        interaction = self._interaction(request)
        deferred = interaction.message
        if deferred is not None and deferred.is_loading:  # Discord makes it the response
            return edit_message(deferred, request.body, request.files).app_payload
        body = request.body | {"flags": (request.body.get("flags") or 0) & ~LOADING}
        return create_message(interaction.channel, body, request.files, interaction).app_payload
