"""Check Discord's successful responses before discord.py reads them.

A success without the expected JSON (empty, a proxy's page, half an object, another object) makes discord.py
raise JSONDecodeError, KeyError or TypeError, although Discord may have carried out the request. That is the
same as a lost response, so it is reported as one.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from bot.discord.errors import LostResponseError

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

_Shape: TypeAlias = Any  # a type, `_ID`, a list of one shape, or the shapes of an object's members
_ID: _Shape = object()  # a snowflake

# The fields that discord.py reads without checking. Names with ? are optional and nullable.
_USER: _Shape = {"id": _ID, "username": str, "discriminator": str, "avatar": object}
_FILE: _Shape = {"id": _ID, "size": int, "filename": str, "url": str, "proxy_url": str}
_MESSAGE: _Shape = {
    "id": _ID,
    "type": int,
    "content": str,
    "author": _USER,
    "attachments": [_FILE],
    "embeds": [dict],
    "components?": [{"type": int}],
}
_CALLBACK: _Shape = {
    "interaction": {"id": _ID, "response_message_id?": _ID},
    "resource?": {"type": int, "message?": _MESSAGE},
}
_APPLICATION: _Shape = dict.fromkeys(("name", "description", "verify_key"), str)
_APPLICATION |= {
    "id": _ID,
    "icon": object,
    "owner": _USER,
    "bot_public": bool,
    "bot_require_code_grant": bool,
}
_COMMANDS: _Shape = [{"id": _ID, "name": str, "version": _ID}]
_CHANNEL: _Shape = {"id": _ID, "type": int}
_SHAPES: list[tuple[str, _Shape]] = [
    (r"POST /interactions/\d+/[^/]+/callback", _CALLBACK),
    (r"GET /channels/\d+/messages", [_MESSAGE]),
    (r"\w+ /(channels/\d+/messages|webhooks/\d+/[^/]+)(/.*)?", _MESSAGE),
    (r"\w+ /(users/@me/channels|channels/\d+)", _CHANNEL),
    (r"\w+ /users/(@me|\d+)", _USER),
    (r"\w+ /applications/\d+/commands", _COMMANDS),
    (r"GET /oauth2/applications/@me", _APPLICATION),
]
"""The expected response, by method and path."""


async def validate_response(response: aiohttp.ClientResponse) -> None:
    """Accept what discord.py can read, and every refusal.

    Raises:
        LostResponseError: A success without the expected JSON.
        aiohttp.ClientError: The rest of the response does not arrive.
    """
    if not response.ok or response.status >= 300:
        return
    if response.method == "DELETE":
        is_valid = response.status == 204
    else:
        # discord.py compares the type the same way, and takes everything else for plain text.
        is_valid = response.headers.get("Content-Type") == "application/json"
        is_valid = is_valid and _is_valid(await response.read(), _shape(response.method, response.url))
    if not is_valid:
        await response.read()  # so that the connection can be used again
        raise LostResponseError(f"HTTP {response.status} without the expected JSON")


def _shape(method: str, url: URL) -> _Shape:
    request = f"{method} /{'/'.join(url.parts[3:])}"  # without "/", "api" and "v10"
    return next((shape for pattern, shape in _SHAPES if re.fullmatch(pattern, request)), object)


def _is_valid(body: bytes, shape: _Shape) -> bool:
    try:
        return _matches(json.loads(body), shape)
    except (ValueError, RecursionError):
        return False


def _matches(value: object, shape: _Shape) -> bool:
    if shape is _ID:
        return isinstance(value, str) and value.isdecimal()
    if isinstance(shape, list):
        return isinstance(value, list) and all(_matches(each, shape[0]) for each in value)
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(
            name.rstrip("?") in value and _matches(value[name.rstrip("?")], inner)
            for name, inner in shape.items()
            if not name.endswith("?") or value.get(name.rstrip("?")) is not None
        )
    return isinstance(value, shape)
