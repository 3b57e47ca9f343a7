"""Render the images that are kept as their models made them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from bot.discord.markdown import timestamp
from bot.i18n import translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.media.kept import Original

_MEGABYTE = 1024 * 1024
_TENTH = Decimal("0.1")


def megabytes(size: int) -> Decimal:
    """Return a file's size in MB, rounded to tenths but never to 0."""
    return max(round(Decimal(size) / _MEGABYTE, 1), _TENTH)


def file_size(original: Original, locale: str) -> str:
    """Return an image's format and size."""
    kind = original.path.suffix.removeprefix(".").replace("jpg", "jpeg").upper()
    return translate("file-size", locale, format=kind, size=megabytes(original.size))


def originals_text(originals: Sequence[Original], locale: str) -> str:
    """Return the sizes of a job's images, and until when they are kept."""
    if not originals:
        return translate("originals-gone", locale)
    parts = [file_size(each, locale) for each in originals]
    text = " · ".join(parts)
    until = min((each.kept_until for each in originals if each.kept_until), default=None)
    if until is None:
        return text
    return f"{text}\n{translate('originals-until', locale, when=timestamp(until, 'f'))}"
