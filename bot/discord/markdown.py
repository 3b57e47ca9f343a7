"""What people typed, shown as they typed it: its markdown and mentions are seen instead of obeyed."""

from __future__ import annotations

import re

PROMPT_SHOWN = 1000
"""Characters of a prompt: an embed's description takes 4096, and escaping can double them."""
_INLINE = re.compile(r"[\\*_~|`<\[\]]|(?<=https)(?=://)|(?<=http)(?=://)")
_LINE_START = re.compile(r"^(\s*(?:\d+(?=\.))?)([#+>.-])")

_BEFORE_LAST = r"\1\\\2"


def blockquote(text: str) -> str:
    """The prompt as it was typed: quoted, its markdown and mentions shown instead of obeyed."""
    lines = truncate(text, PROMPT_SHOWN).splitlines()
    return "\n".join(f"> {_LINE_START.sub(_BEFORE_LAST, escape(line))}" for line in lines)


def escape(text: str) -> str:
    """A line without live markdown; mentions, timestamps and emoji all begin with an angle bracket."""
    return _INLINE.sub(r"\\\g<0>", " ".join(text.splitlines()))


def truncate(text: str, most: int) -> str:
    """At most so many characters, ended at a word where there is one near."""
    if len(text) <= most:
        return text
    beginning = text[: most - 1]
    word_end = max(beginning.rfind(" "), beginning.rfind("\n"))
    return beginning[: word_end if word_end > most * 0.8 else None].rstrip() + "…"
