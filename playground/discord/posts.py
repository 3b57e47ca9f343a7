"""Messages that members and other apps post, in every form in which pictures can be in a message."""

from __future__ import annotations

import re
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from playground.discord import payloads
from playground.discord.message_payloads import apply_edit, new_attachments
from playground.discord.messages import empty_message, publish
from playground.discord.payloads import Json, snowflake
from playground.discord.state import Message, User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from playground.discord.cdn import Cdn
    from playground.discord.state import Channel
    from playground.discord.uploaded_file import UploadedFile

_HAS_SNAPSHOT, _HAS_LAYOUT = 1 << 14, 1 << 15  # message flags
_FORWARD = 1  # the type of a message reference
_ROW, _SECTION, _THUMBNAIL, _GALLERY, _FILE, _CONTAINER = 1, 9, 11, 12, 13, 17
_STICKER_FORMATS = {"png": 1, "gif": 4}
_COPIED = "type content embeds attachments components flags timestamp edited_timestamp mentions mention_roles"
_SNAPSHOT = (*_COPIED.split(), "sticker_items")


class OtherApp(User):
    """Another app's bot, which posts what members can't: embeds and components."""

    @property
    def payload(self) -> Json:
        """The User object."""
        return payloads.user(self.id, self.name, global_name=None, is_bot=True)

    def post(self, body: Json, files: Sequence[UploadedFile] = (), channel: Channel | None = None) -> Message:
        """Post a message with the body that the API takes, and files as `attachment://name`.

        Raises:
            ApiError: Discord would reject it. The components of newer messages are not checked.
        """
        return post_message(self, channel or self.discord.channel, body, files)


def post_message(
    author: User,
    channel: Channel,
    body: Json,
    files: Sequence[UploadedFile] = (),
    stickers: Sequence[UploadedFile] = (),
) -> Message:
    """Post and publish a message that a user wrote; links to known pictures on the web get embeds.

    Raises:
        ApiError: Discord would reject it.
    """
    message = Message(channel, empty_message(channel, 0) | {"author": author.payload})
    cdn = channel.discord.cdn
    if stickers:
        message.data["sticker_items"] = [_sticker(file, cdn) for file in stickers]
    if (body.get("flags") or 0) & _HAS_LAYOUT:
        _apply_layout(message, body["components"], files)
    elif files or not stickers or body.get("content"):
        apply_edit(message, body, dict(enumerate(files)))
        links = re.findall(r"https?://\S+", message.content)
        message.data["embeds"] += [_unfurled(link, cdn) for link in links if link in cdn.web]
    return publish(message)


def forward_message(author: User, original: Message, channel: Channel) -> Message:
    """Forward a message and publish it."""
    data = empty_message(channel, _HAS_SNAPSHOT) | {"author": author.payload}
    source = original.channel
    reference: Json = {"type": _FORWARD, "channel_id": source.id, "message_id": original.id}
    reference |= {"guild_id": source.guild.id} if source.guild else {}
    snapshot = {key: original.data[key] for key in _SNAPSHOT if key in original.data}
    data |= {"message_reference": reference, "message_snapshots": [{"message": snapshot}]}
    return publish(Message(channel, data))


def _sticker(file: UploadedFile, cdn: Cdn) -> Json:
    name, _, suffix = file.name.rpartition(".")
    return {"id": cdn.add_sticker(file), "name": name, "format_type": _STICKER_FORMATS[suffix]}


def _unfurled(link: str, cdn: Cdn) -> Json:
    return {"type": "image", "url": link, "thumbnail": {"url": link} | cdn.proxied(link)}


def _apply_layout(message: Message, parts: list[Json], files: Sequence[UploadedFile]) -> None:
    message.files = new_attachments(message, dict(enumerate(files)))
    media = partial(_media, {f"attachment://{each['filename']}": each for each in message.files})
    number = count(1)
    cdn = message.channel.discord.cdn
    message.data["components"] = [_component(part, number, partial(media, cdn)) for part in parts]
    message.data["flags"] |= _HAS_LAYOUT


def _media(files: dict[str, Json], cdn: Cdn, link: str) -> Json:
    """Return the UnfurledMedia object of an attachment or of a picture on the web."""
    if link not in files:
        return {"id": snowflake(), "url": link} | cdn.proxied(link)
    file = files[link]
    about = ("url", "proxy_url", "width", "height", "content_type")
    return {"id": snowflake(), "attachment_id": file["id"]} | {key: file[key] for key in about if key in file}


def _component(part: Json, number: Iterator[int], media: Callable[[str], Json]) -> Json:
    """Return a component as the API does: numbered, its media resolved, and with every field."""
    shape: Json = {"id": next(number)} | part
    if part["type"] == _GALLERY:
        shape["items"] = [_shown(each, media) for each in part["items"]]
    elif part["type"] == _THUMBNAIL:
        shape = _shown(shape, media)
    elif part["type"] == _FILE:
        file = media(part["file"]["url"])
        name = part["file"]["url"].rpartition("/")[2]
        shape |= {"file": file, "name": name, "size": 0, "spoiler": False}
    elif part["type"] == _SECTION:
        shape["accessory"] = _component(part["accessory"], number, media)
    elif part["type"] == _CONTAINER:
        shape = {"accent_color": None, "spoiler": False} | shape
    if part["type"] in (_ROW, _SECTION, _CONTAINER):
        shape["components"] = [_component(each, number, media) for each in part["components"]]
    return shape


def _shown(item: Json, media: Callable[[str], Json]) -> Json:
    return {"description": None, "spoiler": False} | item | {"media": media(item["media"]["url"])}
