"""Render charts in processes that live for one chart, so that matplotlib stays out of the bot's own."""

from __future__ import annotations

import asyncio
import atexit
import os
import pickle
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import ChartError

if TYPE_CHECKING:
    from bot.charts.spec import Chart

_PROGRAM = ("-m", "bot.charts.renderer")
_PROJECT_ROOT = Path(__file__).parents[2]
# The variables by which an interpreter finds its packages, and Windows itself; never the bot's tokens.
_ENVIRONMENT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "SYSTEMROOT")
_STDERR_MAX = 300


class ChartRenderer:
    """Renders charts, a limited number at a time.

    `timeout_seconds` includes the wait for a free process. `python` is the interpreter that renders.
    """

    def __init__(
        self, *, max_processes: int = 2, timeout_seconds: float = 30, python: str = sys.executable
    ) -> None:
        self._slots = asyncio.Semaphore(max_processes)
        self._timeout_seconds = timeout_seconds
        self._python = python

    async def render(self, chart: Chart) -> bytes:
        """Return a chart as a PNG, 900 pixels wide.

        Raises:
            ChartError: The process failed, did not start or took too long; show the facts as text only.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds), self._slots:
                return await self._render(chart)
        except TimeoutError:
            raise ChartError(f"no chart within {self._timeout_seconds} s") from None
        except OSError as error:
            raise ChartError(f"cannot start the chart process: {error}") from error

    async def _render(self, chart: Chart) -> bytes:
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
            png, stderr = await process.communicate(pickle.dumps(chart))
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode or not png:
            detail = stderr.decode(errors="replace").strip()[-_STDERR_MAX:]
            raise ChartError(f"the chart process ended with {process.returncode}: {detail!r}")
        return png


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT_VARIABLES if name in os.environ}
    return kept | {
        "MPLCONFIGDIR": _font_cache(),
        "MPL_IGNORE_SYSTEM_FONTS": "1",  # searching for them takes longer than rendering
        "OPENBLAS_NUM_THREADS": "1",
    }


@cache
def _font_cache() -> str:
    """Create a folder for matplotlib's list of fonts, kept while the bot runs; its home can be read-only."""
    folder = tempfile.mkdtemp(prefix="charts-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
