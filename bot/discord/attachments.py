"""Attachments that members send, as the pictures that go into a job."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Self

from bot.discord.markdown import escape, truncate
from bot.domain.job import InputFile
from bot.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_BYTES: Final = 20 * 1024 * 1024
"""The most that all pictures of a request can have together."""
_MEGABYTE: Final = 1024 * 1024
_NAME_SHOWN: Final = 60
_UNKNOWN_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True)
class SentFile:
    """A file from a command or a form, as Discord describes it."""

    filename: str
    size: int
    url: str
    content_type: str | None

    @classmethod
    def parse(cls, data: Mapping[str, Any] | None, file_id: object) -> Self:
        """Return a file of an interaction's data by its id.

        Raises:
            PolicyError: The data has no such file (`unreadable`).
        """
        match data:
            case {"resolved": {"attachments": {**files}}}:
                match files.get(str(file_id)):
                    case {"filename": str(name), "size": int(size), "url": str(url), **more}:
                        kind = more.get("content_type")
                        return cls(name, size, url, kind if isinstance(kind, str) else None)
        raise PolicyError("unreadable")

    def is_spoiler(self) -> bool:
        """Whether it is hidden until clicked."""
        return self.filename.startswith("SPOILER_")


def input_files(attachments: Iterable[tuple[str, SentFile]]) -> tuple[InputFile, ...]:
    """Return the pictures for a job, from pairs of a schema's property and its attachment.

    Only what Discord says about the files is checked; a job's preparation reads them.

    Raises:
        PolicyError: `not-a-picture` or `pictures-too-big`.
    """
    pairs = list(attachments)
    for _, attachment in pairs:
        declared = attachment.content_type or _UNKNOWN_TYPE
        if not declared.startswith("image/") and declared != _UNKNOWN_TYPE:
            raise PolicyError("not-a-picture", file=escape(truncate(attachment.filename, _NAME_SHOWN)))
    size = sum(attachment.size for _, attachment in pairs)
    if size > MAX_BYTES:
        shown = max(round(Decimal(size) / _MEGABYTE, 1), Decimal(MAX_BYTES) / _MEGABYTE + Decimal("0.1"))
        raise PolicyError("pictures-too-big", size=shown, most=MAX_BYTES // _MEGABYTE)
    return tuple(
        InputFile(option=option, url=each.url, is_spoiler=each.is_spoiler()) for option, each in pairs
    )
