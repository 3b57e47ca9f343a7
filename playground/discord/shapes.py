"""The smallest shapes of Discord's API: ids, times, users."""

import itertools
import time
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

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


def without_nulls(value: Any) -> Any:
    """Drop null members at every depth: answers leave out what requests may set to null."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value
