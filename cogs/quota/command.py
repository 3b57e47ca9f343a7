"""/quota: managers set credit limits for their server and see reports."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Literal, TypeAlias

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.discord.client import ImagineBot, Interaction
from bot.discord.error_handler import error_boundary, send_ephemeral
from bot.discord.requester import require_manager
from bot.discord.responses import defer, edit_response
from bot.discord.views.quota_text import chart_files, day_labels, describe_quotas, mention, text_embed
from bot.domain.quota import (
    EVERYONE,
    LIMIT_MAX,
    POOL,
    Period,
    Quota,
    Quotas,
    Target,
    TargetKind,
    by_period,
    days_of_month,
    is_within,
    last_days,
)
from bot.domain.requester import Requester
from bot.errors import PolicyError
from bot.i18n import LazyText, translate
from bot.storage.reports import UsageSummary, aggregate_by_member, merge
from cogs.quota.members import with_members
from cogs.quota.report import (
    alt_text,
    chart,
    days_table,
    members_table,
    rule_lines,
    usage_lines,
)

_Limit: TypeAlias = app_commands.Range[int, 0, LIMIT_MAX]
_Per: TypeAlias = Literal["hour", "day", "week", "month"]
_Who: TypeAlias = discord.User | discord.Role

DAYS = 30
_MONTHS = 24
_TOP = 10  # a line can have 250 characters, all embeds together take 6000
_CLEAR_DELETED = "quota:clear-deleted:v1"


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
        text = LazyText(
            key, {"who": mention(target), "quota": describe_quotas(after), "lowest": _lowest(after)}
        )
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
        now = rules.get(target, wider)
        text = LazyText(key, {"who": mention(target), "quota": describe_quotas(now), "lowest": _lowest(now)})
        await self._confirm(interaction, asker, text)

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
        rules = await self._quotas.rules(asker.guild_id)
        deleted = self._deleted_roles(asker, rules)
        zone = await self._bot.timezone(asker.guild_id)
        boundaries = days_of_month(self._bot.clock.host.now(), zone, 0)
        used, _ = await self._used(asker, boundaries)
        members = await with_members(self._bot, asker.guild_id, used[:_TOP])
        embeds = [
            text_embed(rule_lines(rules, deleted, self._quotas.owners, asker.locale)),
            text_embed(usage_lines(used, members, asker.locale)),
        ]
        await edit_response(interaction, embeds=embeds, view=_clear_button(asker.locale) if deleted else None)

    @quota.command()
    async def report(
        self, interaction: Interaction, months_ago: app_commands.Range[int, 0, _MONTHS] | None = None
    ) -> None:
        """Show the last 30 days, or a month, and who spent most, with a chart and tables."""
        await self._report(interaction, months_ago)

    async def _report(self, interaction: Interaction, months_ago: int | None) -> None:
        asker = require_manager(interaction)
        await defer(interaction)
        locale, now = asker.locale, self._bot.clock.host.now()
        zone = await self._bot.timezone(asker.guild_id)
        boundaries = (
            last_days(now, zone, DAYS) if months_ago is None else days_of_month(now, zone, months_ago)
        )
        labels = day_labels(boundaries, zone, locale)
        title = translate("chart-report", locale, count=DAYS)
        if months_ago is not None:
            title = translate("chart-report-month", locale, first=labels[0], last=labels[-1])
        used, days = await self._used(asker, boundaries)
        members = await with_members(self._bot, asker.guild_id, used)
        drawn = chart(title, labels, days, members[:_TOP], locale)
        files = [await asyncio.to_thread(members_table, members), days_table(days, boundaries, zone)]
        files += await chart_files(self._bot.charts, drawn, "report.png", alt_text(drawn, locale))
        lines = await asyncio.to_thread(usage_lines, used, members[:_TOP], locale)
        await edit_response(interaction, embed=text_embed(lines), attachments=files)

    async def _used(
        self, asker: Requester, boundaries: Sequence[datetime]
    ) -> tuple[list[UsageSummary], list[UsageSummary]]:
        """Return what each member used, highest spending first, and what all used on each day."""
        by_day = await self._bot.report_store.days(asker.guild_id, boundaries)
        # Off the event loop: a large server's month is a quarter of a million rows.
        used = await asyncio.to_thread(aggregate_by_member, chain.from_iterable(by_day))
        return used, await asyncio.to_thread(list, map(merge, by_day))

    def _deleted_roles(self, asker: Requester, rules: Iterable[Target]) -> list[Target]:
        """Return the targets whose role no longer exists; none during an outage of the server."""
        guild = self._bot.get_guild(asker.guild_id)
        if guild is None or guild.unavailable:
            return []
        return [each for each in rules if each.kind is TargetKind.ROLE and guild.get_role(each.id) is None]

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Interaction) -> None:
        """Remove the limits of deleted roles, which no command can name any more."""
        if {**(interaction.data or {})}.get("custom_id") == _CLEAR_DELETED:
            async with error_boundary(interaction):
                await self._clear_deleted(interaction)

    async def _clear_deleted(self, interaction: Interaction) -> None:
        asker = require_manager(interaction)
        deleted = self._deleted_roles(asker, await self._quotas.rules(asker.guild_id))
        if not deleted:
            raise PolicyError("not-now")
        for target in deleted:
            await self._quotas.clear_rules(asker.guild_id, target)
        await self._confirm(interaction, asker, LazyText("quota-cleared-deleted", {"count": len(deleted)}))

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
        """Do what `report months_ago` does."""
        await self._report(interaction, months_ago)


def _clear_button(locale: str) -> ui.View:
    """Return the button that removes the limits of deleted roles; it works after a restart too."""
    view = ui.View(timeout=None)
    view.add_item(ui.Button(label=translate("button-clear-deleted", locale), custom_id=_CLEAR_DELETED))
    view.stop()  # discord.py keeps no state
    return view


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


def _lowest(quotas: Quotas) -> int:
    """Return the lowest limit; with 0, nothing can be generated."""
    return min((quota.limit for quota in quotas), default=LIMIT_MAX)
