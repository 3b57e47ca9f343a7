"""The composition root: opens everything in reading order, closes it in reverse."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
import discord

import cogs
from bot.clock import Clock
from bot.discord.client import ImagineBot
from bot.discord.delivery import DiscordDelivery
from bot.discord.shards import Sharding, close_reason
from bot.domain.concurrency import ConcurrencyLimits
from bot.domain.quota import Limits
from bot.errors import BusyError, ConfigError
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
from bot.maintenance.kept_files import purge_kept_files, remove_deleted_files
from bot.maintenance.live_models import LiveModels
from bot.maintenance.loop import PeriodicTask
from bot.maintenance.owner_notices import OwnerNotices
from bot.maintenance.uncollected import UncollectedImages
from bot.media import kept, store
from bot.media.kept import KeptFiles
from bot.media.store import FileStore
from bot.models.availability import require_main_multiple
from bot.models.catalogue import Catalogue
from bot.observability.health import HealthChecks
from bot.observability.metrics import Metrics, metrics_trace
from bot.runcomfy.client import RunComfyClient
from bot.runcomfy.download import Downloader
from bot.runcomfy.input_download import DISCORD_FILE_HOSTS, InputDownloader
from bot.runcomfy.proxies import Proxies
from bot.signals import call_on_stop
from bot.storage.costs import CostStore
from bot.storage.database_url import open_database, open_for_lease, open_listener
from bot.storage.durations import DurationStore
from bot.storage.health import HealthStore
from bot.storage.jobs import JobStore
from bot.storage.key_values import KeyValueStore
from bot.storage.live_models import LiveModelStore
from bot.storage.messages import MessageStore
from bot.storage.pause import PauseStore
from bot.storage.privacy import PrivacyStore
from bot.storage.reservations import ReservationStore

if TYPE_CHECKING:
    from bot.config import Config
    from bot.storage.database import Database

_log = logging.getLogger(__name__)
_PAUSE_SECONDS = 1.0
_ERASURES_SECONDS, _OLD_TEXTS_SECONDS = 10.0, 3600.0
_MODELS_SECONDS = 10.0  # short, because commands are missing until their models could be read


async def run(config: Config) -> None:
    """Run the bot until it is asked to stop by a signal; the next start resumes unfinished jobs.

    Raises:
        ConfigError: A setting prevents the bot from starting or staying connected, or the database doesn't
            answer during the start.
    """
    main = asyncio.create_task(_main(config))

    def stop() -> None:
        if not main.cancelling():  # a second signal must not interrupt the cleanup
            main.cancel()

    call_on_stop(asyncio.get_running_loop(), stop)
    try:
        with suppress(asyncio.CancelledError):
            await main
    except BusyError as error:
        raise ConfigError(["DATABASE_URL can't be used: the database didn't answer in time"]) from error


async def _main(config: Config) -> None:
    async with AsyncExitStack() as stack:
        bot, runner, maintenance = await build(config, stack)
        await bot.log_in(config.discord_token.get_secret_value())
        if warning := bot.clock.warning:
            _log.warning("%s", warning)
        await tune_gc()
        await runner.context.files.probe.refresh()
        await runner.resume()
        for task in maintenance:
            task.start()
        connection = asyncio.create_task(bot.connect())
        try:
            await asyncio.shield(connection)
        except discord.ConnectionClosed as error:
            raise ConfigError([close_reason(error.code)]) from error
        except discord.PrivilegedIntentsRequired as error:
            raise ConfigError([close_reason(4014)]) from error
        finally:
            # The gateway stays connected during the cleanup, so that new interactions get an answer.
            bot.is_stopping = True
            _log.info("stopping; the next start resumes unfinished jobs")


async def tune_gc() -> None:
    """Freeze long-lived objects and raise the GC thresholds; a full collection blocks the loop for 0.1 s."""
    await asyncio.sleep(0)  # in a separate step, so that nothing adds to the pause
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 100)
    await asyncio.sleep(0)


async def build(config: Config, stack: AsyncExitStack) -> tuple[ImagineBot, JobRunner, list[PeriodicTask]]:
    """Open everything but the connection to Discord; `stack` closes it in reverse."""
    # So that a broken file stops the start before the migration.
    catalogue = Catalogue.load(named=config.models)
    require_main_multiple(catalogue, has_budget=config.budget_usd is not None)
    metrics, clock = Metrics(), Clock()
    database = await stack.enter_async_context(open_database(config.database_url, clock))
    leases = await stack.enter_async_context(open_for_lease(config.database_url, database))
    session, pictures = [await _open_session(stack, metrics, name) for name in ("runcomfy", "discord")]
    costs = CostStore(database, budget_usd=config.budget_usd)
    bot = _bot(config, database, catalogue, metrics)
    inputs = InputDownloader(pictures, DISCORD_FILE_HOSTS, proxies=Proxies(https=config.discord_proxy))
    context = _context(config, database, bot, leases=leases, session=session, inputs=inputs, metrics=metrics)
    listener = open_listener(config.database_url, database.process_id, context.lease.wake)
    await stack.enter_async_context(listener)
    stack.callback(context.runcomfy.close)
    await context.durations.load()
    stack.push_async_callback(_save, context.durations)
    runner = JobRunner(context)
    service = _service(bot, runner, database, costs)
    deletion = DeletionService(context, MessageStore(database), bot.delete_message)
    erasure = _erasure(config, context, database, deletion)
    notices = OwnerNotices(context.delivery, KeyValueStore(database), database.clock)
    sync = CostSync(context, costs, notices, bot.catalogue, config.budget_alarm)
    models = await _live_models(bot, context, costs, notices, LiveModelStore(database))
    maintenance = _maintenance(runner, deletion, erasure, sync, models)
    if config.health_port is not None:
        health = HealthChecks(bot, context, maintenance, HealthStore(database), costs)
        await _serve_health(stack, health, metrics, str(config.health_host), config.health_port)
    # The stop ends periodic tasks first, then jobs, which still need Discord, then what they use.
    await stack.enter_async_context(bot)
    stack.push_async_callback(bot.audit_log.drain)
    stack.push_async_callback(runner.close)
    for task in maintenance:
        stack.callback(task.stop)
    bot.command_sync.after = asyncio.create_task(models.read_at_start(), name="models at the start")
    stack.callback(bot.command_sync.after.cancel)
    await bot.load_cogs(cogs.EXTENSIONS, service, deletion, erasure)
    return bot, runner, maintenance


async def _serve_health(
    stack: AsyncExitStack, health: HealthChecks, metrics: Metrics, host: str, port: int
) -> None:
    from bot.observability.server import HealthServer  # noqa: PLC0415 (aiohttp.web takes 1.3 MB of memory)

    await stack.enter_async_context(HealthServer(health, metrics).serve(host, port))


def _service(bot: ImagineBot, runner: JobRunner, database: Database, costs: CostStore) -> JobService:
    settings, quotas = bot.settings_store, bot.quota_store
    reservations = ReservationStore(database, settings=settings, quotas=quotas, costs=costs)
    jobs = JobStore(database)  # whose callers hear of a busy database
    return JobService(runner, jobs=jobs, reservations=reservations, catalogue=bot.catalogue)


def _erasure(
    config: Config, context: StepContext, database: Database, deletion: DeletionService
) -> ErasureService:
    days = config.prompts_days
    text_age = None if days is None else timedelta(days=days)
    return ErasureService(context, PrivacyStore(database), deletion, text_age)


async def _open_session(stack: AsyncExitStack, metrics: Metrics, service: str) -> aiohttp.ClientSession:
    # Without cookies: nothing here needs them, and a host could set any number of them.
    session = aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[metrics_trace(metrics, service)]
    )
    return await stack.enter_async_context(session)


def _bot(config: Config, database: Database, catalogue: Catalogue, metrics: Metrics) -> ImagineBot:
    owners = Limits(
        member=config.default_quota,
        ceiling=config.max_quota,
        pool=config.default_pool,
        pool_ceiling=config.max_pool,
        budget=config.budget,
    )
    return ImagineBot(
        database,
        catalogue,
        owners,
        metrics,
        kept_files=_kept_files(config),
        guild_ids=config.guilds,
        proxy=config.discord_proxy,
        sharding=Sharding(config.shard_count, config.shard_ids),
    )


def _context(
    config: Config,
    database: Database,
    bot: ImagineBot,
    *,
    leases: Database,
    session: aiohttp.ClientSession,
    inputs: InputDownloader,
    metrics: Metrics,
) -> StepContext:
    poll_limiter = PollRateLimiter(config.max_polls_per_second)
    limits = ConcurrencyLimits(config.max_jobs, config.max_jobs_per_user, config.max_jobs_per_guild)
    delivery = DiscordDelivery(bot, lambda: lease.is_held)
    queue = FairQueue(limits, delivery.show_progress)
    lease = Lease(leases, Shares(queue, poll_limiter, bot.rate_limiter))
    return StepContext(
        jobs=JobStore(RetryingDatabase(database), limits),
        runcomfy=_runcomfy(config, session, lease),
        downloader=Downloader(session, config.runcomfy_file_hosts, proxies=config.proxies),
        inputs=inputs,
        delivery=delivery,
        files=bot.kept_files.files,
        kept=bot.kept_files,
        durations=DurationStore(database),
        queue=queue,
        pause=SpendingPause(PauseStore(database), queue),
        poll_limiter=poll_limiter,
        tracker=JobTracker(metrics, database.clock),
        clock=database.clock,
        lease=lease,
        file_inputs=config.file_inputs,
        deadline=timedelta(seconds=config.deadline_seconds),
    )


def _runcomfy(config: Config, session: aiohttp.ClientSession, lease: Lease) -> RunComfyClient:
    return RunComfyClient(
        session,
        api_url=str(config.runcomfy_api_url),
        token=config.runcomfy_token.get_secret_value(),
        proxies=config.proxies,
        is_lease_held=lambda: lease.is_held,
    )


def _kept_files(config: Config) -> KeptFiles:
    folder = config.files_root
    files = FileStore(
        folder / store.FOLDER_NAME,
        max_bytes=int(config.files_max_gb * 10**9),
        max_age=timedelta(days=config.files_days),
    )
    return KeptFiles(
        files,
        folder / kept.FOLDER_NAME,
        max_bytes=int(config.originals_max_gb * 10**9),
        max_age=timedelta(days=config.originals_days),
    )


async def _save(durations: DurationStore) -> None:
    with suppress(BusyError):  # the next start only has to measure the last minute's jobs again
        await durations.save()


async def _live_models(
    bot: ImagineBot, context: StepContext, costs: CostStore, notices: OwnerNotices, store: LiveModelStore
) -> LiveModels:
    models = LiveModels(
        context.runcomfy, bot.catalogue, store, costs, notices, context.clock, bot.command_sync.start
    )
    await models.load()
    return models


def _maintenance(
    runner: JobRunner,
    deletion: DeletionService,
    erasure: ErasureService,
    sync: CostSync,
    models: LiveModels,
) -> list[PeriodicTask]:
    context, uncollected = runner.context, UncollectedImages(runner)
    task, duty = partial(PeriodicTask, clock=context.clock), context.lease.duty
    purge = partial(purge_kept_files, context)
    remove_deleted = partial(remove_deleted_files, context, deletion.messages)
    return [
        # In each process:
        task("files", context.files.probe.refresh, uncollected.purge_files),
        task("kept files", purge, remove_deleted),
        task("models", models.refresh, interval=_MODELS_SECONDS),
        task("pause", context.pause.refresh, interval=_PAUSE_SECONDS),
        task("durations", context.durations.refresh),
        task("forgotten jobs", partial(context.lease.adopt_forgotten, runner)),
        # In one of those that share a database:
        task("expiry", duty("expiry", uncollected.expire_uncollected)),
        task("deletions", duty("deletions", deletion.retry_pending)),
        task("erasures", duty("erasures", erasure.run), interval=_ERASURES_SECONDS),
        task("old texts", duty("old texts", erasure.remove_old_texts), interval=_OLD_TEXTS_SECONDS),
        task(
            "late results",
            uncollected.check_stored_results,  # in each process
            duty("late results", uncollected.check_late_results),
        ),
        task("costs", duty("costs", sync.collect_costs), duty("budget", sync.check_budget)),
    ]
