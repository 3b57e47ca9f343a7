"""A bot that can't write to its files folder says so everywhere and orders nothing until it can."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.e2e.commands import command
from tests.e2e.world import open_world

if TYPE_CHECKING:
    from pathlib import Path


async def test_nothing_is_ordered_while_images_cannot_be_stored(tmp_path: Path) -> None:
    async with open_world(tmp_path, is_started=False, runcomfy={"seconds": 0}) as world:
        folder = tmp_path / "data" / "files"
        folder.parent.mkdir()
        folder.write_text("in its place")  # which stops root, too
        where = f"{folder} can't be written by user id {os.geteuid()}"
        code, said = await command(world, "check")
        assert code == 1
        assert f"problem  files     {where}" in said
        await world.start()
        assert where in world.log
        for _ in range(2):
            assert "owner" in await world.says(world.alice, "imagine", prompt="a fox")
        assert (world.runcomfy.submits, world.rows()) == ([], [])
        assert world.log.count(" ERROR ") == 1
        folder.unlink()
        message = await world.imagine(resolution="0.5K")
        await world.ends(message, "✅")
        assert "images can be stored again" in world.log
        code, said = await command(world, "check")
        assert f"ok       files     images can be stored in {folder} by user id {os.geteuid()}" in said
