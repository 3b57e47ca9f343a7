"""The bot as Discord sees it: intents, commands, and when Discord is told of them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.charts.process import ChartRenderer
from bot.discord import gateway
from bot.discord.command_sync import CommandSync
from bot.discord.connector import TIMEOUT, Connector, remove_total_timeout
from bot.discord.duplicate_process import DuplicateProcessDetector
from bot.discord.rate_limiter import DiscordRateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from bot.discord.audit_log import AuditLog
    from bot.discord.clock import DiscordClock
    from bot.jobs.service import JobService
    from bot.maintenance.deletion import DeletionService
    from bot.models.catalogue import Catalogue
    from bot.observability.metrics import Metrics
    from bot.storage.guild_settings import GuildSettingsStore
    from bot.storage.key_values import KeyValueStore
    from bot.storage.quotas import QuotaStore
    from bot.storage.reports import ReportStore

_log = logging.getLogger(__name__)
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # this bot never speaks

# Each that is under way has a connection of its own; opening hundreds of them would cost a burst of orders
# more than the responses themselves, and some would come after Discord's three seconds.
_RESPONSES_AT_ONCE = 50

REQUIRED_PERMISSIONS = discord.Permissions(view_channel=True, embed_links=True, attach_files=True)
"""The least that the bot needs in a channel: to see it, and to post embeds and files there."""

_CONTEXTS = app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False)


gateway.install()


class _Tree(app_commands.CommandTree[Any]):
    """A tree that doesn't run a command with options that it doesn't have."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Refuse options of an older version, which discord.py would silently ignore.

        Raises:
            CommandSignatureMismatch: Such an option was given.
        """
        command = interaction.command
        if isinstance(command, app_commands.Command):
            known = {parameter.display_name for parameter in command.parameters}
            if any(name not in known for name, _ in interaction.namespace):
                raise app_commands.CommandSignatureMismatch(command)
        return True


class ImagineBot(commands.Bot):
    """A client for slash commands and buttons in servers, with what the cogs need as typed attributes."""

    audit_log: AuditLog
    """Set like `jobs`."""
    job_service: JobService
    """Set by `bot.app` before the login: the service delivers through this very client."""
    deletion_service: DeletionService
    """Set with it."""
    is_stopping = False
    """Set before the close: nothing new is begun any more."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        quotas: QuotaStore,
        reports: ReportStore,
        guilds: GuildSettingsStore,
        key_values: KeyValueStore,
        guild_ids: frozenset[int],
        extensions: Sequence[str],
        proxy: str | None,
        metrics: Metrics,
        connector: Callable[..., Connector] = Connector,
    ) -> None:
        self.rate_limiter = DiscordRateLimiter(metrics)
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
        remove_total_timeout(self.http)
        self.catalogue = catalogue
        self.quota_store, self.report_store = quotas, reports
        self.charts = ChartRenderer()
        self.settings_store = guilds
        """What each server's managers have set."""
        self.command_sync = CommandSync(self, key_values)
        self._guild_ids = guild_ids
        self.duplicate_process = DuplicateProcessDetector()
        self.response_slots = asyncio.Semaphore(_RESPONSES_AT_ONCE)
        self._startup_extensions = extensions
        self._proxy, self._connector = proxy, connector
        self._webhooks: aiohttp.ClientSession | None = None

    @property
    def clock(self) -> DiscordClock:
        """Discord's time."""
        return self.rate_limiter.clock

    def is_allowed_guild(self, guild_id: int) -> bool:
        """Whether the owner lets this server use the bot."""
        return not self._guild_ids or guild_id in self._guild_ids

    async def timezone(self, guild_id: int) -> tzinfo:
        """Whose calendar a server's hours, days, weeks and months go by."""
        return (await self.settings_store.get(guild_id)).zone

    def interaction_webhook(self, token: str) -> discord.Webhook:
        """The webhook of an interaction, known by its token alone, so that it works after a restart too."""
        if self._webhooks is None:
            # Webhook.partial does not take the client's proxy and trace over, so the session brings them.
            self._webhooks = aiohttp.ClientSession(
                proxy=self._proxy,
                trace_configs=[self.rate_limiter.trace_config()],
                connector=self._connector(),
                timeout=TIMEOUT,
            )
        return discord.Webhook.partial(self.application_id or 0, token, session=self._webhooks, client=self)

    async def reset_session(self) -> None:
        """Make room for another login, which opens a session of its own, and its connector with it."""
        await self.http.close()
        self.http.connector = self._connector(limit=0)

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        """Tell listeners of an event; once the bot closes, discord.py would break on one that comes late."""
        if not self.is_closed():
            super().dispatch(event_name, *args, **kwargs)

    async def close(self) -> None:
        """Leave Discord; nothing can be edited afterwards."""
        self.command_sync.stop()
        await super().close()
        if self._webhooks is not None:
            await self._webhooks.close()

    async def setup_hook(self) -> None:
        """Load the cogs, and start syncing the commands in the background."""
        for extension in self._startup_extensions:
            if extension not in self.extensions:  # a login may be repeated
                await self.load_extension(extension)
                await asyncio.sleep(0)  # together they would keep the event loop for a tenth of a second
        self.command_sync.start()
        _log.info(
            "invite link: %s",
            discord.utils.oauth_url(self.application_id or 0, permissions=REQUIRED_PERMISSIONS),
        )

    async def on_ready(self) -> None:
        """Say that the bot can be used."""
        _log.info("ready as %s on %d servers", self.user, len(self.guilds))
        if not self.command_sync.is_done:
            _log.info("Discord's list of commands is still being brought up to date")
