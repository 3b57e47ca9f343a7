"""Builders of Discord's API objects, ids and timestamps."""

import itertools
from typing import Any

from playground.clock import CLOCK

Json = dict[str, Any]

OWN_USER_FIELDS: Json = {"mfa_enabled": True, "locale": "en-US", "verified": True, "email": None}
"""Additional fields of the User object that describes the bot itself."""

ENTRY_POINT = 4
"""The type of the command that launches an app's Activity; an app has at most one."""

_EPOCH_MS = 1_420_070_400_000
_counter = itertools.count()


def snowflake() -> str:
    """Return a new id with the current millisecond; later ids are greater."""
    return str((int(CLOCK.time() * 1000) - _EPOCH_MS) << 22 | next(_counter) & 0x3FFFFF)


def now() -> str:
    """Return the current time in Discord's format."""
    return CLOCK.now().isoformat()


def user(user_id: str, username: str, *, global_name: str | None = None, is_bot: bool = False) -> Json:
    """Return a User object with every field that the API always sends."""
    nothing = dict.fromkeys(("avatar", "banner", "accent_color", "avatar_decoration_data", "primary_guild"))
    names = {"id": user_id, "username": username, "global_name": global_name, "discriminator": "0"}
    return names | nothing | {"public_flags": 0, "flags": 0, "bot": is_bot}


def member(user: Json, role_ids: list[str]) -> Json:
    """Return a Member object."""
    payload: Json = dict.fromkeys(("nick", "avatar", "premium_since", "communication_disabled_until"))
    payload |= {"user": user, "roles": role_ids, "joined_at": now(), "flags": 0}
    return payload | dict.fromkeys(("deaf", "mute", "pending"), False)


def role(role_id: str, name: str, permissions: int, position: int) -> Json:
    """Return a Role object."""
    payload: Json = {"id": role_id, "name": name, "permissions": str(permissions), "position": position}
    colors: Json = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
    payload |= {"color": 0, "colors": colors, "icon": None, "unicode_emoji": None, "flags": 0}
    return payload | dict.fromkeys(("hoist", "managed", "mentionable"), False)


def text_channel(channel_id: str, name: str, guild_id: str | None) -> Json:
    """Return the Channel object of a guild's text channel."""
    payload: Json = {
        "id": channel_id,
        "type": 0,
        "name": name,
        "guild_id": guild_id,
        "flags": 0,
        "position": 0,
    }
    payload |= dict.fromkeys(("topic", "parent_id", "last_message_id"))
    return payload | {"permission_overwrites": [], "nsfw": False, "rate_limit_per_user": 0}


def thread(
    channel_id: str, name: str, guild_id: str | None, parent_id: str, *, is_archived: bool = False
) -> Json:
    """Return the Channel object of a public thread."""
    payload: Json = {"id": channel_id, "type": 11, "name": name, "guild_id": guild_id, "parent_id": parent_id}
    state: Json = {"archived": is_archived, "auto_archive_duration": 1440, "locked": False}
    state |= {"archive_timestamp": now()}
    payload |= {"owner_id": "1", "thread_metadata": state, "last_message_id": None, "flags": 0}
    counts = ("message_count", "member_count", "total_message_sent", "rate_limit_per_user")
    return payload | dict.fromkeys(counts, 0)


def guild(guild_id: str, name: str) -> Json:
    """Return the Guild object of GUILD_CREATE, without its channels, roles and members."""
    payload: Json = {"id": guild_id, "name": name, "owner_id": "1", "joined_at": now()}
    lists = "features emojis stickers threads presences voice_states stage_instances guild_scheduled_events"
    payload |= {key: [] for key in (*lists.split(), "soundboard_sounds")}
    pictures = "icon splash discovery_splash banner description vanity_url_code"
    places = "afk_channel_id system_channel_id rules_channel_id public_updates_channel_id application_id"
    payload |= dict.fromkeys((*pictures.split(), *places.split()))
    levels = "verification_level default_message_notifications explicit_content_filter mfa_level nsfw_level"
    payload |= dict.fromkeys((*levels.split(), "premium_tier", "system_channel_flags"), 0)
    payload |= {"afk_timeout": 300, "premium_progress_bar_enabled": False}
    return payload | dict.fromkeys(("large", "unavailable"), False)


def requested_guild(sent: Json) -> Json:
    """Return the Guild object of a request, by that of GUILD_CREATE."""
    only_sent = "members channels threads joined_at large unavailable member_count presences voice_states"
    lists = "stage_instances guild_scheduled_events soundboard_sounds"
    payload = {name: each for name, each in sent.items() if name not in f"{only_sent} {lists}".split()}
    unset = "home_header widget_channel_id max_presences safety_alerts_channel_id incidents_data"
    payload |= dict.fromkeys(unset.split())
    payload |= {
        "region": "deprecated",
        "widget_enabled": False,
        "nsfw": False,
        "premium_subscription_count": 0,
    }
    limits = {"max_members": 500_000, "max_video_channel_users": 25, "max_stage_video_channel_users": 50}
    return payload | limits


def application(bot: Json, owner: Json) -> Json:
    """Return the Application object that a bot gets of itself."""
    payload: Json = {"id": bot["id"], "name": bot["username"], "bot": bot, "owner": owner, "description": ""}
    links = ("interactions_endpoint_url", "role_connections_verification_url")
    payload |= dict.fromkeys(("type", "icon", "team", *links))
    payload |= {"verify_key": "0" * 64, "flags": 0, "flags_new": "0", "explicit_content_filter": 0}
    payload |= {"redirect_uris": [], "eligible_oauth2_scopes": []}
    counts = ("guild_count", "user_install_count", "user_authorization_count")
    payload |= {f"approximate_{what}": 1 for what in counts}
    return payload | {"bot_public": True, "bot_require_code_grant": False}


def entry_point(application_id: str) -> Json:
    """Return the command that launches an app's Activity, as the developer portal creates it."""
    payload: Json = {"id": snowflake(), "application_id": application_id, "version": snowflake()}
    payload |= {"type": ENTRY_POINT, "name": "launch", "description": "", "handler": 2, "nsfw": False}
    payload |= {"name_localizations": {"ru": "запуск"}, "integration_types": [0, 1], "contexts": [0, 1, 2]}
    return payload | {"default_member_permissions": None}


def without_nulls(value: Any) -> Any:
    """Drop null values at every depth: responses leave out what a request can set to null."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value
