"""The Discord client: login, connection, rate limits, command sync, and what the cogs share."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.charts.process import ChartRenderer
from bot.discord import gateway
from bot.discord.audit_log import AuditLog
from bot.discord.command_sync import CommandSync
from bot.discord.confirmation import Confirmations
from bot.discord.connector import TIMEOUT, Connector
from bot.discord.error_handler import handle_error
from bot.discord.errors import DISCORD_ERRORS, DISCORD_NETWORK_ERRORS, is_transient
from bot.discord.identify import IDENTIFY_SECONDS, IdentifyTurns
from bot.discord.rate_limiter import DiscordRateLimiter
from bot.discord.requester import REQUIRED_PERMISSIONS
from bot.discord.responses import delete_with_retry
from bot.discord.retry import retry
from bot.discord.shards import RECOMMENDED, REJECTED, Sharding, fetch_gateway_info
from bot.errors import ConfigError
from bot.storage.claims import ClaimStore
from bot.storage.guild_settings import GuildSettingsStore
from bot.storage.key_values import KeyValueStore
from bot.storage.quotas import QuotaStore
from bot.storage.reports import ReportStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import tzinfo

    from bot.discord.views.job_buttons import JobActionHandler, JobFormHandler
    from bot.domain.job import MessageRef
    from bot.domain.quota import Limits
    from bot.jobs.service import JobService
    from bot.maintenance.deletion import DeletionService
    from bot.maintenance.erasure import ErasureService
    from bot.media.kept import KeptFiles
    from bot.models.catalogue import Catalogue
    from bot.observability.metrics import Metrics
    from bot.storage.database import Database

_log = logging.getLogger(__name__)

# Each response in flight needs its own connection. Opening hundreds at once would cost a burst of requests
# more than the responses themselves, and some would miss Discord's three seconds.
_RESPONSE_SLOTS = 50

_LOGIN_SECONDS = 600.0
_CONNECTING = timedelta(seconds=10)  # from the start of the turn to the identify; it rarely takes longer

_CONTEXTS = app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False)

gateway.install()
# The bot never uses voice, so discord.py's warning about missing voice libraries is dropped.
logging.getLogger("discord.client").addFilter(lambda record: "voice will NOT" not in str(record.msg))


class _Tree(app_commands.CommandTree[Any]):
    """A command tree that refuses unreadable data, and options that a command doesn't have."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Refuse data that discord.py can't parse, and an older version's options, which it would ignore.

        Raises:
            CommandSignatureMismatch: Such an option was given.
        """
        try:
            command, given = interaction.command, {name for name, _ in interaction.namespace}
        except gateway.PARSE_ERRORS as error:
            await handle_error(interaction, app_commands.AppCommandError(type(error).__name__))
            return False
        if isinstance(command, app_commands.Command):
            known = {parameter.display_name for parameter in command.parameters}
            if not given <= known:
                raise app_commands.CommandSignatureMismatch(command)
        return True


class ImagineBot(commands.AutoShardedBot):
    """The client for servers; the services of the cogs are typed attributes."""

    is_stopping = False
    """Set before the close; new interactions are refused from then on."""

    _is_duplicate_logged = False

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        owner_limits: Limits,
        metrics: Metrics,
        *,
        kept_files: KeptFiles,
        guild_ids: frozenset[int],
        proxy: str | None,
        sharding: Sharding = RECOMMENDED,
        connector: Callable[..., Connector] = Connector,
    ) -> None:
        self.rate_limiter = DiscordRateLimiter(metrics, database.clock)
        self.clock = self.rate_limiter.clock  # Discord's time
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=_Tree,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=_CONTEXTS,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            proxy=proxy,
            http_trace=self.rate_limiter.trace_config(),
            connector=connector(limit=0),
        )
        self.catalogue, self.kept_files = catalogue, kept_files
        self.quota_store, self.report_store = QuotaStore(database, owner_limits), ReportStore(database)
        self.settings_store = GuildSettingsStore(database)
        self.charts, self.audit_log = ChartRenderer(), AuditLog(self, self.settings_store)
        self.key_values, self.claims = KeyValueStore(database), ClaimStore(database)
        self.confirmations, self.identify_turns = Confirmations(), IdentifyTurns(self._turn_to_identify)
        self.command_sync = CommandSync(self, self.key_values, self.claims, lambda: catalogue.hidden_commands)
        self._duplicate_signs: Counter[str] = Counter()
        self.job_actions: dict[str, JobActionHandler] = {}
        """The handler of each button under a job; the cogs fill it, and the next."""
        self.job_forms: dict[str, JobFormHandler] = {}
        self._guild_ids, self._connector, self._sharding = guild_ids, connector, sharding
        self._sessions, self.response_slots = AsyncExitStack(), asyncio.Semaphore(_RESPONSE_SLOTS)

    async def log_in(self, token: str) -> None:
        """Log in and choose the shards; retry for ten minutes while Discord or the network is down.

        Raises:
            ConfigError: Discord rejects the token, cannot be reached, or allows no more connections today.
        """

        async def try_once() -> None:
            try:
                await self.login(token)
            except DISCORD_ERRORS as error:
                if is_login_retryable(error):
                    _log.warning("%s; trying to log in again", _login_failure(error))
                    await self.http.close()  # the next login opens another session
                    self.http.connector = self._connector(limit=0)
                raise

        patience: Any = {"attempts": None, "seconds": _LOGIN_SECONDS, "pauses": (1, 60)}
        try:
            await retry(try_once, on=is_login_retryable, **patience)
            await retry(self._choose_shards, on=is_login_retryable, **patience)
        except discord.LoginFailure as error:
            raise ConfigError([REJECTED]) from error
        except discord.HTTPException as error:
            raise ConfigError([f"Discord refused the login: {error}"]) from error
        except DISCORD_NETWORK_ERRORS as error:
            raise ConfigError([_login_failure(error)]) from error
        invite = discord.utils.oauth_url(self.application_id or 0, permissions=REQUIRED_PERMISSIONS)
        _log.info("invite link: %s", invite)

    async def _choose_shards(self) -> None:
        info = await fetch_gateway_info(self.http)
        self.shard_count = self._sharding.count or info.recommended_shards
        self.shard_ids = [*self._sharding.ids] or None
        self.identify_turns.max_concurrency = info.max_concurrency
        info.require_identifies(len(self.shard_ids or range(self.shard_count)))
        if info.warning:
            _log.warning("%s", info.warning)

    def _turn_to_identify(self, bucket: int) -> AbstractAsyncContextManager[None]:
        pause = timedelta(seconds=IDENTIFY_SECONDS)
        return self.claims.turn(f"identify {bucket}", most=_CONNECTING, pause=pause)

    async def load_cogs(
        self,
        extensions: Sequence[str],
        job_service: JobService,
        deletion_service: DeletionService,
        erasure_service: ErasureService,
    ) -> None:
        """Load the cogs with the services they call; those deliver through this client, so it comes first."""
        self.job_service = job_service
        self.deletion_service = deletion_service
        self.erasure_service = erasure_service
        for extension in extensions:
            await self.load_extension(extension)

    def is_allowed_guild(self, guild_id: int) -> bool:
        """Return whether the bot's owner lets this server use the bot."""
        return not self._guild_ids or guild_id in self._guild_ids

    async def timezone(self, guild_id: int) -> tzinfo:
        """Return the time zone of a server's hours, days, weeks and months."""
        return (await self.settings_store.get(guild_id)).zone

    def interaction_webhook(self, token: str) -> discord.Webhook:
        """Return the webhook of an interaction by its token alone, so that it works after a restart too."""
        return discord.Webhook.partial(self.application_id or 0, token, session=self._webhooks, client=self)

    def record_duplicate_sign(self, sign: str, *, after: int = 1) -> None:
        """Record a sign of another process with the same token; log the first one seen `after` times."""
        self._duplicate_signs[sign] += 1
        if self._duplicate_signs[sign] == after and not self._is_duplicate_logged:
            self._is_duplicate_logged = True
            _log.warning("%s: %s", sign, gateway.DUPLICATE_PROCESS)

    async def delete_message(self, message: MessageRef) -> None:
        """Delete a message of this bot; one that no longer exists counts as deleted.

        Raises:
            NotRemovedError: Discord refuses, or still has trouble after three attempts.
        """
        channel = self.get_partial_messageable(message.channel_id)
        await delete_with_retry(channel.get_partial_message(message.message_id).delete)

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        """Dispatch an event, unless the client is closed: then discord.py would raise."""
        if not self.is_closed():
            super().dispatch(event_name, *args, **kwargs)

    async def close(self) -> None:
        """Leave Discord; nothing can be edited afterwards."""
        self.command_sync.stop()
        await super().close()
        await self._sessions.aclose()

    async def setup_hook(self) -> None:
        """Prepare what needs the application's id, which the login has told."""
        # Webhook.partial takes over neither the client's proxy nor its trace, so the session has them.
        session = aiohttp.ClientSession(
            proxy=self.http.proxy,
            trace_configs=[self.rate_limiter.trace_config()],
            connector=self._connector(),
            timeout=TIMEOUT,
        )
        self._webhooks = await self._sessions.enter_async_context(session)
        self.command_sync.start()

    async def on_ready(self) -> None:
        """Log that the bot can be used."""
        _log.info("ready as %s (servers: %d, shards: %d)", self.user, len(self.guilds), len(self.shards))
        if not self.command_sync.is_done:
            _log.info("Discord's list of commands is not up to date yet")


Interaction: TypeAlias = discord.Interaction[ImagineBot]
"""An interaction of this bot."""


def is_login_retryable(error: Exception) -> bool:
    """Return whether a later login can succeed, which a wrong DISCORD_PROXY rules out."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return error.status >= 500 or error.status == 429
    return is_transient(error) and not isinstance(error, aiohttp.InvalidURL)


def _login_failure(error: Exception) -> str:
    if isinstance(error, discord.HTTPException):
        return f"Discord returned HTTP {error.status}"
    return f"Discord cannot be reached ({type(error).__name__}): check the network and DISCORD_PROXY"
