"""Has charts drawn by processes that live for one picture: matplotlib stays out of the bot's own."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bot.charts.spec import to_json
from bot.errors import ChartError

if TYPE_CHECKING:
    from bot.charts.spec import Chart

_PROGRAM = ("-m", "bot.charts.renderer")
_HERE = Path(__file__).parents[2]
# What an interpreter may need to find itself and its packages. Tokens have no business there.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
_SAID_MAX = 300


class Charts:
    """Draws charts, so many at once and no longer than it may take."""

    def __init__(self, *, at_once: int = 2, seconds: float = 30, python: str = sys.executable) -> None:
        """`python` is the interpreter that draws; `seconds` hold for the wait in line too."""
        self._places = asyncio.Semaphore(at_once)
        self._seconds = seconds
        self._python = python

    async def draw(self, chart: Chart) -> bytes:
        """The chart as a PNG of 900 pixels' width, below 100 kB.

        Raises:
            ChartError: There is no picture; what it shows must be said in words alone.
        """
        try:
            async with asyncio.timeout(self._seconds), self._places:
                return await self._draw(to_json(chart))
        except TimeoutError:
            raise ChartError(f"no picture within {self._seconds} s") from None
        except OSError as error:
            raise ChartError(f"cannot start a process that draws: {error}") from error

    async def _draw(self, chart: bytes) -> bytes:
        process = await asyncio.create_subprocess_exec(
            self._python,
            *_PROGRAM,
            cwd=_HERE,
            env=_environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            png, said = await process.communicate(chart)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode or not png:
            words = said.decode(errors="replace").strip()[-_SAID_MAX:]
            raise ChartError(f"the process that draws ended with {process.returncode}: {words!r}")
        return png


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {
        "MPLCONFIGDIR": _folder(),
        "MPL_IGNORE_SYSTEM_FONTS": "1",  # looking for them takes longer than drawing
        "OPENBLAS_NUM_THREADS": "1",
    }


@cache
def _folder() -> str:
    """Where matplotlib keeps its list of fonts as long as the bot runs; a home may be read-only."""
    folder = tempfile.mkdtemp(prefix="charts-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
