"""Resolutions in the different spellings of the models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bot.domain.job import OptionValue

_RESOLUTION: Final = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)(k|p)", re.IGNORECASE | re.ASCII)


def resolution_width(value: OptionValue | None) -> float | None:
    """Return the long side that a resolution such as "0.5K", "2k" or "1080p" stands for, about, in pixels.

    None is a value that is written differently.
    """
    match = _RESOLUTION.fullmatch(str(value))
    if match is None:
        return None
    return float(match[1]) * (1024 if match[2].lower() == "k" else 16 / 9)
