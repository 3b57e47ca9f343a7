"""Kills while the pictures that go into a job are read and sent."""

from __future__ import annotations

import io
from dataclasses import dataclass
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
    from tests.crash.kill_points import Act, Point, Row, Target


def picture() -> UploadedFile:
    """Return a picture whose first half is stored while the second has not arrived."""
    Image.effect_noise((800, 600), 90).save(file := io.BytesIO(), "PNG")
    return UploadedFile("fox.png", file.getvalue())


async def edit(harness: Harness, prompt: str) -> Act:
    person = harness.env.new_member()
    first, second = picture(), picture()
    return lambda: person.command("edit", prompt=prompt, resolution="0.5K", image=first, image2=second)


async def start_reading(target: Target, prompt: str, act: Act) -> Row:
    """Act, and return the job's row once half of its first picture has arrived."""
    target.env.discord.cdn.hold()
    await act()

    def find() -> Row | None:
        with target.database() as database:
            row = find_job_row(database, prompt)
        return row if row and any(kept_files(target, row).glob(".input-1*")) else None

    await target.env.wait_for_rows(find)
    row = find()
    assert row
    return row


def kept_files(target: Target, row: Row) -> Path:
    return target.env.folder / "data" / "kept" / str(row["job_id"])


@dataclass(frozen=True)
class Reading:
    """The bot has got half of the first picture."""

    async def kill(self, target: Target, prompt: str, act: Act) -> bool:
        await start_reading(target, prompt, act)
        target.kill()
        await target.wait_until_killed()
        target.env.discord.cdn.release()
        return True


@dataclass(frozen=True)
class Read:
    """The bot has stored both pictures, but their names are not in the row yet."""

    async def kill(self, target: Target, prompt: str, act: Act) -> bool:
        row = await start_reading(target, prompt, act)
        with target.database() as database:
            database.lock()
            target.env.discord.cdn.release()
            await target.env.wait_for_rows((kept_files(target, row) / "input-2.png").exists)
            target.kill()
            await target.wait_until_killed()
            database.unlock()
            after = find_job_row(database, prompt)
        return after is not None and after["input_files"] == row["input_files"]


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
        assert len(sent) >= len(points)
        assert all(len(each.pictures) == 2 for each in sent)
