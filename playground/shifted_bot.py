"""`python -m playground.shifted_bot`: the unmodified bot with its clock CLOCK_SHIFT_SECONDS ahead, if not 0.

Only the wall clock of this process is shifted, before the bot is imported; timers use monotonic time.
"""

from __future__ import annotations

import datetime as dt
import os
import runpy
import time
from typing import Self

_SHIFT = float(os.environ["CLOCK_SHIFT_SECONDS"])
_time = time.time


class _Shifted(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Self:
        return super().now(tz) + dt.timedelta(seconds=_SHIFT)


def main() -> None:
    """Shift the clock and run the bot."""
    if _SHIFT:
        setattr(time, "time", lambda: _time() + _SHIFT)  # noqa: B010 (mypy knows it as it is)
        setattr(dt, "datetime", _Shifted)  # noqa: B010 (as above)
    runpy.run_module("bot", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
