"""Reading a Message object: its text, attachments, buttons and selects."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.discord.payloads import Json

EPHEMERAL, LOADING = 1 << 6, 1 << 7
_BUTTON = 2
_INTERACTIVE = (_BUTTON, 3, 5, 6, 7, 8)


class MessageContent:
    """Accessors for `data`, a Message object of the API."""

    data: Json

    @property
    def id(self) -> str:
        """The message's snowflake."""
        return str(self.data["id"])

    @property
    def content(self) -> str:
        """The text above the embeds."""
        return str(self.data["content"])

    @property
    def embeds(self) -> list[Json]:
        """Embed objects."""
        return list(self.data["embeds"])

    @property
    def attachments(self) -> list[Json]:
        """Attachment objects, without those shown in an embed."""
        return list(self.data["attachments"])

    @property
    def components(self) -> list[Json]:
        """Action rows, or the components of a newer message."""
        return list(self.data["components"])

    @property
    def is_ephemeral(self) -> bool:
        """Whether only one user sees the message."""
        return bool(self.data["flags"] & EPHEMERAL)

    @property
    def is_loading(self) -> bool:
        """Whether this is a deferred response that still shows "thinking"."""
        return bool(self.data["flags"] & LOADING)

    @property
    def as_referenced(self) -> Json:
        """The Message object as the `referenced_message` of a reply, which names no further one."""
        return {key: value for key, value in self.data.items() if key != "referenced_message"}

    @property
    def reply_to(self) -> str | None:
        """The id of the message that this one replies to."""
        reference = self.data.get("message_reference")
        return str(reference["message_id"]) if reference else None

    @property
    def text(self) -> str:
        """The content and all embed texts, one per line."""
        return "\n".join([self.content, *(line for embed in self.embeds for line in _lines(embed))])

    @property
    def buttons(self) -> dict[str, Json]:
        """Buttons by label."""
        return {part.get("label", ""): part for part in self.parts if part["type"] == _BUTTON}

    @property
    def selects(self) -> dict[str, Json]:
        """Selects by custom_id."""
        return {part["custom_id"]: part for part in self.parts if part["type"] != _BUTTON}

    @property
    def parts(self) -> list[Json]:
        """Buttons and selects, in order."""
        return [part for part in _nested(self.components) if part["type"] in _INTERACTIVE]

    def button(self, label: str) -> Json:
        """Return the button with this label, else raise LookupError."""
        if label not in self.buttons:
            raise LookupError(f"no button {label!r} among {list(self.buttons)}")
        return self.buttons[label]

    def select(self, name: str) -> Json:
        """Return the select with this custom_id or placeholder, else raise LookupError."""
        for custom_id, part in self.selects.items():
            if name in (custom_id, part.get("placeholder")):
                return part
        raise LookupError(f"no select {name!r} among {list(self.selects)}")


def _nested(parts: list[Json]) -> Iterator[Json]:
    """Yield components at every depth."""
    for part in parts:
        yield part
        yield from _nested(part.get("components", []))
        yield from _nested([part["accessory"]] if "accessory" in part else [])


def _lines(embed: Json) -> Iterator[str]:
    yield from (embed[key] for key in ("title", "description") if key in embed)
    yield from (f"{each['name']}: {each['value']}" for each in embed.get("fields", []))
    yield from (embed[part][key] for part, key in (("author", "name"), ("footer", "text")) if part in embed)
