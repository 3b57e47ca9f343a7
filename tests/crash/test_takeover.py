"""One of two processes is killed while jobs are at each of their steps, and the other one takes them over."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.crash.kill_points import Call, job_prompt
from tests.crash.taps import ObservedCall, Tap, TappedDiscord, TappedRunComfy
from tests.crash.test_each_step import DELIVERING, RESERVING, SUBMITTING
from tests.crash.test_pictures import picture
from tests.e2e.processes import open_processes
from tests.e2e.served_once import check_served_once

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.crash.kill_points import Point
    from tests.databases import StoredDatabase
    from tests.e2e.processes import Processes
    from tests.postgres import PostgresServer

_LIMITS = {
    "MAX_JOBS_PER_USER": "1",
    **dict.fromkeys(("DEFAULT_QUOTA", "MAX_QUOTA", "BUDGET"), "100000/day"),
}
BLOCKED = "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


class Steps:
    """Jobs that are each held at a step of their own. What RunComfy does with one depends on its kind."""

    def __init__(self, both: Processes, tap: Tap, database: StoredDatabase) -> None:
        self._both, self._tap, self._database = both, tap, database
        self._answered: set[ObservedCall] = set()
        self._locked: set[str] = set()
        database.rows("begin")
        tap.listener = self._listen
        both.env.runcomfy.hold()

    def _listen(self, seen: ObservedCall) -> None:
        if seen.what == "submit" and seen.moment == "made":
            self._generate(seen.prompt)
        if seen in self._answered:
            self._lock(seen.prompt)

    def _lock(self, prompt: str) -> None:
        """Let the bot write nothing about a job."""
        self._database.rows(f"select * from jobs where input like '%\"{prompt}\"%' for update")  # noqa: S608 (of a test)
        self._locked.add(prompt)

    def _generate(self, prompt: str) -> None:
        runcomfy, kind = self._both.env.runcomfy, prompt.split(maxsplit=1)[0]
        if kind != "queued":
            (request,) = (each for each in runcomfy.requests.values() if each.input["prompt"] == prompt)
            runcomfy.start_next(request)
            if kind != "painting":
                runcomfy.finish(request.request_id)

    async def bring(self, kind: str, point: Call, command: str = "imagine", **options: Any) -> None:
        """Start a job of a new member, and wait until it is held at this point."""
        env, prompt = self._both.env, f"{kind} {point.what} {point.moment}"
        person = env.new_member()
        if point.what == "file 1":
            options["num_images"] = 2
        if kind == "queued" and point.what == "progress":  # in the bot's queue: the member can run one job
            await person.command("imagine", channel=self._both.channel, prompt=f"{prompt}, before")
            await env.wait_for_rows(lambda: f"{prompt}, before" in self._prompts("submit"))
        seen = ObservedCall(point.what, "arrived" if point.moment == "arrived" else "made", prompt)
        (self._answered if point.moment == "answered" else self._tap.held).add(seen)
        options |= {"prompt": prompt, "resolution": "0.5K"}
        await person.command(command, channel=self._both.channel, **options)
        await env.wait_for_rows(lambda: seen in self._tap.calls)

    def _prompts(self, what: str) -> set[str]:
        return {each.prompt for each in self._tap.calls if each.what == what}

    async def bring_to_reading(self, prompt: str, **options: Any) -> None:
        """Start a job and wait until half of its first picture has arrived."""
        env = self._both.env
        env.discord.cdn.hold()
        before = len(env.discord.cdn.fetches)
        await env.new_member().command("edit", channel=self._both.channel, prompt=prompt, **options)
        await env.wait_for_rows(lambda: len(env.discord.cdn.fetches) > before)

    async def let_read(self, prompt: str) -> None:
        """Let a job's pictures be read and stored, but not their names."""
        self._lock(prompt)
        self._both.env.discord.cdn.release()
        await self._until_blocked()

    async def _until_blocked(self) -> None:
        env = self._both.env
        await env.wait_for_rows(lambda: len(env.rows(BLOCKED)) == len(self._locked))

    async def kill(self) -> None:
        """Kill the process at all of these points; the other one takes over and RunComfy continues."""
        env = self._both.env
        await self._until_blocked()
        self._tap.listener = None
        await self._both.kill()
        self._tap.drop_held()
        self._database.rows("rollback")
        env.runcomfy.release()


@asynccontextmanager
async def open_steps(
    folder: Path, server: PostgresServer, url: str
) -> AsyncIterator[tuple[Processes, Steps]]:
    tap = Tap()
    stand_ins: Any = {
        "make_runcomfy": partial(TappedRunComfy, tap),
        "make_discord": partial(TappedDiscord, tap=tap),
    }
    async with open_processes(folder, server, url, seconds=0, settings=_LIMITS, **stand_ins) as both:
        with both.env.stored() as database:
            yield both, Steps(both, tap, database)


def calls(*points: Point) -> list[Call]:
    """Return the calls among the points, the last first, so that none is held up by an earlier one."""
    return [point for point in reversed(points) if isinstance(point, Call)]


WAITING = calls(Call("progress", "arrived"), Call("progress", "made"))
QUEUED = calls(Call("status in_queue", "arrived"), Call("status in_queue", "made"))
PAINTING = calls(
    Call("status in_progress", "arrived"),
    Call("status in_progress", "made"),
    Call("status in_progress", "answered"),
    Call("progress", "arrived"),
    Call("progress", "made"),
)
FAILING = calls(
    Call("result", "answered"), Call("end", "arrived"), Call("end", "made"), Call("end", "answered")
)
JOBS = [
    *(("queued", point) for point in WAITING + QUEUED),
    *(("painting", point) for point in PAINTING),
    *(("refuse", point) for point in FAILING),
    *(("well", point) for point in calls(*RESERVING, *SUBMITTING, *DELIVERING)),
]
SENT = calls(
    Call("submit", "arrived"),  # two jobs at a time can send pictures
    Call("submit", "made"),
    Call("result", "made"),
    Call("images", "arrived"),
    Call("images", "made"),
)


async def test_killed_at_each_step(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """Blocked writes come last, since the bot repeats them after some seconds."""
    async with open_steps(tmp_path, postgres_server, postgres_url) as (both, steps):
        for kind, point in sorted(JOBS, key=lambda job: job[1].moment == "answered"):
            await steps.bring(kind, point)
        await steps.kill()
        await check_served_once(both.env)
        unknown = {job_prompt(row) for row in both.env.rows() if row["error"] == "submission-unknown"}
        assert unknown == {f"well submit {moment}" for moment in ("arrived", "made", "answered")}


async def test_job_with_pictures_killed_at_each_step(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """The other process, which has none of the pictures, reads them from Discord where it needs them."""
    pictures = {"image": picture(), "image2": picture()}
    async with open_steps(tmp_path, postgres_server, postgres_url) as (both, steps):
        env = both.env
        for kind, point in [*(("queued", each) for each in WAITING), *(("edited", each) for each in SENT)]:
            await steps.bring(kind, point, "edit", **pictures)
        await steps.bring_to_reading("stored", **pictures)
        await steps.let_read("stored")
        await steps.bring_to_reading("half read", **pictures)
        before = len(env.discord.cdn.fetches)
        await steps.kill()
        env.discord.cdn.release()
        await check_served_once(env)
        unknown = {job_prompt(row) for row in env.rows() if row["error"]}
        assert unknown == {f"edited submit {moment}" for moment in ("arrived", "made")}
        assert len(env.discord.cdn.fetches) - before == 2 * 4
        assert all(
            len(each.pictures) == 2 for each in env.runcomfy.submits if "before" not in str(each.input)
        )
