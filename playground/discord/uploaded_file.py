"""Files that members and bots upload, and the Attachment objects that describe them."""

from __future__ import annotations

import io
import mimetypes
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from playground.discord.payloads import snowflake

if TYPE_CHECKING:
    from playground.discord.payloads import Json

_SPOILER = 1 << 3
# What Pillow raises for a file that is no image, or says that it is too large to be one.
_NO_IMAGE = OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning


@dataclass(frozen=True)
class UploadedFile:
    """A file as a member chooses it, for an attachment option, a form or a message.

    Args:
        name: As on the member's disk, in any script.
        data: Its bytes.
        content_type: What the Attachment object says instead of the type that the name suggests.
        declared_size: What the Attachment object says instead of the size in bytes.
    """

    name: str
    data: bytes
    content_type: str | None = None
    declared_size: int | None = None


def attachment(file: UploadedFile) -> Json:
    """Return a new Attachment object, without links."""
    payload: Json = {"id": snowflake(), "filename": safe_name(file.name)}
    if not file.name.isascii():
        payload["title"] = file.name.rpartition(".")[0] or file.name
    payload["size"] = len(file.data) if file.declared_size is None else file.declared_size
    guessed = mimetypes.guess_type(payload["filename"])[0] or "application/octet-stream"
    payload["content_type"] = file.content_type or guessed
    if payload["filename"].startswith("SPOILER_"):
        payload["flags"] = _SPOILER
    return payload | size(file.data)


def size(data: bytes) -> Json:
    """Return the width and height of an image, and nothing for any other file."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return {"width": image.width, "height": image.height}
    except _NO_IMAGE:
        return {}


def safe_name(name: str) -> str:
    """Return a file name as Discord keeps it: ASCII letters, digits, "-", "_" and "."; never empty.

    The rule is the one of Werkzeug's `secure_filename`, says discord/discord-api-docs#7754; a name without
    any such letter becomes another one (#6945).
    """
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem, dot, suffix = ascii_only.rpartition(".") if "." in ascii_only else (ascii_only, "", "")
    stem = re.sub(r"[^\w.-]", "", "_".join(re.split(r"[\s/\\]+", stem))).strip("._")
    return f"{stem or 'file'}{dot}{re.sub('[^A-Za-z0-9]', '', suffix)}"
