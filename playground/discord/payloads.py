"""The smallest shapes of Discord's API: ids, times, users."""

import itertools
import time
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

OWN_USER_FIELDS: Json = {"mfa_enabled": True, "locale": "en-US", "verified": True, "email": None}
"""What a User object has besides where a bot is told of itself."""

_EPOCH_MS = 1_420_070_400_000
_counter = itertools.count()


def snowflake() -> str:
    """Return a new id of this very millisecond; ids made later are greater."""
    return str((int(time.time() * 1000) - _EPOCH_MS) << 22 | next(_counter) & 0x3FFFFF)


def now() -> str:
    """Return the time of day as Discord writes it."""
    return datetime.now(UTC).isoformat()


def user(user_id: str, username: str, *, global_name: str | None = None, is_bot: bool = False) -> Json:
    """Return a User object with every field that the API always sends."""
    nothing = dict.fromkeys(("avatar", "banner", "accent_color", "avatar_decoration_data", "primary_guild"))
    names = {"id": user_id, "username": username, "global_name": global_name, "discriminator": "0"}
    return names | nothing | {"public_flags": 0, "flags": 0, "bot": is_bot}


def role(role_id: str, name: str, permissions: int, position: int) -> Json:
    """Return a Role object."""
    shape: Json = {"id": role_id, "name": name, "permissions": str(permissions), "position": position}
    colors: Json = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
    shape |= {"color": 0, "colors": colors, "icon": None, "unicode_emoji": None, "flags": 0}
    return shape | dict.fromkeys(("hoist", "managed", "mentionable"), False)


def text_channel(channel_id: str, name: str, guild_id: str | None) -> Json:
    """Return the Channel object of a guild's text channel."""
    shape: Json = {"id": channel_id, "type": 0, "name": name, "guild_id": guild_id, "flags": 0, "position": 0}
    shape |= dict.fromkeys(("topic", "parent_id", "last_message_id"))
    return shape | {"permission_overwrites": [], "nsfw": False, "rate_limit_per_user": 0}


def thread(
    channel_id: str, name: str, guild_id: str | None, parent_id: str, *, is_archived: bool = False
) -> Json:
    """Return the Channel object of a public thread."""
    shape: Json = {"id": channel_id, "type": 11, "name": name, "guild_id": guild_id, "parent_id": parent_id}
    state = {
        "archived": is_archived,
        "auto_archive_duration": 1440,
        "archive_timestamp": now(),
        "locked": False,
    }
    shape |= {"owner_id": "1", "thread_metadata": state, "last_message_id": None, "flags": 0}
    return shape | dict.fromkeys(
        ("message_count", "member_count", "total_message_sent", "rate_limit_per_user"), 0
    )


def guild(guild_id: str, name: str) -> Json:
    """Return the Guild object of GUILD_CREATE, of which its channels, roles and members are left to add."""
    shape: Json = {"id": guild_id, "name": name, "owner_id": "1", "joined_at": now()}
    lists = "features emojis stickers threads presences voice_states stage_instances guild_scheduled_events"
    shape |= {key: [] for key in (*lists.split(), "soundboard_sounds")}
    pictures = "icon splash discovery_splash banner description vanity_url_code"
    places = "afk_channel_id system_channel_id rules_channel_id public_updates_channel_id application_id"
    shape |= dict.fromkeys((*pictures.split(), *places.split()))
    levels = "verification_level default_message_notifications explicit_content_filter mfa_level nsfw_level"
    shape |= dict.fromkeys((*levels.split(), "premium_tier", "system_channel_flags"), 0)
    shape |= {"afk_timeout": 300, "premium_progress_bar_enabled": False}
    return shape | dict.fromkeys(("large", "unavailable"), False)


def without_nulls(value: Any) -> Any:
    """Drop null members at every depth: answers leave out what requests may set to null."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value
