"""An environment whose bot is killed repeatedly while other members keep using it."""

from __future__ import annotations

import os
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, cast

from tests.crash.crowd import Crowd
from tests.crash.kill_points import Target
from tests.crash.taps import Tap, TappedDiscord, TappedRunComfy
from tests.e2e.environment import Environment, open_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_MANY = "1000000/month"


@dataclass
class Harness:
    env: Environment
    runcomfy: TappedRunComfy
    tap: Tap
    target: Target
    crowd: Crowd
    dice: Random


@asynccontextmanager
async def open_harness(
    folder: Path,
    *,
    seconds: tuple[float, float] = (0, 0),
    max_jobs_per_user: int = 1000,
    settings: dict[str, str] | None = None,
) -> AsyncIterator[Harness]:
    """Open an environment with this RunComfy duration, unreachable limits and settings of the bot.

    The random seed is printed; set `KILLS_SEED` to repeat a run.
    """
    seed = int(os.environ.get("KILLS_SEED") or secrets.randbelow(10**9))
    print(f"KILLS_SEED={seed}")  # noqa: T201 (shown with a failure)
    tap, dice = Tap(), Random(seed)
    limits = dict.fromkeys(("DEFAULT_QUOTA", "MAX_QUOTA", "BUDGET"), _MANY)
    limits["MAX_JOBS_PER_USER"] = str(max_jobs_per_user)
    options: dict[str, Any] = {**limits, **(settings or {})}
    async with open_environment(
        folder,
        runcomfy={"workers": 8, "seconds": seconds},
        make_runcomfy=partial(TappedRunComfy, tap),
        make_discord=partial(TappedDiscord, tap=tap),
        **options,
    ) as env:
        runcomfy = cast("TappedRunComfy", env.runcomfy)
        crowd = Crowd(env, runcomfy, dice)
        try:
            yield Harness(env, runcomfy, tap, Target(env, tap), crowd, dice)
        finally:
            tap.listener = None
            await crowd.cancel_all()
