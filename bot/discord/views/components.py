"""Raw components, since modals contain more than discord.py keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def walk_components(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every component below a node, at any depth."""
    if isinstance(node, dict):
        yield node
        yield from walk_components(node.get("component"))
        yield from walk_components(node.get("components"))
    elif isinstance(node, list):
        for each in node:
            yield from walk_components(each)
