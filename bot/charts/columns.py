"""Columns over days, with as many numbers and labels as can be read."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from bot.charts.canvas import FAINT_INK, INK, SMALL, Canvas, Fill
from bot.charts.spec import number

if TYPE_CHECKING:
    from collections.abc import Sequence

HEIGHT = 200
"""What the columns take, in pixels; the days' labels stand below."""

_BROAD, _BROADEST = 0.76, 80  # of a day's room; in pixels
_SLIM = 0.42  # of a broad column
_GAP = 14
_LINE = Fill("#4e5058")


@dataclass(frozen=True)
class Series:
    """One column a day."""

    values: Sequence[Decimal]
    fill: Fill


class Columns:
    """A place for columns, measured by lines that say their numbers."""

    def __init__(
        self, canvas: Canvas, box: tuple[float, float, float], labels: Sequence[str], *, point: str
    ) -> None:
        """`box` is left, top and width."""
        self._canvas = canvas
        self._left, self._top, self._width = box
        self._labels = labels
        self._point = point

    def draw(self, broad: Series, *slim: Series) -> None:
        """Draw one series as broad columns, and others before it as slim ones."""
        highest = max((value for each in (broad, *slim) for value in each.values), default=Decimal(0))
        top = self._lines(highest)
        width = min(_BROAD * self._pitch, _BROADEST)
        self._stand(broad, top, width, -width / 2)
        for place, series in enumerate(slim):
            self._stand(series, top, _SLIM * width, _SLIM * width * (place - len(slim) / 2))
        if not slim:
            self._numbers(broad.values, top)
        self._days()

    @property
    def _pitch(self) -> float:
        return self._width / max(len(self._labels), 1)

    def _lines(self, highest: Decimal) -> float:
        """Draw the lines behind the columns, and answer what the upmost one stands for."""
        ticks = MaxNLocator(nbins=4, steps=[1, 2, 5, 10]).tick_values(0, max(float(highest), 1))
        texts = [number(Decimal(str(tick)), self._point) for tick in ticks]
        margin = max(self._canvas.width_of(text, size=SMALL) for text in texts)
        self._left += margin + _GAP
        self._width -= margin + _GAP
        for tick, text in zip(ticks, texts, strict=True):
            middle = self._top + HEIGHT * (1 - tick / ticks[-1])
            self._canvas.column(self._left, middle + 0.5, self._width, 1, _LINE)
            self._canvas.text(self._left - _GAP, middle, text, size=SMALL, color=FAINT_INK, align="right")
        return float(ticks[-1])

    def _stand(self, series: Series, top: float, width: float, shift: float) -> None:
        for day, value in enumerate(series.values):
            if value > 0:
                self._canvas.column(
                    self._left + (day + 0.5) * self._pitch + shift,
                    self._top + HEIGHT,
                    width,
                    max(2, HEIGHT * float(value) / top),  # a little is not nothing
                    series.fill,
                )

    def _numbers(self, values: Sequence[Decimal], top: float) -> None:
        """Write upon every column where there is room, else upon the highest."""
        texts = [number(value, self._point) for value in values]
        has_room = all(self._canvas.width_of(text, size=SMALL) + 8 <= self._pitch for text in texts)
        for day, (value, text) in enumerate(zip(values, texts, strict=True)):
            if value > 0 and (has_room or day == values.index(max(values))):
                middle = self._top + HEIGHT * (1 - float(value) / top) - 12
                self._write(day, middle, text, INK)

    def _days(self) -> None:
        """Write so many labels that none touches another, the last day's among them."""
        labels = [self._canvas.fit(label, 150, size=SMALL) for label in self._labels]
        widest = max((self._canvas.width_of(label, size=SMALL) for label in labels), default=0)
        moved = max(0, (widest - self._pitch) / 2)  # so far the last one may stand to the left of its day
        step = int((widest + moved + _GAP) // self._pitch) + 1
        for day in range(len(labels) - 1, -1, -step):
            self._write(day, self._top + HEIGHT + 18, labels[day], FAINT_INK)

    def _write(self, day: int, middle: float, text: str, color: str) -> None:
        """Write above or below a day's column, but not beyond the right edge."""
        half = self._canvas.width_of(text, size=SMALL) / 2
        x = min(self._left + (day + 0.5) * self._pitch, self._left + self._width - half)
        self._canvas.text(x, middle, text, size=SMALL, color=color, align="center")
