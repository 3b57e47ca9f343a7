"""Discord's error responses.

Codes and messages: https://discord.com/developers/docs/topics/opcodes-and-status-codes
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.discord.payloads import Json

Path = tuple[str | int, ...]
"""A location in a request body."""
Problem = tuple[Path, str, str]
"""Location, Discord's code, and its message."""

UNKNOWN_MESSAGE = 404, 10008, "Unknown Message"
UNKNOWN_USER = 404, 10013, "Unknown User"
UNKNOWN_INTERACTION = 404, 10062, "Unknown interaction"
TOO_LARGE = 413, 40005, "Request entity too large"
THREAD_IS_ARCHIVED = 400, 50083, "Thread is archived"
MISSING_PERMISSIONS = 403, 50013, "Missing Permissions"
ANOTHER_AUTHOR = 403, 50005, "Cannot edit a message authored by another user"
CANNOT_READ_HISTORY = 400, 160002, "Cannot reply without permission to read message history"


class ApiError(Exception):
    """An error response: `status`, `headers`, and `body` in Discord's format."""

    def __init__(self, status: int, code: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"message": message, "code": code} | more
        self.headers: dict[str, str] = {}


def raise_for_problems(problems: Iterable[Problem]) -> None:
    """Raise ApiError 50035 with the tree of errors, unless there are no problems."""
    tree: Json = {}
    for path, code, message in problems:
        node = tree
        for step in path:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})
    if tree:
        raise ApiError(400, 50035, "Invalid Form Body", errors=tree)
