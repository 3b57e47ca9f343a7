"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from bot.log import escape_control

_MARKS = {"ok": "✓", "problem": "✗", "note": "·"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was checked, the result, and what to do about it."""

    severity: Literal["ok", "problem", "note"]
    subject: str
    text: str

    def __str__(self) -> str:
        # Names of servers come from outside and could contain terminal codes.
        return f"{_MARKS[self.severity]} {self.severity:<9}{self.subject:<10}{escape_control(self.text)}"


ok, problem, note = partial(Finding, "ok"), partial(Finding, "problem"), partial(Finding, "note")
