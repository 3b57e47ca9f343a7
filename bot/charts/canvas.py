"""The paper that charts are drawn on: colours, texts that fit, bars. Only the drawing process imports it."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass
from typing import Literal, TypeAlias

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import BoxStyle, FancyBboxPatch, Rectangle
from matplotlib.text import Text
from matplotlib.transforms import IdentityTransform

# Discord's own dark surface and texts, which stand well on its light theme too.
_PAPER, _TRACK = "#313338", "#1e1f22"
INK, FAINT_INK = "#f2f3f5", "#c4c9ce"

LARGE, NORMAL, SMALL = 27, 20, 18  # pixels; a phone shows a chart at less than half its size

Align: TypeAlias = Literal["left", "center", "right"]

_DPI = 72  # so that a point of the font is a pixel
_THICK = 16  # of a bar
_TEXT_MAX = 100
_UNKNOWN = "□"


@dataclass(frozen=True)
class Fill:
    """What an area is filled with; the hatch tells it from others without its colour."""

    color: str
    hatch: str = ""


PLAIN, STRIPED, DOTTED = Fill("#8a96ff"), Fill("#f0656b", "//"), Fill("#f0c14b", "..")


class Canvas:
    """A picture in pixels, whose y goes down."""

    def __init__(self, width: int, height: int) -> None:
        self._height = height
        self._figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor=_PAPER)
        FigureCanvasAgg(self._figure)  # the figure's own from here on

    def text(
        self,
        x: float,
        middle: float,
        text: str,
        *,
        size: int = NORMAL,
        color: str = INK,
        align: Align = "left",
        bold: bool = False,
    ) -> None:
        """Write a line exactly as it is: `$` begins no formula."""
        line = self._line(text, size, bold=bold)
        line.set(x=x, y=self._height - middle, color=color)
        line.set(horizontalalignment=align, verticalalignment="center_baseline")
        self._figure.add_artist(line)

    def width_of(self, text: str, *, size: int = NORMAL, bold: bool = False) -> float:
        """How wide a line becomes."""
        return self._line(text, size, bold=bold).get_window_extent().width

    def fit(self, text: str, room: float, *, size: int = NORMAL, bold: bool = False) -> str:
        """As much of a text as a line takes, in characters that the font has."""
        whole = drawable(text)
        if self.width_of(whole, size=size, bold=bold) <= room:
            return whole
        shortest, longest = 0, len(whole)
        while shortest < longest:
            length = (shortest + longest + 1) // 2
            if self.width_of(_cut(whole, length), size=size, bold=bold) <= room:
                shortest = length
            else:
                longest = length - 1
        return _cut(whole, shortest)

    def column(self, left: float, bottom: float, width: float, height: float, fill: Fill) -> None:
        """A rectangle that stands on `bottom`."""
        self._rectangle((left, self._height - bottom), width, height, fill)

    def bar(self, left: float, middle: float, width: float, part: float, fill: Fill) -> None:
        """A round bar, filled from the left to a part between 0 and 1."""
        corner = (left, self._height - middle - _THICK / 2)
        track = FancyBboxPatch(
            corner,
            width,
            _THICK,
            boxstyle=BoxStyle.Round(pad=0, rounding_size=_THICK / 2),
            facecolor=_TRACK,
            linewidth=0,
            transform=IdentityTransform(),
        )
        self._figure.add_artist(track)
        self._rectangle(corner, width * part, _THICK, fill).set_clip_path(track)

    def png(self) -> bytes:
        """The finished picture."""
        file = io.BytesIO()
        self._figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})
        return file.getvalue()

    def _line(self, text: str, size: int, *, bold: bool) -> Text:
        line = Text(0, 0, text, fontproperties=_font(size, bold=bold), parse_math=False)
        line.set_figure(self._figure)
        line.set_transform(IdentityTransform())
        return line

    def _rectangle(self, corner: tuple[float, float], width: float, height: float, fill: Fill) -> Rectangle:
        rectangle = Rectangle(
            corner,
            width,
            height,
            facecolor=fill.color,
            edgecolor=_PAPER,
            hatch=fill.hatch,
            linewidth=0,
            transform=IdentityTransform(),
        )
        self._figure.add_artist(rectangle)
        return rectangle


def _font(size: int, *, bold: bool) -> FontProperties:
    return FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")


def _cut(text: str, length: int) -> str:
    return f"{text[:length].rstrip()}…"


def drawable(text: str) -> str:
    """One line of what the font has: ornate letters made plain, no piles of marks, a box for the rest."""
    font = get_font(findfont(_font(NORMAL, bold=False)))
    kept: list[str] = []
    for character in unicodedata.normalize("NFKC", text[:_TEXT_MAX]):
        kind = unicodedata.category(character)
        if character.isspace():
            kept.append(" ")
        elif font.get_char_index(ord(character)) and kind[0] not in "MC":
            kept.append(character)
        elif kind[0] in "LN" and kept[-1:] != [_UNKNOWN]:
            kept.append(_UNKNOWN)
    return " ".join("".join(kept).split()) or _UNKNOWN[: len(text)]
