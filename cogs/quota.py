"""/quota: who may spend how much on a server, as its managers say."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.errors import ForbiddenHereError, QuotaTooHighError
from bot.i18n import translate
from bot.limits import EVERYBODY, POOL, Kind, Target
from bot.quotas import LIMIT_MAX, Period, Quota, in_order, is_within
from cogs._errors import whisper
from cogs._quotas import in_words, mention
from cogs._requester import may, requester
from cogs._respond import respond

if TYPE_CHECKING:
    from bot.client import ImagineBot
    from bot.records import Requester

_RULES_SHOWN = 20  # a line of four quotas can have 150 characters, an embed takes 4096


class QuotaCommands(commands.Cog):
    """Lets those who manage a server say who may spend how much."""

    quota = app_commands.Group(
        name="quota",
        description="…",  # see cogs.translation
        default_permissions=discord.Permissions(manage_guild=True),
        guild_only=True,
    )

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot
        self._quotas = bot.quotas

    @quota.command(name="set")
    async def set_(
        self,
        interaction: discord.Interaction[Any],
        limit: app_commands.Range[int, 0, LIMIT_MAX],
        per: Literal["hour", "day", "week", "month"],
        who: discord.User | discord.Role | None = None,
    ) -> None:
        """Put a quota in place of the one that the target had for that period."""
        await self._set(interaction, _target(interaction, who), Quota(limit, Period(per)))

    @quota.command()
    async def pool(
        self,
        interaction: discord.Interaction[Any],
        limit: app_commands.Range[int, 0, LIMIT_MAX],
        per: Literal["hour", "day", "week", "month"],
    ) -> None:
        """Put a quota in place of the one that the pool had for that period."""
        await self._set(interaction, POOL, Quota(limit, Period(per)))

    async def _set(self, interaction: discord.Interaction[Any], target: Target, quota: Quota) -> None:
        asker = _manager(interaction)
        before = (await self._quotas.rules(asker.guild_id)).get(target, ())
        after = in_order([quota, *(other for other in before if other.per is not quota.per)])
        owners = self._quotas.owners
        maximum = owners.pool_ceiling if target is POOL else owners.ceiling
        if not is_within(after, maximum):
            raise QuotaTooHighError(maximum=in_words(maximum))
        await self._quotas.set_rule(asker.guild_id, target, quota, set_by=asker.user_id)
        key = f"quota-set-{target.kind}"
        text = translate(key, asker.locale, who=mention(target), quota=in_words(after))
        await whisper(interaction, text)

    @quota.command()
    async def clear(
        self,
        interaction: discord.Interaction[Any],
        who: discord.User | discord.Role | None = None,
        *,
        pool: bool = False,
    ) -> None:
        """Remove a target's quotas and say what holds without them."""
        asker = _manager(interaction)
        target = POOL if pool else _target(interaction, who)
        is_cleared = await self._quotas.clear_rules(asker.guild_id, target)
        rules = await self._quotas.rules(asker.guild_id)
        holds = self._quotas.owners.pool if pool else rules.get(EVERYBODY, self._quotas.owners.default)
        key = f"quota-cleared-{target.kind}" if is_cleared else "quota-nothing-to-clear"
        text = translate(key, asker.locale, who=mention(target), quota=in_words(holds))
        await whisper(interaction, text)

    @quota.command()
    async def grant(
        self,
        interaction: discord.Interaction[Any],
        who: discord.User | discord.Role,
        amount: app_commands.Range[int, 1, LIMIT_MAX],
    ) -> None:
        """Add to the limits in the windows that run now."""
        asker, target = _manager(interaction), _target(interaction, who)
        await self._quotas.grant(
            asker.guild_id,
            target,
            Decimal(amount),
            made_by=asker.user_id,
            interaction_id=asker.interaction_id,
        )
        text = translate("quota-granted", asker.locale, who=mention(target), credits=amount)
        await whisper(interaction, text)

    @quota.command()
    async def reset(self, interaction: discord.Interaction[Any], who: discord.User | discord.Role) -> None:
        """Let the windows start again now."""
        asker, target = _manager(interaction), _target(interaction, who)
        await self._quotas.reset(
            asker.guild_id, target, made_by=asker.user_id, interaction_id=asker.interaction_id
        )
        await whisper(interaction, translate("quota-reset", asker.locale, who=mention(target)))

    @quota.command()
    async def show(self, interaction: discord.Interaction[Any]) -> None:
        """Every rule of this server, and what the bot's owner allows."""
        asker = _manager(interaction)
        rules = await self._quotas.rules(asker.guild_id)
        owners = self._quotas.owners
        everybody, pool = rules.get(EVERYBODY, owners.default), rules.get(POOL, owners.pool)
        key = "quota-show-everybody" if EVERYBODY in rules else "quota-show-default"
        lines = [
            translate(key, asker.locale, quota=in_words(everybody)),
            translate("quota-show-pool", asker.locale, quota=in_words(pool)),
        ]
        others = [target for target in rules if target.kind in {Kind.ROLE, Kind.MEMBER}]
        lines += [
            translate("quota-show-target", asker.locale, who=mention(other), quota=in_words(rules[other]))
            for other in others[:_RULES_SHOWN]
        ]
        if len(others) > _RULES_SHOWN:
            lines.append(translate("quota-show-more", asker.locale, count=len(others) - _RULES_SHOWN))
        lines.append(translate("quota-show-ceiling", asker.locale, quota=in_words(owners.ceiling)))
        await respond(interaction, embed=discord.Embed(description="\n".join(lines)), ephemeral=True)


def _manager(interaction: discord.Interaction[Any]) -> Requester:
    # A server's admins can hand a command to anybody in Discord's settings; money stays with its managers.
    asker = requester(interaction)
    if not may(interaction.permissions, "manage_guild"):
        raise ForbiddenHereError
    return asker


def _target(interaction: discord.Interaction[Any], who: discord.User | discord.Role | None) -> Target:
    if who is None or who.id == interaction.guild_id:  # the role of that id is @everyone
        return EVERYBODY
    return Target(Kind.ROLE if isinstance(who, discord.Role) else Kind.MEMBER, who.id)


async def setup(bot: ImagineBot) -> None:
    """Add the commands."""
    await bot.add_cog(QuotaCommands(bot))
