"""Validating the body of a message request and applying it to a message.

Limits: https://discord.com/developers/docs/resources/message
"""

import re
from dataclasses import replace

from playground.discord import components
from playground.discord.cdn import Cdn
from playground.discord.error_responses import (
    MISSING_PERMISSIONS,
    TOO_LARGE,
    ApiError,
    Problem,
    raise_for_problems,
)
from playground.discord.message_content import EPHEMERAL, LOADING
from playground.discord.payloads import Json, now, without_nulls
from playground.discord.request_schemas import Schema, list_schema, object_schema, text_schema, validate
from playground.discord.state import Message
from playground.discord.uploaded_file import UploadedFile, safe_name

Files = dict[int, UploadedFile]
"""Uploads of one request, by the n of `files[n]`."""


_EMBED = object_schema(
    title=text_schema(256),
    description=text_schema(4096),
    image=object_schema(description=text_schema(4096)),
    fields=list_schema(
        25, object_schema(["name", "value"], name=text_schema(256, 1), value=text_schema(1024, 1))
    ),
    footer=object_schema(["text"], text=text_schema(2048)),
    author=object_schema(["name"], name=text_schema(256)),
)
_ID = {"type": ["string", "integer", "null"]}
_MESSAGE = Schema(
    object_schema(
        content=text_schema(2000),
        embeds=list_schema(10, _EMBED),
        components=components.ROWS,
        message_reference=object_schema(
            ["message_id"], message_id=_ID, channel_id=_ID, fail_if_not_exists={"type": ["boolean", "null"]}
        ),
        attachments=list_schema(
            10, object_schema(["id"], description=text_schema(1024), filename=text_schema(1024))
        ),
    )
)
_PICTURES = (("image", "url"), ("thumbnail", "url"), ("author", "icon_url"), ("footer", "icon_url"))


def apply_edit(message: Message, body: Json, files: Files) -> None:
    """Apply a request body to a message; fields it leaves out stay.

    Raises:
        ApiError: Discord would reject it; then the message is unchanged.
    """
    validate(_MESSAGE, body)
    raise_for_problems(_cross_field_problems(body))
    _check_permissions(message, body, files)
    attachments = _attachments(message, body.get("attachments"), files)
    changed = {key: body[key] or [] for key in ("embeds", "components") if key in body}
    changed = message.data | without_nulls(changed)
    changed["embeds"], shown = _resolve(changed["embeds"], attachments, message.channel.discord.cdn)
    changed["attachments"] = [each for each in attachments if each["id"] not in shown]
    changed["components"] = components.normalized_rows(changed["components"])
    changed["content"] = body["content"] or "" if "content" in body else message.content
    if not any(changed[key] for key in ("content", "embeds", "components")) and not attachments:
        raise ApiError(400, 50006, "Cannot send an empty message")
    changed["flags"] &= ~LOADING
    changed |= _mentions(message, changed["content"], body.get("allowed_mentions"))
    changed["edited_timestamp"] = now() if message in message.channel.messages else None
    message.data, message.files = changed, attachments


def _cross_field_problems(body: Json) -> list[Problem]:
    """Find the problems that the schema can't express."""
    problems: list[Problem] = []
    embeds = body.get("embeds") or []
    if sum(map(_characters, embeds)) > 6000:
        problems.append((("embeds",), "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000"))
    return [*problems, *components.cross_field_problems(body.get("components") or [])]


def _characters(embed: Json) -> int:
    texts = [embed.get("title"), embed.get("description")]
    texts += [text for each in embed.get("fields") or [] for text in (each["name"], each["value"])]
    texts += [(embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
    return sum(len(text or "") for text in texts)


def _check_permissions(message: Message, body: Json, files: Files) -> None:
    permissions = message.channel.app_permissions
    lacks_files = bool(files) and not permissions.attach_files
    lacks_embeds = bool(body.get("embeds")) and not permissions.embed_links
    if message.is_from_bot and (lacks_files or lacks_embeds):
        raise ApiError(*MISSING_PERMISSIONS)
    most = message.channel.discord.attachment_size_limit
    if any(len(file.data) > most for file in files.values()):
        raise ApiError(*TOO_LARGE)


def _attachments(message: Message, listed: list[Json] | None, files: Files) -> list[Json]:
    """Return the kept and the new attachments; a list in the request must name everything to keep."""
    notes = {str(each["id"]): each for each in listed or []}
    kept = [each for each in message.files if listed is None or each["id"] in notes]
    unknown = set(notes) - {each["id"] for each in kept} - {str(number) for number in files}
    raise_for_problems(
        (("attachments",), "ATTACHMENT_NOT_FOUND", f"Unknown attachment {each}") for each in unknown
    )
    new = new_attachments(message, files, notes)
    if len(kept + new) > 10:
        raise_for_problems([(("attachments",), "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")])
    return kept + new


def new_attachments(message: Message, files: Files, notes: dict[str, Json] | None = None) -> list[Json]:
    """Upload the files of a message; return their Attachment objects.

    `notes` has partial ones of the request, by number.
    """
    return [_uploaded(message, file, (notes or {}).get(str(number), {})) for number, file in files.items()]


def _uploaded(message: Message, file: UploadedFile, note: Json) -> Json:
    file = replace(file, name=note.get("filename") or file.name)
    is_ephemeral = bool(message.data["flags"] & EPHEMERAL)
    payload = message.channel.discord.cdn.add(message.channel.id, file, is_ephemeral=is_ephemeral)
    if note.get("description"):
        payload["description"] = note["description"]
    return payload


def _resolve(embeds: list[Json], attachments: list[Json], cdn: Cdn) -> tuple[list[Json], set[str]]:
    """Replace `attachment://name` by links; return the embeds and the ids of the files they show."""
    by_link = {f"attachment://{each['filename']}": each for each in attachments}
    by_link |= {each["url"].partition("?")[0]: each for each in attachments}
    resolved, shown = [], set()
    for embed in embeds:
        new: Json = {"type": "rich"} | embed
        new |= {"fields": [{"inline": False} | each for each in embed["fields"]]} if "fields" in embed else {}
        for part, key in _PICTURES:
            link = embed.get(part, {}).get(key, "").partition("?")[0]
            if file := by_link.get(_safe(link)):
                size = {side: file[side] for side in ("width", "height") if key == "url" and side in file}
                proxied = {f"proxy_{key}": file["proxy_url"]}
                new[part] = embed[part] | {key: file["url"]} | proxied | size
                shown.add(file["id"])
            elif link.startswith("attachment://"):
                raise_for_problems([(("embeds",), "REFERENCED_ATTACHMENT_NOT_FOUND", f"There is no {link}")])
            elif link and key == "url":
                new[part] = embed[part] | cdn.proxied(embed[part]["url"])
        resolved.append(new)
    return resolved, shown


def _safe(link: str) -> str:
    scheme, _, name = link.partition("attachment://")
    return link if scheme or not name else f"attachment://{safe_name(name)}"


def _mentions(message: Message, content: str, allowed: Json | None) -> Json:
    """Return the pinged users, which `mentions` lists; by default every mention pings."""
    rule: Json = {"parse": ["users", "roles", "everyone"]} if allowed is None else allowed
    parse, channel = rule.get("parse") or [], message.channel

    def pinged(kind: str, pattern: str) -> list[str]:
        chosen = [str(each) for each in rule.get(kind) or []]
        return [each for each in re.findall(pattern, content) if kind in parse or each in chosen]

    original = message.data.get("referenced_message") if rule.get("replied_user", allowed is None) else None
    users, role_ids = pinged("users", r"<@!?(\d+)>"), pinged("roles", r"<@&(\d+)>")
    users += [original["author"]["id"]] if original else []
    members = [each for each in channel.discord.users.values() if each.id in users]
    roles = [each for each in (channel.guild.roles if channel.guild else []) if each.id in role_ids]
    may_ping_all = "everyone" in parse and channel.app_permissions.mention_everyone
    everyone = may_ping_all and re.search("@(everyone|here)", content) is not None
    message.mentioned |= {each.name for each in members} | {f"@{each.name}" for each in roles}
    message.mentioned |= {"@everyone"} if everyone else set()
    payload: Json = {"mentions": [each.payload for each in members], "mention_everyone": everyone}
    return payload | {"mention_roles": [each.id for each in roles]}
