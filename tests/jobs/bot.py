"""The bot without Discord: the real service and runner, on a real file and against the local RunComfy."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, Self

import aiohttp

from bot.discord.rate_limiter import DiscordRateLimiter
from bot.domain.concurrency import ConcurrencyLimits
from bot.domain.job import Job, JobStatus
from bot.domain.quota import Limits
from bot.errors import DeliveryError, NotRemovedError
from bot.jobs.fair_queue import FairQueue
from bot.jobs.lease import Lease
from bot.jobs.pause import SpendingPause
from bot.jobs.poll_interval import PollRateLimiter
from bot.jobs.retrying_database import RetryingDatabase
from bot.jobs.runner import JobRunner
from bot.jobs.service import JobService
from bot.jobs.shares import Shares
from bot.jobs.steps.state import StepContext
from bot.jobs.tracker import JobTracker
from bot.maintenance.cost_sync import CostSync
from bot.maintenance.deletion import DeletionService
from bot.maintenance.erasure import ErasureService
from bot.maintenance.live_models import LiveModels
from bot.maintenance.loop import PeriodicTask
from bot.maintenance.owner_notices import OwnerNotices
from bot.maintenance.uncollected import UncollectedImages
from bot.media.kept import KeptFiles
from bot.media.store import FileStore
from bot.models.catalogue import Catalogue
from bot.observability.metrics import Metrics
from bot.runcomfy.client import RunComfyClient
from bot.runcomfy.download import Downloader
from bot.runcomfy.file_url import AllowedHosts
from bot.runcomfy.input_download import InputDownloader
from bot.storage.costs import CostStore
from bot.storage.durations import DurationStore
from bot.storage.guild_settings import GuildSettingsStore
from bot.storage.jobs import JobStore
from bot.storage.key_values import KeyValueStore
from bot.storage.live_models import LiveModelStore
from bot.storage.messages import MessageStore
from bot.storage.pause import PauseStore
from bot.storage.privacy import PrivacyStore
from bot.storage.quotas import QuotaStore
from bot.storage.reservations import ReservationStore
from bot.storage.sqlite import open_database
from playground.runcomfy import LocalRunComfy, respond
from tests.clocks import SPEED, FastLoop, LoopClock
from tests.factories import make_requester

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from bot.domain.job import MessageRef
    from bot.i18n import LazyText
    from bot.jobs.ports import Progress
    from bot.storage.database import Database

P = ParamSpec("P")
# In real time: the local RunComfy draws images in threads, which have no fast clock.
_DOWNLOAD_TIME = aiohttp.ClientTimeout(total=900 * SPEED, connect=10 * SPEED, sock_read=30 * SPEED)
_AGING = ("ended_at", "next_check_at", "uncollected_since")
CATALOGUE = Catalogue.load()
MODEL = CATALOGUE.by_command["imagine"]


def run_fast(scenario: Coroutine[object, object, None]) -> None:
    """Run a scenario on a fast clock."""
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(scenario)


def on_fast_clock(test: Callable[P, Coroutine[object, object, None]]) -> Callable[P, None]:
    """Run a test on a fast clock."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        run_fast(test(*args, **kwargs))

    return run


class Channel:
    """The posted messages; like Discord, they survive restarts of the bot."""

    def __init__(self) -> None:
        self.images: Counter[str] = Counter()
        """How many images of each job were delivered."""
        self.shown_ends: Counter[str] = Counter()
        """How often the end of each job was shown."""
        self.warnings: list[LazyText] = []
        """Warnings to the bot's owner."""
        self.progress: dict[str, Progress] = {}
        """The intermediate state that each job showed last."""
        self.refusals = 0
        """How many of the next deliveries are refused."""
        self.most = 10
        """How many images of a delivery are accepted."""
        self.deleted: set[str] = set()
        """The jobs that were deleted."""
        self.shown_in: dict[str, set[int]] = {}
        """By job, the messages that showed its end or its images."""
        self.gone: set[int] = set()
        """The messages that were deleted."""
        self.posted_after_deletion: list[str] = []
        """Jobs that were posted after they had been deleted."""
        self._messages: dict[str | None, int] = {}

    def post(self, token: str | None) -> int:
        """Return the id of the response to the interaction with this token."""
        return self._messages.setdefault(token, 10**18 + len(self._messages))

    def show_progress(self, job: Job, how: Progress) -> None:
        self.progress[job.job_id] = how

    async def send_outcome(self, job: Job) -> None:
        await asyncio.sleep(1)
        self.shown_ends[job.job_id] += 1
        self._note(job)

    async def withdraw(self, job: Job) -> None:
        assert not job.is_fetchable

    async def send_images(self, job: Job, files: Sequence[Path], before: Path | None = None) -> int:
        assert job.message_id
        assert all(file.stat().st_size for file in [*files, *([before] if before else [])])
        await asyncio.sleep(1)
        if self.refusals:
            self.refusals -= 1
            raise DeliveryError
        self._note(job)
        seen = min(len(files), self.most)
        self.images[job.job_id] = max(seen, self.images[job.job_id])
        return seen

    async def warn_owner(self, text: LazyText) -> None:
        self.warnings.append(text)

    def _note(self, job: Job) -> None:
        if job.message_id:
            self.shown_in.setdefault(job.job_id, set()).add(job.message_id)
        if job.job_id in self.deleted:
            self.posted_after_deletion.append(job.job_id)

    async def delete_message(self, post: MessageRef) -> None:
        await asyncio.sleep(1)
        if self.refusals:
            self.refusals -= 1
            raise NotRemovedError
        self.gone.add(post.message_id)

    def log_end(self, job: Job, delivered: int) -> None:
        pass

    async def find_response(self, job: Job) -> int | None:
        return self._messages.get(job.token)

    async def finish(self) -> None:
        pass

    def discard(self, job_id: str) -> None:
        pass

    def adopt(self, job_id: str) -> None:
        pass

    def abandon(self, job_id: str) -> None:
        pass


class Bot:
    """One run of the bot; after a crash the next one can start with the same folder."""

    deadline = timedelta(minutes=30)

    def __init__(self, folder: Path, runcomfy: LocalRunComfy, channel: Channel) -> None:
        self._folder = folder
        self.runcomfy = runcomfy
        self.channel = channel
        self._hosts = AllowedHosts.parse(runcomfy.environment["RUNCOMFY_FILE_HOSTS"])
        self._stack = AsyncExitStack()
        self.catalogue = Catalogue(CATALOGUE)
        self.offers: list[set[str]] = []
        """The offered models after each change."""

    async def start(self) -> Self:
        database = await self._stack.enter_async_context(self._open_database())
        session = await self._stack.enter_async_context(aiohttp.ClientSession())
        runcomfy = RunComfyClient(session, api_url=self.runcomfy.url, token=self.runcomfy.token)
        self._stack.callback(runcomfy.close)
        channel, clock = self.channel, LoopClock()
        files = FileStore(self._folder / "files", max_bytes=10**9, max_age=timedelta(days=7))
        self.pauses = PauseStore(database)
        queue = FairQueue(ConcurrencyLimits(4, 2, 4), channel.show_progress)
        shares = Shares(queue, PollRateLimiter(200), DiscordRateLimiter(Metrics(), clock))
        self.context = StepContext(
            jobs=JobStore(RetryingDatabase(database)),
            runcomfy=runcomfy,
            downloader=Downloader(session, self._hosts, 15 * SPEED, _DOWNLOAD_TIME),
            inputs=InputDownloader(session, self._hosts, 15 * SPEED, _DOWNLOAD_TIME),
            delivery=channel,
            files=files,
            kept=KeptFiles(files, self._folder / "kept", max_bytes=10**9, max_age=timedelta(days=7)),
            durations=DurationStore(database),
            queue=queue,
            pause=SpendingPause(self.pauses, queue),
            poll_limiter=shares.poll_limiter,
            tracker=JobTracker(Metrics(), clock),
            clock=clock,
            lease=Lease(database, shares),
            file_inputs="data",
            deadline=self.deadline,
        )
        self.jobs = self.context.jobs
        self.runner = JobRunner(self.context)
        self.costs = CostStore(database, budget_usd=None)
        self.service = self._new_service(database)
        self.deletion = DeletionService(self.context, MessageStore(database), channel.delete_message)
        self.erasure = ErasureService(self.context, PrivacyStore(database), self.deletion, timedelta(days=30))
        self.uncollected, self.key_values = UncollectedImages(self.runner), KeyValueStore(database)
        notices = OwnerNotices(channel, self.key_values, clock)
        self.cost_sync = CostSync(self.context, self.costs, notices, self.catalogue, alert_percent=80)
        self.models = self._new_models(LiveModelStore(database), notices)
        self.maintenance = PeriodicTask("everything", *self._works(), clock=clock)
        return await self._begin()

    def _open_database(self) -> AbstractAsyncContextManager[Database]:
        return open_database(self._folder / "bot.db")

    async def _begin(self) -> Self:
        await self.models.load()
        await self.runner.resume()
        self.maintenance.start()
        return self

    def _new_service(self, database: Database) -> JobService:
        quotas, settings = QuotaStore(database, Limits()), GuildSettingsStore(database)
        reservations = ReservationStore(database, settings=settings, quotas=quotas, costs=self.costs)
        return JobService(
            self.runner, jobs=JobStore(database), reservations=reservations, catalogue=self.catalogue
        )

    def _new_models(self, store: LiveModelStore, notices: OwnerNotices) -> LiveModels:
        return LiveModels(
            runcomfy=self.context.runcomfy,
            catalogue=self.catalogue,
            store=store,
            costs=self.costs,
            notices=notices,
            clock=self.context.clock,
            on_change=lambda: self.offers.append(set(self.catalogue.offered)),
        )

    def _works(self) -> list[Callable[[], Awaitable[None]]]:
        sync, uncollected = self.cost_sync, self.uncollected
        return [
            *(self.context.files.probe.refresh, uncollected.purge_files, uncollected.expire_uncollected),
            *(self.deletion.retry_pending, uncollected.check_late_results, self.context.durations.save),
            *(self.models.refresh, sync.collect_costs, sync.check_budget),
        ]

    async def reserve(self, **values: object) -> Job:
        """Reserve a job of one small image, unless `values` say otherwise."""
        chosen = {"prompt": "a fox", "resolution": "0.5K", **values}
        job = await self.service.reserve(make_requester(), MODEL, chosen)
        assert job
        return job

    async def begin(self, **values: object) -> Job:
        """Reserve a job and start it."""
        job = await self.reserve(**values)
        self.confirm(job)
        return job

    async def refetch(self, job: Job) -> None:
        """Collect a job's missing images in a new message."""
        self.confirm(await self.service.refetch(make_requester(), job.job_id))

    def confirm(self, job: Job) -> None:
        """Show a job's first response, which starts it."""
        self.service.confirm(job, self.channel.post(job.token))

    async def in_state(self, job: Job, status: JobStatus) -> Job:
        """Wait until a job has this status, and return it."""
        async with asyncio.timeout(1800):
            while (found := await self.jobs.get(job.job_id)).status is not status:  # noqa: ASYNC110 (a database has no event to wait for)
                await asyncio.sleep(1)
        return found

    async def pause(self) -> None:
        """Pause spending, and let the bot notice."""
        await self.pauses.pause()
        await self.context.pause.refresh()

    async def resume(self) -> None:
        """Allow spending again, and let the bot notice."""
        await self.pauses.resume()
        await self.context.pause.refresh()

    async def deliver(self) -> Job:
        """Run a job to its successful end."""
        return await self.in_state(await self.begin(), JobStatus.SUCCEEDED)

    async def lose(self) -> Job:
        """Run a job whose image exists and can't be downloaded yet."""
        self.runcomfy.inject_fault("file", respond(404))
        return await self.in_state(await self.begin(), JobStatus.FAILED)

    async def idle(self) -> None:
        """Wait until no job has a task."""
        await asyncio.gather(*self.runner._tasks.values())

    async def execute(self, statement: str, *values: object) -> None:
        """Change rows behind the bot's back."""
        await self.jobs._database.transaction(lambda connection: connection.execute(statement, values))

    async def check_later(self, hours: int) -> None:
        """Run the periodic checks as if `hours` had passed."""
        await self.grow_older(hours)
        await self.uncollected.check_late_results()
        await self.uncollected.expire_uncollected()

    async def grow_older(self, hours: int) -> None:
        """Move all ends of jobs into the past."""
        time = timedelta(hours=hours) // timedelta(milliseconds=1)
        await self.execute(f"update jobs set {', '.join(f'{name} = {name} - {time}' for name in _AGING)}")  # noqa: S608 (a number)

    async def crash(self) -> None:
        """Stop in the middle of everything, without any cleanup."""
        tasks = {*self.runner._tasks.values(), *self.context.shielded._tasks}
        if self.maintenance._task:
            tasks.add(self.maintenance._task)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._stack.aclose()


@asynccontextmanager
async def running_bot(
    folder: Path,
    channel: Channel | None = None,
    *,
    deadline: timedelta = Bot.deadline,
    maintenance: bool = True,
    catalogue: Catalogue = CATALOGUE,
) -> AsyncIterator[Bot]:
    """Open a bot with its own RunComfy; without `maintenance`, the test calls its duties."""
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = Bot(folder, runcomfy, channel or Channel())
        bot.deadline, bot.catalogue = deadline, Catalogue(catalogue)
        await bot.start()
        if not maintenance:
            bot.maintenance.stop()
        try:
            yield bot
        finally:
            await bot.crash()
