"""Bars that lie one below the other, each between its label and its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.charts.canvas import FAINT_INK, PLAIN, Canvas, Fill

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP = 18
_LABEL_ROOM, _NOTE_ROOM, _BAR_LEAST = 250, 260, 90


@dataclass(frozen=True)
class Row:
    """A bar that is full where `part` is 1; the numbers stand behind it, and the note at the right edge."""

    label: str
    part: float
    numbers: str
    fill: Fill = PLAIN
    note: str = ""


class Rows:
    """Rows with their parts in line; the bars have what the widest texts leave."""

    def __init__(self, canvas: Canvas, left: float, width: float, rows: Sequence[Row]) -> None:
        self._canvas = canvas
        self._left, self._width = left, width
        self._rows = rows
        self._labels = [canvas.fit(row.label, _LABEL_ROOM) for row in rows]
        self._label_room = self._room(self._labels)
        self._numbers_room = self._room([row.numbers for row in rows], bold=True)
        rest = width - self._label_room - self._numbers_room
        self._notes = [canvas.fit(row.note, min(_NOTE_ROOM, rest - _BAR_LEAST)) for row in rows]
        self._bar_room = rest - self._room(self._notes)

    def draw(self, top: float, height: float) -> None:
        """Draw each in so much height."""
        for place, (row, label, note) in enumerate(zip(self._rows, self._labels, self._notes, strict=True)):
            middle = top + height * (place + 0.5)
            x = self._left + self._label_room
            self._canvas.text(self._left, middle, label)
            self._canvas.bar(x, middle, self._bar_room, min(1, max(0, row.part)), row.fill)
            self._canvas.text(x + self._bar_room + _GAP, middle, row.numbers, bold=True)
            self._canvas.text(self._left + self._width, middle, note, color=FAINT_INK, align="right")

    def _room(self, texts: Sequence[str], *, bold: bool = False) -> float:
        return max((self._canvas.width_of(text, bold=bold) + _GAP for text in texts if text), default=0)
