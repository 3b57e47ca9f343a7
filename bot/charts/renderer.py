"""`python -m bot.charts.renderer`: a chart as JSON comes in, a PNG goes out. matplotlib lives here alone."""

from __future__ import annotations

import sys
from decimal import Decimal

from bot.charts.canvas import DOTTED, FAINT_INK, LARGE, PLAIN, STRIPED, Canvas, Fill
from bot.charts.columns import HEIGHT, Columns, Series
from bot.charts.rows import Row, Rows
from bot.charts.spec import Chart, LimitUsage, ReportChart, UsageChart, from_json, number

WIDTH = 900
_EDGE = 32
_ROOM = WIDTH - 2 * _EDGE
_TITLE, _CAPTION, _COLUMNS = 44, 88, 134  # middles of lines, and where the columns begin
_BELOW = _COLUMNS + HEIGHT + 48  # where the days' labels end
_ROW, _MEMBER = 44, 36


def draw(chart: Chart) -> bytes:
    """The PNG of a chart, 900 pixels wide."""
    canvas = _usage(chart) if isinstance(chart, UsageChart) else _report(chart)
    return canvas.png()


def _usage(chart: UsageChart) -> Canvas:
    canvas = Canvas(WIDTH, _BELOW + _ROW * len(chart.limits) + _EDGE // 2)
    _title(canvas, chart.title)
    canvas.text(_EDGE, _CAPTION, canvas.fit(chart.days_title, _ROOM), color=FAINT_INK)
    columns = Columns(
        canvas, (_EDGE, _COLUMNS, _ROOM), [day.label for day in chart.days], point=chart.decimal_point
    )
    columns.draw(Series([day.credits for day in chart.days], PLAIN))
    rows = [_allowance(allowance, chart.decimal_point) for allowance in chart.limits]
    Rows(canvas, _EDGE, _ROOM, rows).draw(_BELOW, _ROW)
    return canvas


def _allowance(allowance: LimitUsage, point: str) -> Row:
    used, limit = allowance.used, allowance.limit
    most = "∞" if limit is None else number(limit, point)
    is_used_up = limit is not None and used >= limit
    return Row(
        allowance.label,
        1 if is_used_up else float(used / limit) if limit else 0,
        f"{number(used, point)} / {most}",
        STRIPED if is_used_up else PLAIN,
        allowance.note,
    )


def _report(chart: ReportChart) -> Canvas:
    members = len(chart.members)
    canvas = Canvas(WIDTH, _BELOW + (_ROW + _MEMBER * members if members else 0) + _EDGE // 2)
    _title(canvas, chart.title)
    days = chart.days
    _legend(canvas, {PLAIN: chart.spent_label, STRIPED: chart.failed_label, DOTTED: chart.refunded_label})
    columns = Columns(
        canvas, (_EDGE, _COLUMNS, _ROOM), [day.label for day in days], point=chart.decimal_point
    )
    columns.draw(
        Series([day.spent for day in days], PLAIN),
        Series([day.failed for day in days], STRIPED),
        Series([day.refunded for day in days], DOTTED),
    )
    if members:
        _members(canvas, chart)
    return canvas


def _members(canvas: Canvas, chart: ReportChart) -> None:
    canvas.text(_EDGE, _BELOW + _ROW / 2, canvas.fit(chart.members_title, _ROOM), color=FAINT_INK)
    top = _BELOW + _ROW
    ranks = [f"{place}." for place in range(1, len(chart.members) + 1)]
    # Apart from the names: one that is read from the right would draw its number to its own beginning.
    inset = max(canvas.width_of(rank) for rank in ranks) + 8
    for place, rank in enumerate(ranks):
        canvas.text(_EDGE + inset - 8, top + _MEMBER * (place + 0.5), rank, color=FAINT_INK, align="right")
    most = max(member.credits for member in chart.members) or Decimal(1)
    rows = [
        Row(member.name, float(member.credits / most), number(member.credits, chart.decimal_point))
        for member in chart.members
    ]
    Rows(canvas, _EDGE + inset, _ROOM - inset, rows).draw(top, _MEMBER)


def _title(canvas: Canvas, title: str) -> None:
    canvas.text(_EDGE, _TITLE, canvas.fit(title, _ROOM, size=LARGE, bold=True), size=LARGE, bold=True)


def _legend(canvas: Canvas, labels: dict[Fill, str]) -> None:
    side, gap = 18, 12
    x: float = _EDGE
    for fill, label in labels.items():
        canvas.column(x, _CAPTION + side / 2, side, side, fill)
        text = canvas.fit(label, _ROOM / len(labels) - side - 3 * gap)
        canvas.text(x + side + gap, _CAPTION, text)
        x += side + 3 * gap + canvas.width_of(text)


def _main() -> None:
    sys.stdout.buffer.write(draw(from_json(sys.stdin.buffer.read())))


if __name__ == "__main__":
    _main()
