"""Discord's markdown: show what people typed literally, and timestamps in each reader's time zone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.i18n import TextValue

PROMPT_SHOWN = 300
"""Characters of a prompt in its job's message."""
_QUOTED = 1000  # an embed's description takes 4096 characters, and escaping can double them
_INLINE = re.compile(r"[\\*_~|`<\[\]]|@(?=everyone|here)|(?<=\w)(?=://)")
_LINE_START = re.compile(r"^(\s*(?:\d+(?=\.))?)([#+>.-])")

_BEFORE_LAST = r"\1\\\2"


def bold(text: str) -> str:
    """Show a prompt in bold, at most `PROMPT_SHOWN` characters of it, with its markdown escaped."""
    lines = truncate(text, PROMPT_SHOWN).splitlines()
    return "\n".join(f"**{_escape_line(line)}**" for line in lines if line.strip())


def blockquote(text: str) -> str:
    """Quote a prompt, at most 1000 characters of it, with its markdown escaped."""
    return "\n".join(f"> {_escape_line(line)}" for line in truncate(text, _QUOTED).splitlines())


def _escape_line(line: str) -> str:
    return _LINE_START.sub(_BEFORE_LAST, escape(line))


def escape(text: str) -> str:
    """Escape markdown and join lines; other mentions, timestamps and emoji begin with an angle bracket."""
    return _INLINE.sub(r"\\\g<0>", " ".join(text.splitlines()))


def truncate(text: str, most: int) -> str:
    """Cut a text to at most `most` characters, after a whole word if one ends nearby."""
    if len(text) <= most:
        return text
    beginning = text[: most - 1]
    word_end = max(beginning.rfind(" "), beginning.rfind("\n"))
    return beginning[: word_end if word_end > most * 0.8 else None].rstrip() + "…"


def timestamp(moment: datetime | int, style: str = "R") -> str:
    """Return Discord's timestamp of a moment; style R is relative and counts by itself."""
    seconds = moment if isinstance(moment, int) else int(moment.timestamp())
    return f"<t:{seconds}:{style}>"


def with_timestamps(values: Mapping[str, TextValue]) -> dict[str, TextValue]:
    """Return an error's values for its text, with `resets` as a timestamp."""
    return {
        name: timestamp(value) if name == "resets" and isinstance(value, int) else value
        for name, value in values.items()
    }
