"""The greeting that a server gets once, when it first adds the bot."""

import logging

import discord
from discord.ext import commands

from bot.discord.client import ImagineBot
from bot.discord.errors import DISCORD_ERRORS
from bot.discord.requester import missing_permissions
from bot.discord.responses import send_with_nonce
from bot.errors import BusyError
from bot.i18n import translate

_log = logging.getLogger(__name__)
_PERMISSIONS = ("view_channel", "send_messages")


class Greeting(commands.Cog):
    """Introduces the bot in the system channel of a server that it has never joined before."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Greet a server, unless it had its greeting or the bot can't write in its system channel.

        The `guilds` intent is enough: the event's guild has the system channel, all roles and overwrites, and
        the bot's own member. A guild that only becomes available again is no join.
        """
        channel = guild.system_channel
        if channel is None or not self._bot.is_allowed_guild(guild.id):
            return
        if missing_permissions(channel.permissions_for(guild.me), _PERMISSIONS):
            return
        try:
            if await self._is_first(guild.id):
                await self._greet(channel, guild.preferred_locale.value)
        except (BusyError, *DISCORD_ERRORS) as error:
            _log.warning("server %d: could not post the greeting: %s", guild.id, error)

    async def _is_first(self, guild_id: int) -> bool:
        """Record the greeting before it is sent: after a kill in between, none is better than two."""
        name = f"greeting of server {guild_id}"
        if await self._bot.key_values.get(name):
            return False
        await self._bot.key_values.set(name, "sent")
        return True

    async def _greet(self, channel: discord.TextChannel, locale: str) -> None:
        names = {"imagine": "imagine", "help": "help", "settings": "settings", "quota": "quota set"}
        mentions = {each: self._bot.command_sync.mention(name) for each, name in names.items()}
        text = translate("greeting", locale, **mentions)
        await send_with_nonce(lambda nonce: channel.send(text, nonce=nonce))
