"""An environment in which the bot is killed again and again, with people around who go on ordering."""

from __future__ import annotations

import os
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, cast

from tests.crash.crowd import Crowd
from tests.crash.kill_points import Victim
from tests.crash.taps import Ears, OverheardDiscord, OverheardRunComfy
from tests.e2e.environment import Environment, open_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_MANY = "1000000/month"


@dataclass
class Scene:
    env: Environment
    runcomfy: OverheardRunComfy
    ears: Ears
    victim: Victim
    crowd: Crowd
    dice: Random


@asynccontextmanager
async def open_scene(
    folder: Path, *, seconds: tuple[float, float] = (0, 0), max_jobs_per_user: int = 1000
) -> AsyncIterator[Scene]:
    """A RunComfy that takes so many seconds, and limits that nobody reaches.

    What is random follows from a seed that is printed; `KILLS_SEED` brings it back.
    """
    seed = int(os.environ.get("KILLS_SEED") or secrets.randbelow(10**9))
    print(f"KILLS_SEED={seed}")  # noqa: T201 (shown with a failure)
    ears, dice = Ears(), Random(seed)
    async with open_environment(
        folder,
        runcomfy={"workers": 8, "seconds": seconds},
        make_runcomfy=partial(OverheardRunComfy, ears),
        make_discord=partial(OverheardDiscord, ears=ears),
        DEFAULT_QUOTA=_MANY,
        MAX_QUOTA=_MANY,
        BUDGET=_MANY,
        MAX_JOBS_PER_USER=str(max_jobs_per_user),
    ) as env:
        runcomfy = cast("OverheardRunComfy", env.runcomfy)
        crowd = Crowd(env, runcomfy, dice)
        try:
            yield Scene(env, runcomfy, ears, Victim(env, ears), crowd, dice)
        finally:
            ears.listener = None
            await crowd.disperse()
