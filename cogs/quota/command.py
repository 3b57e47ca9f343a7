"""/quota: managers set credit limits for their server and see reports."""

import asyncio
from contextlib import suppress
from decimal import Decimal
from itertools import chain
from typing import Literal, TypeAlias

import discord
from discord import app_commands
from discord.ext import commands

from bot.charts.spec import Row
from bot.discord.client import ImagineBot, Interaction
from bot.discord.error_handler import send_ephemeral
from bot.discord.errors import DISCORD_ERRORS
from bot.discord.requester import require_manager
from bot.discord.responses import defer, edit_response
from bot.discord.views.quota_text import chart_files, day_labels, describe_quotas, mention, text_embed
from bot.domain.quota import (
    EVERYONE,
    LIMIT_MAX,
    POOL,
    Period,
    Quota,
    Target,
    TargetKind,
    by_period,
    is_within,
    last_days,
)
from bot.domain.requester import Requester
from bot.errors import PolicyError
from bot.i18n import LazyText, translate
from bot.storage.reports import aggregate_by_member, merge
from cogs.quota.report import alt_text, chart, days_table, members_table, usage_lines

_Limit: TypeAlias = app_commands.Range[int, 0, LIMIT_MAX]
_Per: TypeAlias = Literal["hour", "day", "week", "month"]
_Who: TypeAlias = discord.User | discord.Role

DAYS = 30
_MONTHS = 24
_TOP = 10
_RULES_SHOWN = 15  # a line of four quotas can have 150 characters, all embeds together take 6000
_MEMBERS_SHOWN = 10  # a line can have 250


class QuotaCommands(commands.Cog):
    """Sets and shows the credit limits of a server."""

    # Its description is set by cogs.localization.
    quota = app_commands.Group(
        name="quota", description="…", default_permissions=discord.Permissions(manage_guild=True)
    )

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot
        self._quotas = bot.quota_store

    @quota.command(name="set")
    async def set_(
        self,
        interaction: Interaction,
        limit: _Limit,
        per: _Per,
        who: _Who | None = None,
        *,
        together: bool = False,
    ) -> None:
        """Set a target's limit; it replaces the one for the same period."""
        await self._set(interaction, _target(interaction, who, together=together), Quota(limit, Period(per)))

    async def _set(self, interaction: Interaction, target: Target, quota: Quota) -> None:
        asker = require_manager(interaction)
        before = (await self._quotas.rules(asker.guild_id)).get(target, ())
        after = by_period([quota, *(other for other in before if other.per is not quota.per)])
        owners = self._quotas.owners
        maximum = owners.pool_ceiling if target == POOL else owners.ceiling
        if not is_within(after, maximum):
            raise PolicyError("quota-too-high", maximum=describe_quotas(maximum))
        await self._quotas.set_rule(asker.guild_id, target, quota, set_by=asker.user_id)
        key = f"quota-set-{target.kind.name.lower()}"
        text = LazyText(key, {"who": mention(target), "quota": describe_quotas(after)})
        await self._confirm(interaction, asker, text)

    @quota.command()
    async def clear(
        self,
        interaction: Interaction,
        per: _Per | None = None,
        who: _Who | None = None,
        *,
        together: bool = False,
    ) -> None:
        """Remove a target's limit for a period, or all of them, and show which ones apply instead."""
        asker, target = require_manager(interaction), _target(interaction, who, together=together)
        is_cleared = await self._quotas.clear_rules(asker.guild_id, target, Period(per) if per else None)
        rules, owners = await self._quotas.rules(asker.guild_id), self._quotas.owners
        wider = owners.pool if target == POOL else rules.get(EVERYONE, owners.member)
        kind = target.kind.name.lower()
        done = f"quota-set-{kind}" if target in rules else f"quota-cleared-{kind}"
        key = done if is_cleared else "quota-nothing-to-clear"
        quotas = describe_quotas(rules.get(target, wider))
        await self._confirm(interaction, asker, LazyText(key, {"who": mention(target), "quota": quotas}))

    @quota.command()
    async def grant(
        self,
        interaction: Interaction,
        who: _Who | None = None,
        amount: app_commands.Range[int, 1, LIMIT_MAX] | None = None,
        *,
        start_over: bool = False,
    ) -> None:
        """Add credits to the current windows, restart them at zero, or both."""
        await self._grant(interaction, _target(interaction, who), amount or 0, start_over=start_over)

    async def _grant(
        self, interaction: Interaction, target: Target, amount: int, *, start_over: bool
    ) -> None:
        asker = require_manager(interaction)
        if not amount and not start_over:
            raise PolicyError("quota-grants-nothing")
        made = {"made_by": asker.user_id, "interaction_id": asker.interaction_id}
        if await self._quotas.grant(asker.guild_id, target, Decimal(amount), start_over=start_over, **made):
            key = "quota-granted" if not start_over else "quota-reset-granted" if amount else "quota-reset"
            text = LazyText(key, {"who": mention(target), "credits": amount})
            await self._confirm(interaction, asker, text)

    async def _confirm(self, interaction: Interaction, asker: Requester, change: LazyText) -> None:
        """Reply to the manager and write to the audit log, each in its own language."""
        entry = LazyText("log-quota", {"member": f"<@{asker.user_id}>", "change": change})
        self._bot.audit_log.record(asker.guild_id, entry)
        await send_ephemeral(interaction, change.translate(asker.locale))

    @quota.command()
    async def show(self, interaction: Interaction) -> None:
        """Show all limits, the owner's ceiling, and the usage of members this month."""
        asker = require_manager(interaction)
        await defer(interaction)
        rules = await self._rule_lines(asker)
        zone = await self._bot.timezone(asker.guild_id)
        used = await self._bot.report_store.month(asker.guild_id, zone)
        lines = await asyncio.to_thread(usage_lines, used, _MEMBERS_SHOWN, asker.locale)
        if len(used) > _MEMBERS_SHOWN:
            lines.append(translate("report-more", asker.locale, count=len(used) - _MEMBERS_SHOWN))
        await edit_response(interaction, embeds=[text_embed(rules), text_embed(lines)])

    @quota.command()
    async def report(self, interaction: Interaction) -> None:
        """Show the last 30 days and who spent most, with a chart and tables."""
        asker = require_manager(interaction)
        await defer(interaction)
        zone = await self._bot.timezone(asker.guild_id)
        day_boundaries = last_days(self._bot.clock.host.now(), zone, DAYS)
        by_day = await self._bot.report_store.days(asker.guild_id, day_boundaries)
        # Off the event loop: a large server's month is a quarter of a million rows.
        used = await asyncio.to_thread(aggregate_by_member, chain.from_iterable(by_day))
        days = await asyncio.to_thread(list, map(merge, by_day))
        members = [Row(await self._display_name(each.user_id), each.spent) for each in used[:_TOP]]
        drawn = chart(days, day_labels(day_boundaries, zone, asker.locale), members, asker.locale)
        files = [days_table(days, day_boundaries, zone), await asyncio.to_thread(members_table, used)]
        alt = alt_text(drawn, asker.locale)
        files += await chart_files(self._bot.charts, drawn, "report.png", alt)
        lines = await asyncio.to_thread(usage_lines, used, _TOP, asker.locale)
        await edit_response(interaction, embed=text_embed(lines), attachments=files)

    # Old names, to be removed after the next release.

    @quota.command()
    async def pool(self, interaction: Interaction, limit: _Limit, per: _Per) -> None:
        """Do what `set together` does."""
        await self._set(interaction, POOL, Quota(limit, Period(per)))

    @quota.command()
    async def reset(self, interaction: Interaction, who: _Who) -> None:
        """Do what `grant start_over` does."""
        await self._grant(interaction, _target(interaction, who), 0, start_over=True)

    @quota.command()
    async def export(
        self, interaction: Interaction, months_ago: app_commands.Range[int, 0, _MONTHS] = 0
    ) -> None:
        """Send a month's usage by member as a table."""
        asker = require_manager(interaction)
        await defer(interaction)
        zone = await self._bot.timezone(asker.guild_id)
        used = await self._bot.report_store.month(asker.guild_id, zone, months_ago=months_ago)
        table = await asyncio.to_thread(members_table, used)
        lines = await asyncio.to_thread(usage_lines, used, 0, asker.locale)
        await edit_response(interaction, embed=text_embed(lines), attachments=[table])

    async def _rule_lines(self, asker: Requester) -> list[str]:
        rules, owners = await self._quotas.rules(asker.guild_id), self._quotas.owners
        everyone = describe_quotas(rules.get(EVERYONE, owners.member))
        pool = describe_quotas(rules.get(POOL, owners.pool))
        key = "quota-show-everyone" if EVERYONE in rules else "quota-show-default"
        lines = [translate(key, asker.locale, quota=everyone)]
        lines.append(translate("quota-show-pool", asker.locale, quota=pool))
        others = [target for target in rules if target.kind in {TargetKind.ROLE, TargetKind.MEMBER}]
        for other in others[:_RULES_SHOWN]:
            quota = describe_quotas(rules[other])
            lines.append(translate("quota-show-target", asker.locale, who=mention(other), quota=quota))
        if len(others) > _RULES_SHOWN:
            lines.append(translate("quota-show-more", asker.locale, count=len(others) - _RULES_SHOWN))
        lines.append(translate("quota-show-ceiling", asker.locale, quota=describe_quotas(owners.ceiling)))
        if owners.pool_ceiling:
            quota = describe_quotas(owners.pool_ceiling)
            lines.append(translate("quota-show-pool-ceiling", asker.locale, quota=quota))
        return lines

    async def _display_name(self, user_id: int) -> str:
        """Return a member's name for a chart, which can't show mentions; the id if it is unknown."""
        with suppress(*DISCORD_ERRORS):
            user = self._bot.get_user(user_id) or await self._bot.fetch_user(user_id)
            return user.display_name
        return str(user_id)


def _target(interaction: Interaction, who: _Who | None, *, together: bool = False) -> Target:
    """Return whom a command is about; `together` means the limit that all members share.

    Raises:
        PolicyError: `quota-who-together`, since only one of them can be meant.
    """
    if together and who is not None:
        raise PolicyError("quota-who-together")
    if who is None or who.id == interaction.guild_id:  # the role of that id is @everyone
        return POOL if together else EVERYONE
    return Target(TargetKind.ROLE if isinstance(who, discord.Role) else TargetKind.MEMBER, who.id)
