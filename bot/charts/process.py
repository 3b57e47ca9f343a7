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
_PROJECT_ROOT = Path(__file__).parents[2]
# What an interpreter may need to find itself and its packages. Tokens have no business there.
_ENVIRONMENT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
_STDERR_MAX = 300


class ChartRenderer:
    """Draws charts, so many at once and no longer than it may take."""

    def __init__(
        self, *, max_processes: int = 2, timeout_seconds: float = 30, python: str = sys.executable
    ) -> None:
        """`python` is the interpreter that draws; `timeout_seconds` includes the wait for a free slot."""
        self._slots = asyncio.Semaphore(max_processes)
        self._timeout_seconds = timeout_seconds
        self._python = python

    async def render(self, chart: Chart) -> bytes:
        """The chart as a PNG of 900 pixels' width, below 100 kB.

        Raises:
            ChartError: There is no picture; what it shows must be said in words alone.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds), self._slots:
                return await self._draw(to_json(chart))
        except TimeoutError:
            raise ChartError(f"no picture within {self._timeout_seconds} s") from None
        except OSError as error:
            raise ChartError(f"cannot start a process that draws: {error}") from error

    async def _draw(self, chart: bytes) -> bytes:
        process = await asyncio.create_subprocess_exec(
            self._python,
            *_PROGRAM,
            cwd=_PROJECT_ROOT,
            env=_environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            png, stderr = await process.communicate(chart)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode or not png:
            words = stderr.decode(errors="replace").strip()[-_STDERR_MAX:]
            raise ChartError(f"the process that draws ended with {process.returncode}: {words!r}")
        return png


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT_VARIABLES if name in os.environ}
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
