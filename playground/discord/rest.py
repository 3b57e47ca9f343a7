"""The REST API under /api/v10, as far as a bot of commands, buttons and images needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from playground.discord import command_registration, state
from playground.discord.error_responses import (
    MISSING_PERMISSIONS,
    THREAD_IS_ARCHIVED,
    UNKNOWN_MESSAGE,
    ApiError,
)
from playground.discord.interaction_callbacks import InteractionCallbacks, create_message, edit_message
from playground.discord.payloads import OWN_USER_FIELDS
from playground.discord.state import EPHEMERAL, LOADING, Interaction, Message

if TYPE_CHECKING:
    from playground.discord.guild import Channel
    from playground.discord.local import LocalDiscord
    from playground.discord.payloads import Json
    from playground.discord.rest_pipeline import RestPipeline, RestRequest


class Rest:
    """The handlers; each returns the JSON to answer, or None for 204."""

    def __init__(self, discord: LocalDiscord, answering: RestPipeline) -> None:
        self._discord = discord
        self._answering = answering
        self._callbacks = InteractionCallbacks(discord)

    def routes(self) -> list[web.RouteDef]:
        """Return every route, named as `LocalDiscord.fail` names them."""
        channel, commands = "/channels/{channel}/messages", "/applications/{app}/commands"
        webhook = "/webhooks/{app}/{token}"
        table = {
            "me": ("GET", "/users/@me", self._me),
            "user": ("GET", "/users/{id}", self._user),
            "application": ("GET", "/oauth2/applications/@me", self._application),
            "gateway": ("GET", "/gateway", lambda _: {"url": "wss://gateway.discord.gg"}),
            "gateway_bot": ("GET", "/gateway/bot", self._gateway_bot),
            "sync": ("PUT", commands, self._sync),
            "commands": ("GET", commands, lambda _: self._discord.commands),
            "callback": ("POST", "/interactions/{id}/{token}/callback", self._callbacks.answer),
            "followup": ("POST", webhook, self._followup),
            "create_message": ("POST", channel, self._create),
            "get_channel": ("GET", "/channels/{channel}", lambda asked: self._channel(asked).payload),
            "list_messages": ("GET", channel, self._list),
            "create_dm": ("POST", "/users/@me/channels", self._create_dm),
        }
        # The order matters: @original would fit {id} as well.
        for what, path in (
            ("original", f"{webhook}/messages/@original"),
            ("followup", f"{webhook}/messages/{{id}}"),
            ("message", f"{channel}/{{id}}"),
        ):
            table |= {
                f"get_{what}": ("GET", path, lambda asked: self._message(asked).data),
                f"edit_{what}": ("PATCH", path, self._edit),
                f"delete_{what}": ("DELETE", path, lambda asked: self._discord.delete(self._message(asked))),
            }
        table["unknown"] = ("*", "/{anything:.*}", self._unknown)
        return [
            web.route(method, f"/api/v10{path}", self._answering.handler(name, act))
            for name, (method, path, act) in table.items()
        ]

    def _me(self, _: RestRequest) -> Json:
        return self._discord.bot | OWN_USER_FIELDS

    def _user(self, asked: RestRequest) -> Json:
        for person in self._discord.members.values():
            if person.id == asked.path["id"]:
                return person.user_payload
        raise ApiError(404, 10013, "Unknown User")

    def _application(self, _: RestRequest) -> Json:
        bot = self._discord.bot
        owner = next(person for person in self._discord.members.values() if person.is_manager)
        shape: Json = {
            "id": bot["id"],
            "name": bot["username"],
            "description": "",
            "type": None,
            "bot": bot,
            "owner": owner.user_payload,
        }
        shape |= dict.fromkeys(
            ("icon", "interactions_endpoint_url", "role_connections_verification_url", "team")
        )
        shape |= {
            "verify_key": "0" * 64,
            "flags": 0,
            "flags_new": "0",
            "redirect_uris": [],
            "eligible_oauth2_scopes": [],
        }
        counts = ("guild_count", "user_install_count", "user_authorization_count")
        shape |= {f"approximate_{what}": 1 for what in counts}
        return shape | {"explicit_content_filter": 0, "bot_public": True, "bot_require_code_grant": False}

    def _gateway_bot(self, _: RestRequest) -> Json:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return {"url": "wss://gateway.discord.gg", "shards": 1, "session_start_limit": limit}

    def _unknown(self, _: RestRequest) -> Json:
        raise ApiError(404, 0, "404: Not Found")

    def _sync(self, asked: RestRequest) -> list[Json]:
        known = self._discord.commands
        self._discord.commands = command_registration.register(
            asked.body, self._discord.application_id, known
        )
        self._discord.notify_commands_update()
        return self._discord.commands

    def _create_dm(self, asked: RestRequest) -> Json:
        people = {person.id: person for person in self._discord.members.values()}
        person = people.get(str(asked.body.get("recipient_id")))
        if person is None:
            raise ApiError(404, 10013, "Unknown User")
        return person.direct_messages.payload

    # Messages, by channel with the bot's token or by an interaction's

    def _channel(self, asked: RestRequest) -> Channel:
        channel = self._discord.channels.get(asked.path["channel"])
        if channel is None:
            raise ApiError(404, 10003, "Unknown Channel")
        if channel.guild is not None and not channel.app_permissions.view_channel:
            raise ApiError(403, 50001, "Missing Access")
        return channel

    def _interaction(self, asked: RestRequest) -> Interaction:
        """Find whose token this is: it is worth nothing before the callback, and after 15 minutes."""
        found = self._discord.interactions.get(asked.path["token"])
        if found is None or not found.is_acknowledged or asked.path["app"] != self._discord.application_id:
            raise ApiError(404, 10015, "Unknown Webhook")
        if found.age > state.TOKEN_SECONDS:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        return found

    def _message(self, asked: RestRequest) -> Message:
        message_id = asked.path.get("id")
        if "channel" in asked.path:
            return self._channel(asked).public_message(str(message_id))
        interaction = self._interaction(asked)
        mine = interaction.messages if message_id else [interaction.message]
        for message in mine:
            if message is not None and not message.is_deleted and message_id in (None, message.id):
                return message
        raise ApiError(*UNKNOWN_MESSAGE)

    def _edit(self, asked: RestRequest) -> Json:
        message = self._message(asked)
        if message.channel.is_archived:
            raise ApiError(*THREAD_IS_ARCHIVED)
        return edit_message(message, asked.body, asked.files).data

    def _create(self, asked: RestRequest) -> Json:
        channel = self._channel(asked)
        if channel.guild is not None and not channel.app_permissions.send_messages:
            raise ApiError(*MISSING_PERMISSIONS)
        if channel.recipient is not None and not channel.recipient.takes_direct_messages:
            raise ApiError(403, 50007, "Cannot send messages to this user")
        nonce = {"nonce": asked.body["nonce"]} if asked.body.get("enforce_nonce") else {}
        for message in channel.messages:
            if nonce and nonce.items() <= message.data.items():
                return message.data
        body = asked.body | {"flags": (asked.body.get("flags") or 0) & ~(EPHEMERAL | LOADING)}
        message = create_message(channel, body, asked.files)
        message.data |= nonce
        return message.data

    def _list(self, asked: RestRequest) -> list[Json]:
        before = int(asked.query.get("before", 2**63))
        public = [each for each in self._channel(asked).messages if not each.is_ephemeral]
        older = [each.data for each in public if int(each.id) < before]
        return older[: -int(asked.query.get("limit", 50)) - 1 : -1]

    def _followup(self, asked: RestRequest) -> Json:
        interaction = self._interaction(asked)
        if (
            interaction.message is not None and interaction.message.is_loading
        ):  # Discord: it becomes the response
            return edit_message(interaction.message, asked.body, asked.files).data
        body = asked.body | {"flags": (asked.body.get("flags") or 0) & ~LOADING}
        return create_message(interaction.channel, body, asked.files, interaction).data
