"""A process is killed after it has downloaded images, on a machine that is gone with it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, cast

from tests.crash.kill_points import Call, job_prompt
from tests.crash.test_takeover import open_steps
from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.processes import start
from tests.e2e.served_once import check_served_once

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Message
    from tests.crash.taps import TappedRunComfy
    from tests.e2e.processes import Processes
    from tests.postgres import PostgresServer

_KINDS = "kept", "forgotten", "lost", "on disk"


async def test_images_of_a_dead_machine(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """They are downloaded again, or collected from its disk later, and refunded if RunComfy has none."""
    async with open_steps(tmp_path, postgres_server, postgres_url) as (both, steps):
        env, runcomfy = both.env, cast("TappedRunComfy", both.env.runcomfy)
        for kind in _KINDS:
            await steps.bring(kind, Call("images", "arrived"))
        rows = {job_prompt(row).removesuffix(" images arrived"): row for row in env.rows()}
        kept, forgotten, lost, on_disk = (
            env.discord.message(str(rows[kind]["message_id"])) for kind in _KINDS
        )
        stored = {kind: next(env.folder.rglob(f"{rows[kind]['job_id']}/1.*")) for kind in _KINDS}
        del runcomfy.requests[rows["forgotten"]["request_id"]]
        runcomfy.gone |= {job_prompt(rows[kind]) for kind in ("lost", "on disk")}
        await steps.kill()
        await both.ends(kept, "✅")
        await both.ends(forgotten, "This request has expired", "You weren't charged")
        for message in (lost, on_disk):
            await both.ends(message, "I couldn't download them")
        await check_served_once(env)
        shutil.rmtree(stored["lost"].parent)
        await start(both.first, both.channel, env.discord)
        await collect(both, on_disk, "✅")
        await collect(both, lost, "can't be collected anymore", "You weren't charged")
        await env.wait_until_idle()
        check_accounts(env)
        assert [delivered(each) for each in (kept, forgotten)] == [1, 0]
        assert {row["refunded"] for row in env.rows() if row["status"] == "failed"} == {1}


async def collect(both: Processes, message: Message, *words: str) -> None:
    press = await both.env.author(message).press(message, "Get images")
    await both.ends(await press.response(), *words)
