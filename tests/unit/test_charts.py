"""What charts show, and that each is drawn by a process of its own."""

from __future__ import annotations

import asyncio
import importlib
import io
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.charts.process import ChartRenderer
from bot.charts.spec import Chart, Row, Series
from bot.errors import ChartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.unit.drawn_chart import DrawnChart

ROOT = Path(__file__).parents[2]

DAYS = tuple(f"{day} Nov" for day in range(1, 31))
SPENT = tuple(Decimal(day) for day in range(1, 31))


def days_of(chart: Chart, values: Iterable[Decimal]) -> Chart:
    """The chart with these amounts instead, on as many days."""
    series = (replace(chart.series[0], values=tuple(values)),)
    return replace(chart, days=DAYS[: len(series[0].values)], series=series)


USAGE = Chart(
    title="Your credits",
    days=DAYS,
    series=(Series("Credits per day", tuple(value / 4 for value in SPENT)),),
    rows=(
        Row("Today", Decimal("7.5"), Decimal(10), "resets at 00:00"),
        Row("This month", Decimal("116.25"), Decimal(100), "resets on 1 Dec"),
        Row("Here", Decimal(3)),
        Row("Never", Decimal(0), Decimal(0)),
    ),
)
USED = USAGE.series[0].values
REPORT = Chart(
    title="This server",
    days=DAYS,
    series=(
        Series("Spent", SPENT),
        Series("Failed", tuple(value / 2 for value in SPENT)),
        Series("Refunded", (Decimal(1),) * 30),
    ),
    ranking_title="Who spent most",
    rows=tuple(Row(f"Member {place}", Decimal(100 - place)) for place in range(10)),
)
NO_DAYS = tuple(Series(label, ()) for label in ("Spent", "Failed", "Refunded"))
HUGE = Decimal("98765432109876.25")
CHARTS = {
    "usage": USAGE,
    "a week": days_of(USAGE, USED[:7]),
    "one day": replace(days_of(USAGE, USED[:1]), rows=USAGE.rows[:1]),
    "no days": replace(days_of(USAGE, ()), rows=()),
    "nothing used": replace(days_of(USAGE, (Decimal(0),) * 31), days=("25 Nov",) * 31),
    "Russian": Chart(
        title="Ваши кредиты",
        days=tuple(f"{day} нояб." for day in range(1, 31)),
        series=(Series("Кредиты по дням", USED),),
        rows=(Row("За этот месяц, все вместе", Decimal("1200.5"), Decimal(10000), "осталось 8799,5"),),
        decimal_point=",",
    ),
    "huge numbers": replace(
        USAGE,
        series=(Series("W" * 1000, tuple(HUGE * place for place in range(30))),),
        rows=(Row("m" * 200, HUGE, HUGE * 2, "w" * 200),),
        title="W" * 1000,
    ),
    "report": REPORT,
    "report, long texts": replace(
        REPORT,
        title="W" * 1000,
        series=tuple(replace(each, label="W" * 100) for each in REPORT.series),
        ranking_title="W" * 1000,
        rows=(Row("W" * 100, HUGE), Row("Владимир " * 50, Decimal(1)), Row("שלום", Decimal(0))),
    ),
    "report of nothing": replace(REPORT, days=(), series=NO_DAYS, rows=(Row("Anna", Decimal(0)),)),
}


@pytest.fixture
def renderer() -> ChartRenderer:
    return ChartRenderer(timeout_seconds=100)


@pytest.fixture(scope="module")
def draw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Chart], DrawnChart]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLCONFIGDIR", str(tmp_path_factory.mktemp("matplotlib")))
        patch.setenv("MPL_IGNORE_SYSTEM_FONTS", "1")
        yield importlib.import_module("tests.unit.drawn_chart").draw


def _size(png: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        image.load()
        return image.size


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_no_text_overlaps_another_or_leaves_the_picture(
    draw: Callable[[Chart], DrawnChart], chart: Chart
) -> None:
    drawn = draw(chart)
    boxes = [(text.get_text(), text.get_window_extent()) for text in drawn.texts]
    for text, box in boxes:
        assert box.x0 > 31, text
        assert box.x1 < 869, text
        assert box.y0 > 0, text
        assert box.y1 < drawn.figure.bbox.height, text
    for (text, box), (other_text, other_box) in combinations(boxes, 2):
        assert not box.overlaps(other_box), (text, other_text)


def test_usage_chart_says_how_much_of_each_limit_is_used(draw: Callable[[Chart], DrawnChart]) -> None:
    words = draw(USAGE).words
    assert words[:2] == ["Your credits", "Credits per day"]
    assert words[-18:-10] == [f"{day} Nov" for day in range(2, 31, 4)]
    assert words[-10:-7] == ["Today", "7.5 / 10", "resets at 00:00"]
    assert words[-7:-4] == ["This month", "116.25 / 100", "resets on 1 Dec"]
    assert words[-4:] == ["Here", "3 / ∞", "Never", "0 / 0"]


def test_report_names_its_series_and_ranks_its_members(draw: Callable[[Chart], DrawnChart]) -> None:
    words = draw(REPORT).words
    assert words[:4] == ["This server", "Spent", "Failed", "Refunded"]
    assert words[-21] == "Who spent most"
    assert words[-20::2] == [f"{place + 1}. Member {place}" for place in range(10)]
    assert words[-19::2] == [str(100 - place) for place in range(10)]


def test_names_that_cannot_be_told_apart_are_replaced_by_accounts(
    draw: Callable[[Chart], DrawnChart],
) -> None:
    people = {
        "li.ming": "李明",
        "pond": "ปอนด์",
        "fox": "🦊",
        "alex_1": "Alex",
        "alex_2": "Alex",
        "mia": "Mia",
    }
    rows = [Row(name, Decimal(9), account=account) for account, name in people.items()]
    words = draw(replace(REPORT, rows=(*rows, Row("12345", Decimal(9))))).words
    names = ["@li.ming", "@pond", "@fox", "@alex_1", "@alex_2", "Mia", "12345"]
    assert words[-14::2] == [f"{rank}. {name}" for rank, name in enumerate(names, 1)]


def test_bars_are_as_long_as_their_values(draw: Callable[[Chart], DrawnChart]) -> None:
    drawn = draw(USAGE)
    assert [bar.get_height() for bar in drawn.days] == [float(value) for value in USED]
    assert [bar.get_width() for bar in drawn.rows] == [0.75, 1, 0, 1]


def test_series_and_used_up_limits_differ_without_colors(draw: Callable[[Chart], DrawnChart]) -> None:
    assert [draw(REPORT).days[first].get_hatch() for first in (0, 30, 60)] == ["", "//", ".."]
    assert [bar.get_hatch() for bar in draw(USAGE).rows] == ["", "//", "", "//"]


@pytest.mark.parametrize(
    ("count", "numbers"),
    [(7, ["0.25", "0.5", "0.75", "1", "1.25", "1.5", "1.75"]), (30, ["7.5"])],
)
def test_crowded_bars_show_only_the_highest_number(
    draw: Callable[[Chart], DrawnChart], count: int, numbers: list[str]
) -> None:
    assert draw(days_of(USAGE, USED[:count])).numbers_on_bars == numbers


def test_small_value_is_visible(draw: Callable[[Chart], DrawnChart]) -> None:
    drawn = draw(days_of(USAGE, (Decimal("0.01"), Decimal(900), Decimal(0))))
    assert [bar.get_window_extent().height > 1 for bar in drawn.days] == [True, True, False]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0 / ∞"),
        ("0.00", "0 / ∞"),
        ("1.50", "1,5 / ∞"),
        ("100", "100 / ∞"),
        ("0.25", "0,25 / ∞"),
        ("1234567.10", "1 234 567,1 / ∞"),
    ],
)
def test_numbers_are_as_short_as_possible(draw: Callable[[Chart], DrawnChart], value: str, text: str) -> None:
    rows = (Row("Today", Decimal(value)),)
    assert text in draw(replace(USAGE, rows=rows, decimal_point=",")).words


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        (r"$\frac{", r"$\frac{"),  # would be an error as a formula
        ("two\r\nlines\there", "two lines here"),
        ("\N{ARTIST PALETTE} Käthe \N{ARTIST PALETTE}", "Käthe"),
        ("\N{MATHEMATICAL BOLD SCRIPT CAPITAL M}ia", "Mia"),
        ("Z\N{COMBINING ACUTE ACCENT}\N{COMBINING TILDE}algo", "Źalgo"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}Mia\0\ud800", "Mia"),
        ("Владимир " * 50, "Владимир Владимир…"),
        ("漢字かな", "□"),
        ("שלום", "שלום"),
        ("", ""),
    ],
)
def test_names_are_drawn_as_text(draw: Callable[[Chart], DrawnChart], name: str, drawn: str) -> None:
    words = draw(replace(REPORT, rows=(Row(name, Decimal(1)),))).words
    assert words[-2:] == [f"1. {drawn}", "1"]


async def test_any_chart_is_a_small_png(renderer: ChartRenderer) -> None:
    odd_name = Row("\ud800\0$\\frac{\n", Decimal(1))
    charts: dict[Chart, int] = {
        USAGE: 566,
        replace(USAGE, rows=()): 398,
        REPORT: 860,
        replace(REPORT, days=(), series=NO_DAYS, rows=(odd_name,)): 482,
    }
    pngs = await asyncio.gather(*(renderer.render(chart) for chart in charts))
    assert [_size(png) for png in pngs] == [(900, height) for height in charts.values()]
    assert max(len(png) for png in pngs) < 100_000


async def test_environment_does_not_change_the_chart(
    renderer: ChartRenderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = await renderer.render(USAGE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("MPLCONFIGDIR", "/nonexistent")
    monkeypatch.setenv("MPLBACKEND", "none such")
    (tmp_path / "matplotlibrc").write_text("figure.dpi: 300\n")
    assert await renderer.render(USAGE) == expected


def test_bot_process_does_not_import_matplotlib() -> None:
    program = """
import asyncio, sys
import bot.app, cogs
from bot.charts.process import ChartRenderer
from tests.unit.test_charts import USAGE
assert asyncio.run(ChartRenderer(timeout_seconds=100).render(USAGE))
print(*{name.partition(".")[0] for name in sys.modules} & {"matplotlib", "numpy"}, len(sys.modules) > 100)
"""
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.split() == [b"True"]


async def test_undrawable_chart_raises(renderer: ChartRenderer) -> None:
    broken = days_of(USAGE, (Decimal("snan"),))
    with pytest.raises(ChartError, match="ended with 1"):
        await renderer.render(broken)
