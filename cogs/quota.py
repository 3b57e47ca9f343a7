"""/usage for members, /quota for managers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.errors import ForbiddenHereError, QuotaTooHighError
from bot.i18n import translate
from bot.quotas import LIMIT_MAX, Period, Quota, Usage, is_within
from bot.storage.quotas import EVERYBODY
from cogs._errors import whisper
from cogs._render import timestamp
from cogs._requester import may, requester

if TYPE_CHECKING:
    from bot.client import ImagineBot
    from bot.records import Requester

_BAR = 10
_RULES_SHOWN = 30  # a line is below 60 characters in every language, a message takes 2000


class Quotas(commands.Cog):
    """Shows what is left, and lets those who manage a server say who may spend how much."""

    quota = app_commands.Group(
        name="quota",
        description="…",  # see cogs.translation
        default_permissions=discord.Permissions(manage_guild=True),
        guild_only=True,
    )

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot

    @app_commands.command()
    async def usage(self, interaction: discord.Interaction[Any]) -> None:
        """What the member has used of each limit that binds them."""
        asker = requester(interaction)
        usages = await self._bot.quotas.usage(asker.guild_id, asker.user_id)
        lines = [_usage_line(usage, asker.locale) for usage in usages]
        await whisper(interaction, "\n".join(lines) or translate("usage-unlimited", asker.locale))

    @quota.command(name="set")
    async def set_(
        self,
        interaction: discord.Interaction[Any],
        limit: app_commands.Range[int, 0, LIMIT_MAX],
        per: Literal["hour", "day", "week", "month"],
        who: discord.User | None = None,
    ) -> None:
        """Put a rule in place of the one that the target had."""
        asker = _manager(interaction)
        quota = Quota(limit, Period(per))
        ceiling = self._bot.quotas.ceiling
        if not is_within(quota, ceiling):
            raise QuotaTooHighError(maximum=_quota(ceiling, asker.locale))
        await self._bot.quotas.set_rule(
            asker.guild_id, who.id if who else EVERYBODY, quota, set_by=asker.user_id
        )
        key = "quota-set-member" if who else "quota-set-everybody"
        await whisper(
            interaction, translate(key, asker.locale, quota=_quota(quota, asker.locale), member=_mention(who))
        )

    @quota.command()
    async def clear(self, interaction: discord.Interaction[Any], who: discord.User | None = None) -> None:
        """Remove a rule and say what holds without it."""
        asker = _manager(interaction)
        target = who.id if who else EVERYBODY
        is_cleared = await self._bot.quotas.clear_rule(asker.guild_id, target)
        limits = await self._bot.quotas.limits(asker.guild_id, target)
        key = "quota-cleared-member" if who else "quota-cleared-everybody"
        text = translate(
            key if is_cleared else "quota-nothing-to-clear",
            asker.locale,
            quota=_quota(limits.member, asker.locale),
            member=_mention(who),
        )
        await whisper(interaction, text)

    @quota.command()
    async def show(self, interaction: discord.Interaction[Any]) -> None:
        """Every rule of this server, and what the bot's owner allows."""
        asker = _manager(interaction)
        rules = await self._bot.quotas.rules(asker.guild_id)
        everybody = await self._bot.quotas.limits(asker.guild_id, EVERYBODY)
        key = "quota-show-everybody" if EVERYBODY in rules else "quota-show-default"
        lines = [translate(key, asker.locale, quota=_quota(everybody.member, asker.locale))]
        members = [(user_id, quota) for user_id, quota in rules.items() if user_id != EVERYBODY]
        lines += [
            translate(
                "quota-show-member", asker.locale, member=f"<@{user_id}>", quota=_quota(quota, asker.locale)
            )
            for user_id, quota in members[:_RULES_SHOWN]
        ]
        if len(members) > _RULES_SHOWN:
            lines.append(translate("quota-show-more", asker.locale, count=len(members) - _RULES_SHOWN))
        ceiling = _quota(self._bot.quotas.ceiling, asker.locale)
        lines.append(translate("quota-show-ceiling", asker.locale, quota=ceiling))
        await whisper(interaction, "\n".join(lines))


def _manager(interaction: discord.Interaction[Any]) -> Requester:
    # A server's admins can hand a command to anybody in Discord's settings; money stays with its managers.
    asker = requester(interaction)
    if not may(interaction.permissions, "manage_guild"):
        raise ForbiddenHereError
    return asker


def _usage_line(usage: Usage, locale: str) -> str:
    limit = usage.quota.limit
    filled = min(_BAR, usage.used * _BAR // limit) if limit else _BAR
    return translate(
        "usage-line",
        locale,
        period=translate(f"usage-{usage.quota.per}", locale),
        used=usage.used,
        limit=limit,
        left=usage.left,
        bar="▰" * filled + "▱" * (_BAR - filled),
        resets=timestamp(usage.resets_at),
    )


def _quota(quota: Quota | None, locale: str) -> str:
    if quota is None:
        return translate("unlimited", locale)
    return translate("quota-of", locale, limit=quota.limit, per=quota.per)


def _mention(who: discord.User | None) -> str:
    return who.mention if who else ""


async def setup(bot: ImagineBot) -> None:
    """Add the commands."""
    await bot.add_cog(Quotas(bot))
