"""A chart as matplotlib lays it out. Importing this takes 0.8 s, so tests do it in a fixture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.patches import Rectangle
from matplotlib.text import Text

from bot.charts import renderer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bot.charts.spec import Chart


@dataclass(frozen=True)
class DrawnChart:
    figure: Figure
    texts: list[Text]
    """From top to bottom, then from left to right."""

    @property
    def words(self) -> list[str]:
        return [text.get_text().replace("\u00a0", " ").strip("\u200e\u2007") for text in self.texts]

    @property
    def numbers_on_bars(self) -> list[str]:
        return [text.get_text() for text in self._axes[0].texts if text.get_text()]

    @property
    def days(self) -> list[Rectangle]:
        """The bars of each day, one series after the other."""
        return _bars(self._axes[0])

    @property
    def rows(self) -> list[Rectangle]:
        """The horizontal bars, without the tracks below them."""
        bars = _bars(self._axes[1])
        return bars[len(bars) // 2 :]

    @property
    def _axes(self) -> list[Axes]:
        return [axes for part in self.figure.subfigs for axes in part.axes]


def _bars(axes: Axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def draw(chart: Chart) -> DrawnChart:
    figure = renderer.draw(chart)
    figure.draw_without_rendering()
    artists = [artist for artist in figure.findobj(Text) if isinstance(artist, Text)]
    texts = [text for text in artists if text.get_visible() and text.get_text()]
    texts.sort(key=lambda text: (-round(text.get_window_extent().y0, -1), text.get_window_extent().x0))
    return DrawnChart(figure, texts)
