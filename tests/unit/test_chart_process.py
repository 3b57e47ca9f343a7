"""The chart renderer's processes; a small program replaces it to make it slow or broken."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bot.charts.process import ChartRenderer
from bot.charts.spec import Chart
from bot.errors import ChartError
from tests.tcp import tcp_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CHART = Chart(title="Your credits", days=(), series=(), rows=())


@dataclass(frozen=True)
class FakeProcess:
    """A process started in place of the renderer; it waits for its output to be dictated."""

    pid: int
    writer: asyncio.StreamWriter

    async def output(self, png: str) -> None:
        """Let it write this and exit."""
        self.writer.write(png.encode())
        self.writer.close()
        await self.writer.wait_closed()

    @property
    def exists(self) -> bool:
        """Whether it runs, or is a zombie."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, 0)
            return True
        return False


@dataclass(frozen=True)
class FakePython:
    """An interpreter to pass as `python`, and the processes it was started as."""

    path: str
    started: asyncio.Queue[FakeProcess]


_FAKE_PROCESS = """
import os, socket, sys
with socket.create_connection(("127.0.0.1", {port})) as bot:
    bot.sendall(f"{{os.getpid()}}\\n".encode())
    sys.stdout.write(bot.makefile().read())
"""


@pytest.fixture
async def python(tmp_path: Path) -> AsyncIterator[FakePython]:
    started: asyncio.Queue[FakeProcess] = asyncio.Queue()

    async def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        started.put_nowait(FakeProcess(int(await reader.readline()), writer))
        await asyncio.Event().wait()

    async with tcp_server(on_connect) as port:
        yield FakePython(_program(tmp_path, _FAKE_PROCESS.format(port=port)), started)


def _program(folder: Path, text: str) -> str:
    """Write a program, and a command that runs it whatever its arguments are."""
    (folder / "program.py").write_text(text)
    command = folder / "python"
    command.write_text(f"#!/bin/sh\nexec '{sys.executable}' -I -S '{folder / 'program.py'}'\n")
    command.chmod(0o700)
    return str(command)


async def test_at_most_two_processes_at_once_in_order_of_arrival(python: FakePython) -> None:
    renderer = ChartRenderer(max_processes=2, python=python.path)
    charts = [asyncio.create_task(renderer.render(CHART)) for _ in range(6)]
    for turn in range(3):
        pair = [await python.started.get() for _ in range(2)]
        # A process of another renderer starts after them; by then, none that still waits here has started.
        other = asyncio.create_task(ChartRenderer(python=python.path).render(CHART))
        await (await python.started.get()).output("other")
        assert await other == b"other"
        assert python.started.empty()
        assert all(process.exists for process in pair)
        assert sum(chart.done() for chart in charts) == 2 * turn
        for process in pair:
            await process.output("a png")
        await asyncio.wait(charts[2 * turn : 2 * turn + 2])
    assert [chart.result() for chart in charts] == [b"a png"] * 6


async def test_process_that_takes_too_long_is_killed(python: FakePython) -> None:
    renderer = ChartRenderer(max_processes=1, timeout_seconds=10, python=python.path)
    running, waiting = (asyncio.create_task(renderer.render(CHART)) for _ in range(2))
    process = await python.started.get()
    for task in (running, waiting):
        with pytest.raises(ChartError, match="no chart within 10 s"):
            await task
    assert not process.exists
    after = asyncio.create_task(renderer.render(CHART))
    await (await python.started.get()).output("a png")
    assert await after == b"a png"


async def test_cancelled_render_leaves_no_process(python: FakePython) -> None:
    renderer = ChartRenderer(max_processes=1, python=python.path)
    running, waiting, last = (asyncio.create_task(renderer.render(CHART)) for _ in range(3))
    process = await python.started.get()
    waiting.cancel()
    running.cancel()
    await asyncio.wait([running, waiting])
    assert running.cancelled()
    assert waiting.cancelled()
    assert not process.exists
    await (await python.started.get()).output("the last")
    assert await last == b"the last"


async def test_process_gets_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a-secret")
    program = "import json, os\nprint(json.dumps(dict(os.environ)))\n"
    environment = json.loads(await ChartRenderer(python=_program(tmp_path, program)).render(CHART))
    added_by_the_shell = {"PWD", "SHLVL", "_", "OLDPWD", "LC_CTYPE"}
    assert environment.keys() - added_by_the_shell <= {
        "PATH",
        "LD_LIBRARY_PATH",
        "PYTHONHOME",
        "PYTHONPATH",
        "MPLCONFIGDIR",
        "MPL_IGNORE_SYSTEM_FONTS",
        "OPENBLAS_NUM_THREADS",
    }
    assert environment["MPLCONFIGDIR"]


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("raise RuntimeError('no paper')", r"ended with 1: .*RuntimeError: no paper"),
        ("import os; print('half a png', flush=True); os.abort()", "ended with -6"),
        ("", "ended with 0"),
    ],
)
async def test_failing_process_raises(tmp_path: Path, program: str, error: str) -> None:
    with pytest.raises(ChartError, match=error):
        await ChartRenderer(python=_program(tmp_path, program)).render(CHART)


async def test_process_that_cannot_start_raises(tmp_path: Path) -> None:
    with pytest.raises(ChartError, match="cannot start"):
        await ChartRenderer(python=str(tmp_path / "none")).render(CHART)
