"""`python -m bot.charts.renderer`: read a pickled chart from stdin, write it to stdout as a PNG."""

from __future__ import annotations

import pickle
import sys
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from matplotlib import rc
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from matplotlib.figure import SubFigure

    from bot.charts.spec import Chart, Row, Series

_DPI = 72  # one pixel per point; all lengths are in pixels
_WIDTH, _EDGE, _GAP = 900, 32, 18
_TITLE_Y, _CAPTION_Y, _HEADER_HEIGHT = 44, 88, 112
_DAYS_HEIGHT, _ROW_HEIGHT = 268, 42
_LABEL_WIDTH, _BAR_WIDTH_MIN = 250, 90
_SLOTS_MIN = 8  # bars of fewer days would be too wide
_TEXT_MAX = 100
_MISSING_GLYPH = "□"

# Discord's dark background and text colors, readable on its light theme too.
_BACKGROUND, _TRACK, _GRID, _TEXT, _MUTED = "#313338", "#1e1f22", "#4e5058", "#f2f3f5", "#c4c9ce"

# DejaVu Sans, which comes with matplotlib, so charts look the same on every machine.
_SMALL, _NORMAL = FontProperties(size=18), FontProperties(size=20)
_BOLD, _TITLE = FontProperties(size=20, weight="bold"), FontProperties(size=27, weight="bold")


class _Fill(NamedTuple):
    """A color, and a hatch that distinguishes it for readers who can't see colors."""

    color: str
    hatch: str = ""


_PLAIN, _STRIPED, _DOTTED = _Fill("#8a96ff"), _Fill("#f0656b", "//"), _Fill("#f0c14b", "..")

# The bars of each series: their fill, and in days their offset from the middle of the day and their width.
_SERIES_STYLES = ((_PLAIN, 0, 0.8), (_STRIPED, -0.17, 0.34), (_DOTTED, 0.17, 0.34))


class _Bar(NamedTuple):
    """A horizontal bar between its label and its numbers."""

    label: str
    fraction: float
    numbers: str
    note: str = ""
    fill: _Fill = _PLAIN


def draw(chart: Chart) -> Figure:
    """Draw a title, bars for days, and horizontal bars for limits or members."""
    _set_style()
    bars = _member_bars(chart) if chart.ranking_title else [_limit_bar(row, chart) for row in chart.rows]
    empty_rows = 1 if bars and chart.ranking_title else 0
    figure, header, days, below = _new_figure(chart.title, len(bars) + empty_rows)
    if len(chart.series) == 1:
        _add_line(header, _CAPTION_Y, chart.series[0].label, _NORMAL, color=_MUTED)
    else:
        _add_legend(header, chart.series)
    _draw_days(days, chart)
    if empty_rows:
        _add_line(below, _ROW_HEIGHT / 2, chart.ranking_title, _NORMAL, color=_MUTED)
    if bars:
        _draw_bars(below, bars, empty_rows)
    return figure


def _set_style() -> None:
    rc("figure", facecolor=_BACKGROUND)
    rc("figure.constrained_layout", use=True, w_pad=_EDGE / _DPI, h_pad=6 / _DPI)
    rc("text", color=_TEXT, parse_math=False)  # a `$` in a name does not begin a formula
    rc("axes", facecolor="none", axisbelow=True)
    rc("axes.spines", left=False, right=False, top=False, bottom=False)
    rc("xtick", color=_MUTED)
    rc("ytick", color=_MUTED)
    rc("xtick.major", size=0, pad=10)
    rc("ytick.major", size=0, pad=_GAP)
    rc("grid", color=_GRID)
    rc("hatch", color=_BACKGROUND)
    rc("patch", linewidth=0)
    rc("legend", frameon=False, borderpad=0, borderaxespad=0, columnspacing=1.2)
    rc("legend", handlelength=0.9, handleheight=0.9, handletextpad=0.6)


def _limit_bar(row: Row, chart: Chart) -> _Bar:
    label = _truncate(row.label, _LABEL_WIDTH, _NORMAL)
    used = _format(row.value, chart.decimal_point)
    if row.limit is None:
        return _Bar(label, 0, f"{used} / ∞", row.note)
    numbers = f"{used} / {_format(row.limit, chart.decimal_point)}"
    if row.value >= row.limit:
        return _Bar(label, 1, numbers, row.note, _STRIPED)
    return _Bar(label, float(row.value / row.limit), numbers, row.note)


def _member_bars(chart: Chart) -> list[_Bar]:
    most = max((row.value for row in chart.rows), default=0) or 1
    digits, names = len(str(len(chart.rows))), _distinct_names(chart.rows)
    return [
        _Bar(
            # Figure spaces align the ranks; the left-to-right mark keeps them in front of a Hebrew name.
            f"\u200e{rank:\u2007>{digits}}. {_truncate(name, _LABEL_WIDTH, _NORMAL)}",
            float(row.value / most),
            _format(row.value, chart.decimal_point),
        )
        for rank, (row, name) in enumerate(zip(chart.rows, names, strict=True), 1)
    ]


def _distinct_names(rows: Sequence[Row]) -> list[str]:
    """Return the label of each row, or its account if the label can't be drawn or isn't unique."""
    labels = [drawable(row.label) for row in rows]
    return [
        f"@{row.account}" if row.account and (_MISSING_GLYPH in label or labels.count(label) > 1) else label
        for row, label in zip(rows, labels, strict=True)
    ]


def _new_figure(title: str, rows: int) -> tuple[Figure, SubFigure, SubFigure, SubFigure]:
    """Create a figure with its title, and return it with its header, its middle and `rows` rows below."""
    heights = [_HEADER_HEIGHT, _DAYS_HEIGHT, rows * _ROW_HEIGHT + _GAP]
    figure = Figure(figsize=(_WIDTH / _DPI, sum(heights) / _DPI), dpi=_DPI)
    grid = figure.add_gridspec(3, 1, height_ratios=heights)
    header, days, below = (figure.add_subfigure(grid[row]) for row in range(3))
    _add_line(header, _TITLE_Y, title, _TITLE)
    return figure, header, days, below


def _add_line(figure: SubFigure, y: float, text: str, font: FontProperties, *, color: str = _TEXT) -> None:
    """Add a line of text at the left edge, `y` pixels below the top."""
    text = _truncate(text, _WIDTH - 2 * _EDGE, font)
    figure.text(
        _EDGE / _WIDTH, 1 - y / figure.bbox.height, text, font=font, color=color, va="center_baseline"
    )


def _add_legend(figure: SubFigure, series: Sequence[Series]) -> None:
    figure.legend(
        handles=[
            Patch(facecolor=fill.color, hatch=fill.hatch, label=_truncate(each.label, 230, _NORMAL))
            for each, (fill, *_) in zip(series, _SERIES_STYLES, strict=False)
        ],
        ncols=len(series),
        prop=_NORMAL,
        loc="center left",
        bbox_to_anchor=(_EDGE / _WIDTH, 1 - _CAPTION_Y / _HEADER_HEIGHT),
    )


def _draw_days(figure: SubFigure, chart: Chart) -> None:
    """Draw bars over days, with their values if there is one series."""
    series = chart.series
    days, slots = range(len(chart.days)), max(len(chart.days), _SLOTS_MIN)
    highest = max((float(value) for each in series for value in each.values), default=0)
    ticks = MaxNLocator(nbins=4, steps=[1, 2, 5, 10]).tick_values(0, max(1, highest))
    tick_labels = [_format(tick, chart.decimal_point) for tick in ticks]
    day_labels = [_truncate(day, 150, _SMALL) for day in chart.days]
    numbers = [_format(value, chart.decimal_point) if value else "" for value in series[0].values]
    overhang = _widest([*day_labels, *numbers], _SMALL) / 2
    slot_width = (_WIDTH - 2 * _EDGE - _widest(tick_labels, _SMALL) - _GAP - overhang) / slots

    axes = figure.add_subplot()
    middle = (len(days) - 1) / 2
    axes.set(xlim=(middle - slots / 2, middle + slots / 2), ylim=(0, ticks[-1]))
    step = 1 + int((_widest(day_labels, _SMALL) + _GAP) / slot_width)
    axes.set_xticks(days[::-step], day_labels[::-step], font=_SMALL)
    axes.set_yticks(ticks, tick_labels, font=_SMALL)
    axes.grid(axis="y")
    for each, (fill, offset, width) in zip(series, _SERIES_STYLES, strict=False):
        # A small value stays visible, as a hundredth of the axis.
        heights = [max(float(value), ticks[-1] / 100) if value else 0 for value in each.values]
        bars = axes.bar([day + offset for day in days], heights, width, color=fill.color, hatch=fill.hatch)
    if len(series) == 1:
        if _widest(numbers, _SMALL) + 8 > slot_width:  # then only the highest bar gets its number
            peak = series[0].values.index(max(series[0].values))
            numbers = [number if day == peak else "" for day, number in enumerate(numbers)]
        axes.bar_label(bars, numbers, padding=2, font=_SMALL)


def _draw_bars(figure: SubFigure, rows: Sequence[_Bar], empty_rows: int) -> None:
    """Draw horizontal bars below some empty rows."""
    labels, numbers = [row.label for row in rows], [row.numbers for row in rows]
    label_width, numbers_width = _widest(labels, _NORMAL), _widest(numbers, _BOLD)
    note_width = _WIDTH - 2 * _EDGE - label_width - _BAR_WIDTH_MIN - numbers_width - 3 * _GAP
    axes = figure.add_subplot()
    axes.set(xlim=(0, 1), ylim=(len(rows) - 0.5 + _GAP / _ROW_HEIGHT, -0.5 - empty_rows), xticks=[])
    axes.set_yticks(range(len(rows)), labels, font=_NORMAL, color=_TEXT, ha="left")
    axes.tick_params(axis="y", pad=label_width + _GAP)
    tracks = axes.barh(range(len(rows)), 1, 0.4, color=_TRACK)
    for place, row in enumerate(rows):
        axes.barh(place, row.fraction, 0.4, color=row.fill.color, hatch=row.fill.hatch)
    axes.bar_label(tracks, numbers, padding=_GAP, font=_BOLD)
    notes = [_truncate(row.note, note_width, _NORMAL) for row in rows]
    axes.bar_label(tracks, notes, padding=numbers_width + 2 * _GAP, font=_NORMAL, color=_MUTED)
    for text in axes.texts:
        text.set_verticalalignment("center_baseline")


def _format(value: Decimal | float, decimal_point: str) -> str:
    """Format credits with at most two decimals, and no-break spaces between thousands."""
    text = f"{value:,.2f}".rstrip("0").rstrip(".")
    return text.replace(",", "\u00a0").replace(".", decimal_point)


def _widest(texts: Sequence[str], properties: FontProperties) -> float:
    """Measure the widest of some texts, in pixels."""
    font = get_font(findfont(properties))
    font.set_size(properties.get_size_in_points(), _DPI)
    widths = [0.0]
    for text in texts:
        font.set_text(text)
        widths.append(font.get_width_height()[0] / 64)
    return max(widths)


def _truncate(text: str, width: float, font: FontProperties) -> str:
    """Shorten a text to one line of drawable characters, at most `width` pixels wide."""
    text = drawable(text)
    shortened = (f"{text[:length].rstrip()}…" for length in range(len(text) - 1, 0, -1))
    return next((each for each in (text, *shortened) if _widest([each], font) <= width), "")


def drawable(text: str) -> str:
    """Return one line of characters that the font has.

    Ornate letters become plain ones, stacked marks and emoji disappear, and each run of other letters that
    the font lacks becomes a box.
    """
    font = get_font(findfont(_NORMAL))
    kept: list[str] = []
    for character in unicodedata.normalize("NFKC", text[:_TEXT_MAX]):
        category = unicodedata.category(character)
        if character.isspace():
            kept.append(" ")
        elif font.get_char_index(ord(character)) and category[0] not in "MC":
            kept.append(character)
        elif category[0] in "LN" and kept[-1:] != [_MISSING_GLYPH]:
            kept.append(_MISSING_GLYPH)
    return " ".join("".join(kept).split()) or _MISSING_GLYPH[: len(text)]


def _main() -> None:
    chart: Chart = pickle.load(sys.stdin.buffer)  # noqa: S301 (only the bot writes to this pipe)
    draw(chart).savefig(sys.stdout.buffer, format="png", metadata={"Software": None})


if __name__ == "__main__":
    _main()
