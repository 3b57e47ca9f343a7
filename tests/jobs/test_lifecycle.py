"""Random sequences of actions and crashes: exact charges, one submission a job, every end shown."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from bot.domain.job import Job, JobStatus
from bot.errors import BotError, BusyError, PolicyError
from playground.runcomfy import Fault, LocalRunComfy, edit_json, reset, respond, truncate
from tests.clocks import FastLoop
from tests.e2e.accounts import FINAL, UNCOLLECTED
from tests.factories import make_requester
from tests.jobs.bot import MODEL, Bot, Channel
from tests.storage.ledger import differences, rows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

T = TypeVar("T")

FAULTS = [
    reset(),
    reset(is_after=True),
    truncate(),
    respond(503, "<html>"),
    respond(503, "<html>", is_after=True),
    respond(200, {"error_code": 500001}),
    edit_json(lambda body: body.clear()),
]
pauses = st.sampled_from([0, 0, 2, 5])
lost = st.sampled_from([None, None, reset(is_after=True), respond(503, "<html>", is_after=True)])
"""What can happen to the response to an accepted POST."""


async def retry_until_success(call: Callable[[], Awaitable[T]]) -> T:
    """Retry while the bot is busy."""
    while True:
        try:
            return await call()
        except (BusyError, PolicyError) as error:
            if error.key not in {"busy", "runcomfy-down"}:
                raise
        await asyncio.sleep(1)


class Life(RuleBasedStateMachine):
    """Each rule runs the bot for some seconds; between rules everything stands still."""

    jobs = Bundle[str]("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.loop = asyncio.Runner(loop_factory=FastLoop)
        self.channel = Channel()
        self.runcomfy = LocalRunComfy(workers=2, seconds=0)
        self.run(self.runcomfy.__aenter__())
        self.runcomfy.hold()
        self.bot = self.run(Bot(self.folder, self.runcomfy, self.channel).start())
        self.refused: Counter[str] = Counter()
        self.fetched: Counter[str] = Counter()
        self.known: list[str] = []
        self.crashes = 0

    def run(self, coroutine: Coroutine[object, object, T], pause: float = 0) -> T:
        async def both() -> T:
            result = await coroutine
            await asyncio.sleep(pause)
            return result

        return self.loop.run(both())

    @initialize(target=jobs, images=st.integers(1, 4))
    def begin_with_undelivered_images(self, images: int) -> str:
        """Start with undelivered images, which random actions seldom produce."""

        async def fail() -> str:
            job = await self.reserved(1, images)
            self.channel.refusals = 1
            self.bot.service.confirm(job, self.channel.post(job.token))
            while not self.runcomfy.requests:  # noqa: ASYNC110 (a stand-in on another clock)
                await asyncio.sleep(1)
            self.runcomfy.finish(self.runcomfy.start_next())
            while not (await self.bot.jobs.get(job.job_id)).is_fetchable:  # noqa: ASYNC110 (a database has no event to wait for)
                await asyncio.sleep(1)
            return job.job_id

        return self.run(fail())

    @rule(target=jobs, user_id=st.integers(1, 2), images=st.integers(1, 4), fault=lost, pause=pauses)
    def start_job(self, user_id: int, images: int, fault: Fault | None, pause: int) -> str:
        async def ask() -> str:
            job = await self.reserved(user_id, images)
            self.bot.service.confirm(job, self.channel.post(job.token))
            return job.job_id

        if fault:
            self.runcomfy.inject_fault("submit", fault)
        return self.run(ask(), pause)

    @rule(target=jobs, images=st.integers(1, 4), fate=st.sampled_from(["unseen", "crash", "seen, crash"]))
    def start_job_without_a_response(self, images: int, fate: str) -> str:
        job = self.run(self.reserved(1, images))
        if "seen," in fate:
            self.channel.post(job.token)
        if "crash" in fate:
            self.crash(0)
        else:
            self.run(retry_until_success(lambda: self.bot.service.abandon(job)))
        return job.job_id

    async def reserved(self, user_id: int, images: int) -> Job:
        await self.bot.resume()
        values = {"prompt": f"fox {len(self.known)}", "num_images": images, "resolution": "0.5K"}
        job = await retry_until_success(
            lambda: self.bot.service.reserve(make_requester(user_id=user_id), MODEL, {**values})
        )
        assert job
        self.known.append(job.job_id)
        return job

    @rule(job_id=jobs, pause=pauses)
    def cancel(self, job_id: str, pause: int) -> None:
        async def press() -> None:
            job = await self.bot.jobs.get(job_id)
            asker = make_requester(user_id=job.user_id)
            with suppress(BotError):
                asked = await self.bot.service.request_cancel(asker, job_id, may_manage=False)
                await self.bot.service.cancel(asked)

        self.run(press(), pause)

    @rule(job_id=jobs, pause=pauses, is_seen=st.booleans())
    def fetch(self, job_id: str, pause: int, *, is_seen: bool) -> None:
        async def press() -> None:
            job = await self.bot.jobs.get(job_id)
            with suppress(BotError):
                job = await self.bot.service.refetch(make_requester(user_id=job.user_id), job_id)
                self.fetched[job_id] += 1  # it can fail once more, as its new message then shows
                if is_seen:
                    self.bot.service.confirm(job, self.channel.post(job.token))
                else:
                    await retry_until_success(lambda: self.bot.service.abandon(job))

        self.run(press(), pause)

    @rule(job_id=jobs, pause=pauses)
    def delete(self, job_id: str, pause: int) -> None:
        async def press() -> None:
            with suppress(BotError):
                job = await self.bot.jobs.get(job_id)
                asker = make_requester(user_id=job.user_id)
                job = await self.bot.deletion.authorize(asker, job_id, may_manage=False)
                await retry_until_success(lambda: self.bot.deletion.mark_deleted(job, job.user_id))
                self.channel.deleted.add(job_id)
                await self.bot.deletion.delete_messages(job_id)

        self.run(press(), pause)

    @rule(error=st.sampled_from([None, None, None, "a worker died"]), pause=pauses)
    def runcomfy_finishes_and_starts(self, error: str | None, pause: int) -> None:
        """Finish what is in progress, and start what waits."""
        for request in list(self.runcomfy.requests.values()):
            if request.state == "in_progress":
                self.runcomfy.finish(request.request_id, error)
        if any(request.state == "in_queue" for request in self.runcomfy.requests.values()):
            self.runcomfy.start_next()
        self.run(asyncio.sleep(0), pause)

    @rule(
        route=st.sampled_from(["submit", "status", "result", "cancel", "file"]),
        fault=st.sampled_from(FAULTS),
        times=st.sampled_from([1, 1, 2, 6]),
    )
    def runcomfy_has_a_fault(self, route: str, fault: Fault, times: int) -> None:
        self.runcomfy.inject_fault(route, fault, times)

    @rule(times=st.integers(1, 3))
    def runcomfy_rejects_submissions(self, times: int) -> None:
        async def refuse(request: web.Request, _: web.Response | None) -> web.StreamResponse:
            self.refused[(await request.json())["prompt"]] += 1
            return web.json_response({}, status=429)

        self.runcomfy.inject_fault("submit", Fault(refuse), times)

    @rule()
    def discord_refuses(self) -> None:
        self.channel.refusals += 1

    @rule(times=st.integers(1, 3))
    def runcomfy_returns_404(self, times: int) -> None:
        self.runcomfy.inject_fault("status", respond(404, {"error_code": 404001}), times)

    @rule(pause=pauses, is_noticed=st.booleans())
    def owner_pauses_spending(self, pause: int, *, is_noticed: bool) -> None:
        """Until the next job or the end."""
        self.run(self.bot.pause() if is_noticed else self.bot.pauses.pause(), pause)

    @rule(hours=st.sampled_from([1, 24, 7 * 24]), pause=pauses)
    def time_passes(self, hours: int, pause: int) -> None:
        with suppress(BotError):
            self.run(self.bot.check_later(hours), pause)

    @rule(pause=pauses)
    def crash(self, pause: int) -> None:
        self.crashes += 1
        self.run(self.bot.crash())
        self.bot = self.run(Bot(self.folder, self.runcomfy, self.channel).start(), pause)

    @invariant()
    def counters_match_the_jobs(self) -> None:
        assert differences(self.folder / "bot.db") == set()

    @invariant()
    def only_collectable_undelivered_images_are_charged(self) -> None:
        is_uncollected = f"(request_id is not null and coalesce(error, '') in {tuple(UNCOLLECTED)})"
        wrong = f"""
            select * from jobs where status in {FINAL} and deleted_at is null
            and (image_count - refunded > delivered) <> {is_uncollected}"""  # noqa: S608 (names of the code's own)
        assert rows(self.folder / "bot.db", wrong) == []

    @invariant()
    def deleted_jobs_are_never_posted(self) -> None:
        assert self.channel.posted_after_deletion == []

    @invariant()
    def no_job_is_submitted_twice(self) -> None:
        posts = Counter(
            str(post.input["prompt"]) for post in self.runcomfy.submits if isinstance(post.input, dict)
        )
        assert all(count - self.refused[prompt] <= 1 for prompt, count in posts.items())

    def teardown(self) -> None:
        try:
            self.run(asyncio.wait_for(self.settled(), 1800))
            for job_id in self.channel.deleted:
                self.run(self.bot.deletion.delete_messages(job_id))
            for job_id in self.known:
                self.check(self.run(self.bot.jobs.get(job_id)))
        finally:
            self.run(self.bot.crash())
            self.run(self.runcomfy.__aexit__(None, None, None))
            self.loop.close()
            shutil.rmtree(self.folder)

    async def settled(self) -> None:
        """Remove all faults, and wait until every job has ended."""
        for route in ("submit", "status", "result", "cancel", "file"):
            self.runcomfy.clear_faults(route)
        self.channel.refusals = 0
        self.runcomfy.release()
        await self.bot.resume()
        while await self.bot.jobs.unfinished():  # noqa: ASYNC110 (a database has no event to wait for)
            await asyncio.sleep(1)

    def check(self, job: Job) -> None:
        """Check a job that has ended."""
        made = [
            request
            for request in self.runcomfy.requests.values()
            if request.state == "succeeded" and request.input["prompt"] == job.input["prompt"]
        ]
        shown = self.channel.images[job.job_id]
        if job.job_id in self.channel.deleted:
            assert job.deleted_at, job
            assert self.channel.shown_in.get(job.job_id, set()) <= self.channel.gone, job
        if job.is_fetchable:
            assert job.refunded == 0, job
        elif not job.deleted_at:
            assert job.image_count - job.refunded <= shown, job
        assert job.status is not JobStatus.SUCCEEDED or shown, job
        assert not made or job.budget_refunded == 0, job  # the owner has paid for them
        shown_ends = self.channel.shown_ends[job.job_id]
        if job.message_id and job.status is not JobStatus.SUCCEEDED:
            assert shown_ends, job
        if not self.crashes and not job.check_count:
            assert shown_ends <= 1 + self.fetched[job.job_id], job


def test_members_pay_only_for_images_that_arrived() -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
