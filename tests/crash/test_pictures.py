"""Kills while the pictures that go into a job are read and sent."""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from playground.discord import UploadedFile
from tests.crash.harness import open_harness
from tests.crash.invariants import check
from tests.crash.kill_points import Call, find_job_row
from tests.crash.test_each_step import kill_at_each

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.harness import Harness
    from tests.crash.kill_points import Act, Point, Target

_colors = count(1)


def picture() -> UploadedFile:
    Image.new("RGB", (400, 300), (next(_colors), 90, 90)).save(file := io.BytesIO(), "PNG")
    return UploadedFile("fox.png", file.getvalue())


async def edit(harness: Harness, prompt: str) -> Act:
    person = harness.env.new_member()
    first, second = picture(), picture()
    return lambda: person.command("edit", prompt=prompt, resolution="0.5K", image=first, image2=second)


@dataclass(frozen=True)
class Reading:
    """The bot has got half of the first picture at most."""

    async def kill(self, target: Target, prompt: str, act: Act) -> bool:
        cdn = target.env.discord.cdn
        before = len(cdn.fetches)
        cdn.hold()
        await act()
        await target.env.discord.until(lambda: len(cdn.fetches) > before)
        target.kill()
        await target.wait_until_killed()
        cdn.release()
        with target.database() as database:
            job = find_job_row(database, prompt)
        return job is not None and job["status"] == "waiting"


@dataclass(frozen=True)
class Read:
    """The bot has stored both pictures, but their names are not in the row yet."""

    async def kill(self, target: Target, prompt: str, act: Act) -> bool:
        cdn, kept = target.env.discord.cdn, target.env.folder / "data" / "kept"
        before = len(cdn.fetches)
        cdn.hold()
        await act()
        await target.env.discord.until(lambda: len(cdn.fetches) > before)
        with target.database() as database:
            job = find_job_row(database, prompt)
            assert job
            database.execute("begin immediate")
            cdn.release()
            await target.env.wait_for_rows((kept / job["job_id"] / "input-2.png").exists)
            target.kill()
            await target.wait_until_killed()
            database.execute("rollback")
            after = find_job_row(database, prompt)
        return after is not None and after["input_files"] == job["input_files"]


@pytest.mark.parametrize(
    "points",
    [
        [Reading(), Read()],
        [Call("submit", "arrived"), Call("submit", "made"), Call("submit", "answered")],
        [Call("result", "made"), Call("images", "arrived"), Call("images", "made")],
    ],
    ids=["reading", "sending", "delivering"],
)
async def test_job_with_pictures(tmp_path: Path, points: list[Point]) -> None:
    async with open_harness(tmp_path) as harness:
        await kill_at_each(harness, "edited", edit, points)
        await check(harness.env, harness.runcomfy)
        sent = [each for each in harness.runcomfy.submits if "edited" in str(each.options["prompt"])]
        assert len(sent) == len(points)
        assert all(len(each.pictures) == 2 for each in sent)
