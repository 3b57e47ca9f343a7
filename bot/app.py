"""The composition root: opens everything in reading order, closes it in reverse."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
import discord
import stamina

import cogs
from bot.discord.audit_log import AuditLog
from bot.discord.client import ImagineBot
from bot.discord.delivery import DiscordDelivery
from bot.discord.message_deletion import delete_message
from bot.discord.response_validation import DISCORD_NETWORK_ERRORS
from bot.errors import BusyError, ConfigError
from bot.jobs.fair_queue import ConcurrencyLimits
from bot.jobs.poll_interval import PollRateLimiter
from bot.jobs.runner import JobRunner
from bot.jobs.service import JobService
from bot.jobs.tracker import JobTracker
from bot.maintenance.cost_sync import CostSync
from bot.maintenance.deletion import DeletionService
from bot.maintenance.loop import MaintenanceLoop
from bot.media.store import FOLDER_NAME, FileStore
from bot.models.catalogue import Catalogue
from bot.observability.http_trace import metrics_trace
from bot.observability.meter import Meter
from bot.runcomfy import Downloader, RunComfyClient
from bot.storage.costs import CostStore
from bot.storage.database import open_database
from bot.storage.durations import DurationStore
from bot.storage.guild_settings import GuildSettingsStore
from bot.storage.jobs import JobStore
from bot.storage.key_values import KeyValueStore
from bot.storage.messages import MessageStore
from bot.storage.quotas import OwnerQuotas, QuotaStore
from bot.storage.reports import ReportStore
from bot.storage.reservations import ReservationStore

if TYPE_CHECKING:
    from bot.config import Config
    from bot.observability.watch import HealthServer
    from bot.storage.database import Database

_log = logging.getLogger(__name__)
_REJECTED_LOGIN = "DISCORD_TOKEN is rejected by Discord: copy it anew from its developer portal"
_LOGIN_TIMEOUT_SECONDS = 600.0
FATAL_CLOSE_CODES = {4004: _REJECTED_LOGIN}  # of the gateway; reconnecting does not help


async def run(config: Config) -> None:
    """Be the bot until SIGTERM or SIGINT; jobs that are under way then are taken up by the next start.

    Raises:
        ConfigError: A setting keeps the bot from starting or going on.
    """
    being = asyncio.create_task(_main(config))

    def stop() -> None:
        if not being.cancelling():  # a second signal must not cut the first one's clean-up short
            being.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with suppress(asyncio.CancelledError):
        await being


async def _main(config: Config) -> None:
    async with AsyncExitStack() as stack:
        bot, runner = await build(config, stack)
        await _log_in(bot, config.discord_token.get_secret_value())
        if warning := bot.clock.warning:
            _log.warning("%s", warning)
        await tune_gc()
        await runner.files.probe.refresh()
        await runner.resume()
        connection = asyncio.create_task(bot.connect())
        try:
            await asyncio.shield(connection)
        except discord.ConnectionClosed as error:
            raise ConfigError(
                [
                    FATAL_CLOSE_CODES.get(
                        error.code, f"Discord has closed the connection with code {error.code}"
                    )
                ]
            ) from error
        finally:
            # The gateway stays open meanwhile, so that whoever presses now is told.
            bot.is_stopping = True
            _log.info("stopping; jobs under way go on at the next start")


async def tune_gc() -> None:
    """Freeze long-lived objects and raise the GC thresholds."""
    await asyncio.sleep(0)  # a step of the loop of its own, as it goes through all that was made since
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 100)
    await asyncio.sleep(0)


async def build(config: Config, stack: AsyncExitStack) -> tuple[ImagineBot, JobRunner]:
    """Open everything but the connection to Discord; `stack` closes it in reverse."""
    catalogue, watch = Catalogue.load(), _watch(config)
    tracker = JobTracker(watch.meter if watch else Meter())
    database = await stack.enter_async_context(open_database(config.database_url))
    session = aiohttp.ClientSession(trace_configs=[metrics_trace(tracker.meter)])
    runcomfy = _runcomfy(config, await stack.enter_async_context(session), stack)
    jobs, key_values = JobStore(database), KeyValueStore(database)
    costs = CostStore(database, budget_usd=config.budget_usd)
    bot = _bot(config, database, catalogue, tracker.meter)
    bot.audit_log = AuditLog(bot)
    delivery, files = DiscordDelivery(bot, bot.audit_log), _files(config)
    bot.deletion_service = DeletionService(jobs, MessageStore(database), files, partial(delete_message, bot))
    sync = CostSync(
        costs, key_values, runcomfy, delivery, model_ids=catalogue, alert_percent=config.budget_alarm
    )
    durations = await _durations(database, stack)
    runner = JobRunner(
        jobs=jobs,
        runcomfy=runcomfy,
        downloader=Downloader(session, config.runcomfy_file_hosts, proxies=config.proxies),
        delivery=delivery,
        files=files,
        maintenance=_maintenance(
            bot, jobs, sync, runcomfy=runcomfy, files=files, durations=durations, delivery=delivery
        ),
        tracker=tracker,
        limits=ConcurrencyLimits(config.max_jobs, config.max_jobs_per_user, config.max_jobs_per_guild),
        durations=durations,
        poll_rate=PollRateLimiter(config.max_looks_per_second),
        deadline=timedelta(seconds=config.deadline_seconds),
    )
    bot.job_service = _job_service(bot, database, costs, runcomfy, runner)
    if watch:
        await stack.enter_async_context(watch.serve(bot, runner, runcomfy, database, costs))
    await stack.enter_async_context(bot)
    stack.push_async_callback(bot.audit_log.drain)
    stack.push_async_callback(runner.close)
    return bot, runner


def _job_service(
    bot: ImagineBot,
    database: Database,
    costs: CostStore,
    runcomfy: RunComfyClient,
    runner: JobRunner,
) -> JobService:
    jobs = JobStore(database)
    orders = ReservationStore(
        database, jobs=jobs, guilds=bot.settings_store, quotas=bot.quota_store, costs=costs
    )
    return JobService(jobs=jobs, orders=orders, catalogue=bot.catalogue, runcomfy=runcomfy, runner=runner)


def _maintenance(
    bot: ImagineBot,
    jobs: JobStore,
    cost_sync: CostSync,
    *,
    runcomfy: RunComfyClient,
    files: FileStore,
    durations: DurationStore,
    delivery: DiscordDelivery,
) -> MaintenanceLoop:
    return MaintenanceLoop(
        jobs=jobs,
        runcomfy=runcomfy,
        files=files,
        cost_sync=cost_sync,
        deletion=bot.deletion_service,
        durations=durations,
        delivery=delivery,
    )


async def _durations(database: Database, stack: AsyncExitStack) -> DurationStore:
    durations = DurationStore(database)
    await durations.load()

    async def save() -> None:
        with suppress(BusyError):  # the next start only has to measure the last minute's jobs again
            await durations.save()

    stack.push_async_callback(save)
    return durations


def _watch(config: Config) -> HealthServer | None:
    if config.health_port is None:
        return None
    from bot.observability.watch import HealthServer  # noqa: PLC0415 (who does not use it does not pay for it in memory)

    return HealthServer(config.health_host, config.health_port)


def _runcomfy(config: Config, session: aiohttp.ClientSession, stack: AsyncExitStack) -> RunComfyClient:
    token = config.runcomfy_token.get_secret_value()
    client = RunComfyClient(session, api_url=config.runcomfy_api_url, token=token, proxies=config.proxies)
    stack.callback(client.close)
    return client


def _bot(config: Config, database: Database, catalogue: Catalogue, meter: Meter) -> ImagineBot:
    return ImagineBot(
        catalogue=catalogue,
        quotas=QuotaStore(database, _owners_quotas(config)),
        reports=ReportStore(database),
        guilds=GuildSettingsStore(database),
        key_values=KeyValueStore(database),
        guild_ids=config.guilds,
        extensions=cogs.EXTENSIONS,
        proxy=config.discord_proxy,
        meter=meter,
    )


def _owners_quotas(config: Config) -> OwnerQuotas:
    return OwnerQuotas(
        default=config.default_quota,
        ceiling=config.max_quota,
        pool=config.default_pool,
        pool_ceiling=config.max_pool,
        budget=config.budget,
    )


def _files(settings: Config) -> FileStore:
    return FileStore(
        settings.database_url.parent / FOLDER_NAME,
        max_bytes=int(settings.files_max_gb * 10**9),
        max_age=timedelta(days=settings.files_days),
    )


async def _log_in(bot: ImagineBot, token: str) -> None:
    try:
        async for attempt in stamina.retry_context(
            on=_is_transient, attempts=None, timeout=_LOGIN_TIMEOUT_SECONDS, wait_initial=1, wait_max=60
        ):
            with attempt:
                if attempt.num > 1:
                    await bot.reset_session()
                await _try_to_log_in(bot, token)
    except discord.LoginFailure as error:
        raise ConfigError([_REJECTED_LOGIN]) from error
    except discord.HTTPException as error:
        raise ConfigError([f"Discord does not let the bot start: {error}"]) from error
    except DISCORD_NETWORK_ERRORS as error:
        raise ConfigError([_unreachable(error)]) from error


async def _try_to_log_in(bot: ImagineBot, token: str) -> None:
    try:
        await bot.login(token)
    except discord.HTTPException as error:
        if _is_transient(error):
            _log.warning("Discord answers HTTP %d; trying to log in again", error.status)
        raise
    except DISCORD_NETWORK_ERRORS as error:
        if _is_transient(error):
            _log.warning("%s; trying to log in again", _unreachable(error))
        raise


def _unreachable(error: Exception) -> str:
    return f"Discord cannot be reached ({type(error).__name__}): check the network and DISCORD_PROXY"


def _is_transient(error: Exception) -> bool:
    """Whether a later login can succeed: Discord has trouble, or the network is not up yet."""
    if isinstance(error, discord.HTTPException | aiohttp.ClientHttpProxyError):
        return error.status >= 500 or error.status == 429
    return isinstance(error, DISCORD_NETWORK_ERRORS) and not isinstance(error, aiohttp.InvalidURL)
