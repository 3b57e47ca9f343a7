"""What a look at one thing has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_MARKS = {"ok": "✓", "problem": "✗", "note": "·"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: how it stands with what, and what to do."""

    severity: Literal["ok", "problem", "note"]
    subject: str
    text: str

    def __str__(self) -> str:
        line = f"{_MARKS[self.severity]} {self.severity:<9}{self.subject:<10}{self.text}"
        # Servers' names are anybody's choice, and a terminal obeys what it cannot print.
        return "".join(letter if letter.isprintable() else "?" for letter in line)
