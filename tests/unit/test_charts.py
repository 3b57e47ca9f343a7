"""Charts come from real processes; where one must be late or broken, a small program stands in for it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.charts.process import ChartRenderer
from bot.charts.spec import (
    Chart,
    Day,
    LimitUsage,
    Member,
    ReportChart,
    ReportDay,
    UsageChart,
    from_json,
    number,
    to_json,
)
from bot.errors import ChartError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[2]

USAGE = UsageChart(
    title="Your credits",
    days_title="Credits per day",
    days=tuple(Day(f"{day} Nov", Decimal(day) / 4) for day in range(1, 31)),
    limits=(
        LimitUsage("Today", Decimal("7.5"), Decimal(10), "resets at 00:00"),
        LimitUsage("This month", Decimal("116.25"), Decimal(100), "resets on 1 Dec"),
        LimitUsage("Here", Decimal(3), None),
        LimitUsage("Never", Decimal(0), Decimal(0)),
    ),
)
REPORT = ReportChart(
    title="This server",
    spent_label="Spent",
    failed_label="Failed",
    refunded_label="Refunded",
    days=tuple(ReportDay(f"{day} Nov", Decimal(day), Decimal(day) / 2, Decimal(1)) for day in range(1, 31)),
    members_title="Who spent most",
    members=tuple(Member(f"Member {place}", Decimal(100 - place)) for place in range(10)),
)


@pytest.fixture
def patient() -> ChartRenderer:
    return ChartRenderer(timeout_seconds=100)


def _size(png: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        image.load()
        return image.size


def test_a_chart_is_the_same_behind_the_pipe() -> None:
    for chart in (USAGE, REPORT):
        read = from_json(to_json(chart))
        assert type(read) is type(chart)
        assert (read.title, list(read.days)) == (chart.title, list(chart.days))
    assert list(from_json(to_json(REPORT)).days) != list(USAGE.days)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("0.00", "0"),
        ("1.50", "1,5"),
        ("100", "100"),
        ("0.25", "0,25"),
        ("1234567.10", "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567,1"),
    ],
)
def test_numbers_are_as_short_as_they_can_be(value: str, text: str) -> None:
    assert number(Decimal(value), ",") == text


def test_what_has_no_room_is_no_chart() -> None:
    with pytest.raises(ValueError, match="31 days"):
        replace(USAGE, days=USAGE.days + USAGE.days)
    with pytest.raises(ValueError, match="8 limits"):
        replace(USAGE, limits=USAGE.limits * 3)
    with pytest.raises(ValueError, match="10 members"):
        replace(REPORT, members=REPORT.members * 2)


async def test_what_is_shown_decides_the_height(patient: ChartRenderer) -> None:
    quiet = Day("25 Nov", Decimal(0))
    charts: dict[Chart, int] = {
        USAGE: 574,
        replace(USAGE, days=(quiet,) * 31, limits=()): 398,
        REPORT: 802,
        replace(REPORT, days=(), members=(Member("Nobody", Decimal(0)),)): 478,
    }
    pngs = await asyncio.gather(*(patient.render(chart) for chart in charts))
    assert [_size(png) for png in pngs] == [(900, height) for height in charts.values()]
    assert max(len(png) for png in pngs) < 100_000


async def test_numbers_of_any_size_leave_room_for_a_bar(patient: ChartRenderer) -> None:
    huge = Decimal("98765432109876.25")
    usage = replace(
        USAGE,
        days=tuple(replace(day, credits=huge * place) for place, day in enumerate(USAGE.days)),
        limits=(LimitUsage("m" * 200, huge, huge * 2, "w" * 200),),
        title="W" * 1000,
    )
    assert _size(await patient.render(usage)) == (900, 442)


async def test_names_are_drawn_and_never_obeyed(patient: ChartRenderer) -> None:
    """Two charts are the same to the pixel where what differs between their names cannot be drawn."""
    odd = {
        r"$\frac{": r"$\frac{",  # would be an error as a formula
        "two\r\nlines\there": "two lines here",
        "\N{ARTIST PALETTE} Käthe \N{ARTIST PALETTE}": "Käthe",
        "\N{MATHEMATICAL BOLD SCRIPT CAPITAL M}ia": "Mia",
        "Z\N{COMBINING ACUTE ACCENT}\N{COMBINING TILDE}algo": "Źalgo",
        "\N{RIGHT-TO-LEFT OVERRIDE}Mia\0\ud800": "Mia",
        "Владимир " * 50: "Владимир " * 5,
        "漢字かな": "□",
        "שלום": "שלום",
        "": "",
    }

    def chart(names: list[str]) -> ReportChart:
        return replace(REPORT, members=tuple(Member(name, Decimal(1)) for name in names))

    drawn, plain, other = await asyncio.gather(
        patient.render(chart(list(odd))),
        patient.render(chart(list(odd.values()))),
        patient.render(chart([*list(odd.values())[:-1], "x"])),
    )
    assert drawn == plain
    assert drawn != other


async def test_wherever_the_bot_runs(
    patient: ChartRenderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("MPLCONFIGDIR", "/nonexistent")
    monkeypatch.setenv("MPLBACKEND", "none such")
    (tmp_path / "matplotlibrc").write_text("figure.dpi: 300\n")
    assert _size(await patient.render(USAGE)) == (900, 574)


def test_the_bots_own_process_stays_free_of_matplotlib() -> None:
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


@dataclass(frozen=True)
class StandIn:
    """A process that was started in place of the one that draws, and waits to be told its last words."""

    pid: int
    writer: asyncio.StreamWriter

    async def say(self, words: str) -> None:
        self.writer.write(words.encode())
        self.writer.close()
        await self.writer.wait_closed()

    @property
    def is_there(self) -> bool:
        """Also when it has ended, and nobody has asked for how."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, 0)
            return True
        return False


@dataclass(frozen=True)
class Stage:
    python: str
    arrivals: asyncio.Queue[StandIn]


_STAND_IN = """
import os, socket, sys
with socket.create_connection(("127.0.0.1", {port})) as bot:
    bot.sendall(f"{{os.getpid()}}\\n".encode())
    sys.stdout.write(bot.makefile().read())
"""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    arrivals: asyncio.Queue[StandIn] = asyncio.Queue()
    writers: list[asyncio.StreamWriter] = []

    async def arrive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        arrivals.put_nowait(StandIn(int(await reader.readline()), writer))

    server = await asyncio.start_server(arrive, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    yield Stage(_program(tmp_path, _STAND_IN.format(port=port)), arrivals)
    for writer in writers:
        writer.close()
    server.close()
    await server.wait_closed()


def _program(folder: Path, text: str) -> str:
    (folder / "program.py").write_text(text)
    start = folder / "python"
    start.write_text(f"#!/bin/sh\nexec '{sys.executable}' -I -S '{folder / 'program.py'}'\n")
    start.chmod(0o700)
    return str(start)


async def test_a_burst_takes_turns(stage: Stage) -> None:
    renderer = ChartRenderer(max_processes=2, python=stage.python)
    drawings = [asyncio.create_task(renderer.render(USAGE)) for _ in range(6)]
    for turn in range(3):
        pair = [await stage.arrivals.get() for _ in range(2)]
        # Another one that starts only now is there, while none of those that have waited longer is.
        late = asyncio.create_task(ChartRenderer(python=stage.python).render(USAGE))
        await (await stage.arrivals.get()).say("late")
        assert await late == b"late"
        assert stage.arrivals.empty()
        assert all(standin.is_there for standin in pair)
        assert sum(drawing.done() for drawing in drawings) == 2 * turn
        for standin in pair:
            await standin.say("a picture")
        await asyncio.wait(drawings[2 * turn : 2 * turn + 2])
    assert [drawing.result() for drawing in drawings] == [b"a picture"] * 6


async def test_what_takes_too_long_is_ended(stage: Stage) -> None:
    renderer = ChartRenderer(max_processes=1, timeout_seconds=3, python=stage.python)
    drawing, waiting = (asyncio.create_task(renderer.render(USAGE)) for _ in range(2))
    standin = await stage.arrivals.get()
    for task in (drawing, waiting):
        with pytest.raises(ChartError, match="no picture within 3 s"):
            await task
    assert not standin.is_there
    after = asyncio.create_task(renderer.render(USAGE))
    await (await stage.arrivals.get()).say("a picture")
    assert await after == b"a picture"


async def test_nothing_is_left_of_a_drawing_that_nobody_waits_for(stage: Stage) -> None:
    renderer = ChartRenderer(max_processes=1, python=stage.python)
    drawing, waiting, last = (asyncio.create_task(renderer.render(USAGE)) for _ in range(3))
    standin = await stage.arrivals.get()
    waiting.cancel()
    drawing.cancel()
    await asyncio.wait([drawing, waiting])
    assert drawing.cancelled()
    assert waiting.cancelled()
    assert not standin.is_there
    await (await stage.arrivals.get()).say("the last")
    assert await last == b"the last"


async def test_the_process_gets_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a-secret")
    program = "import json, os\nprint(json.dumps(dict(os.environ)))\n"
    given = json.loads(await ChartRenderer(python=_program(tmp_path, program)).render(USAGE))
    added_by_the_shell = {"PWD", "SHLVL", "_", "OLDPWD", "LC_CTYPE"}
    assert given.keys() - added_by_the_shell <= {
        "PATH",
        "LD_LIBRARY_PATH",
        "PYTHONHOME",
        "PYTHONPATH",
        "MPLCONFIGDIR",
        "MPL_IGNORE_SYSTEM_FONTS",
        "OPENBLAS_NUM_THREADS",
    }
    assert given["MPLCONFIGDIR"]


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("raise RuntimeError('no paper')", r"ended with 1: .*RuntimeError: no paper"),
        ("import os; print('half a picture', flush=True); os.abort()", "ended with -6"),
        ("", "ended with 0"),
    ],
)
async def test_a_process_that_fails(tmp_path: Path, program: str, words: str) -> None:
    with pytest.raises(ChartError, match=words):
        await ChartRenderer(python=_program(tmp_path, program)).render(USAGE)


async def test_a_process_that_cannot_start(tmp_path: Path) -> None:
    with pytest.raises(ChartError, match="cannot start"):
        await ChartRenderer(python=str(tmp_path / "none")).render(USAGE)


async def test_a_chart_that_cannot_be_drawn_is_one_error(patient: ChartRenderer) -> None:
    broken = replace(USAGE, days=(Day("25 Nov", Decimal("nan")),))
    with pytest.raises(ChartError, match="ended with 1"):
        await patient.render(broken)
