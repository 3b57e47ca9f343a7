"""/quota: who may spend how much on a server, as its managers say."""

from __future__ import annotations

import asyncio
import io
import logging
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.charts.spec import Member
from bot.discord.error_handler import send_ephemeral
from bot.discord.requester import require_manager
from bot.discord.response_validation import DISCORD_NETWORK_ERRORS
from bot.discord.responses import defer, edit_response
from bot.discord.views.quota_text import describe_quotas, mention
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
from bot.errors import ChartError, QuotaTooHighError
from bot.i18n import LazyText, translate
from bot.storage.reports import UsageSummary, aggregate_by_member
from cogs.quota.report import TOP, alt_text, chart, member_line, table, table_of_days, total_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.discord.client import ImagineBot
    from bot.domain.requester import Requester

_log = logging.getLogger(__name__)
DAYS = 30
_MONTHS = 24
_RULES_SHOWN = 15  # a line of four quotas can have 150 characters, all embeds together take 6000
_MEMBERS_SHOWN = 10  # a line can have 250


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
        self._quotas = bot.quota_store

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
        asker = require_manager(interaction)
        before = (await self._quotas.rules(asker.guild_id)).get(target, ())
        after = by_period([quota, *(other for other in before if other.per is not quota.per)])
        owners = self._quotas.owners
        maximum = owners.pool_ceiling if target is POOL else owners.ceiling
        if not is_within(after, maximum):
            raise QuotaTooHighError(maximum=describe_quotas(maximum))
        await self._quotas.set_rule(asker.guild_id, target, quota, set_by=asker.user_id)
        key = f"quota-set-{target.kind}"
        await self._say(
            interaction, asker, LazyText(key, {"who": mention(target), "quota": describe_quotas(after)})
        )

    @quota.command()
    async def clear(
        self,
        interaction: discord.Interaction[Any],
        who: discord.User | discord.Role | None = None,
        *,
        pool: bool = False,
    ) -> None:
        """Remove a target's quotas and say what holds without them."""
        asker = require_manager(interaction)
        target = POOL if pool else _target(interaction, who)
        is_cleared = await self._quotas.clear_rules(asker.guild_id, target)
        rules = await self._quotas.rules(asker.guild_id)
        holds = self._quotas.owners.pool if pool else rules.get(EVERYONE, self._quotas.owners.default)
        key = f"quota-cleared-{target.kind}" if is_cleared else "quota-nothing-to-clear"
        await self._say(
            interaction, asker, LazyText(key, {"who": mention(target), "quota": describe_quotas(holds)})
        )

    @quota.command()
    async def grant(
        self,
        interaction: discord.Interaction[Any],
        who: discord.User | discord.Role,
        amount: app_commands.Range[int, 1, LIMIT_MAX],
    ) -> None:
        """Add to the limits in the windows that run now."""
        asker, target = require_manager(interaction), _target(interaction, who)
        is_new = await self._quotas.grant(
            asker.guild_id,
            target,
            Decimal(amount),
            made_by=asker.user_id,
            interaction_id=asker.interaction_id,
        )
        if is_new:
            text = LazyText("quota-granted", {"who": mention(target), "credits": amount})
            await self._say(interaction, asker, text)

    @quota.command()
    async def reset(self, interaction: discord.Interaction[Any], who: discord.User | discord.Role) -> None:
        """Let the windows start again now."""
        asker, target = require_manager(interaction), _target(interaction, who)
        is_new = await self._quotas.reset(
            asker.guild_id, target, made_by=asker.user_id, interaction_id=asker.interaction_id
        )
        if is_new:
            await self._say(interaction, asker, LazyText("quota-reset", {"who": mention(target)}))

    async def _say(self, interaction: discord.Interaction[Any], asker: Requester, change: LazyText) -> None:
        """Tell the manager, and the server's log, each in their own language."""
        self._bot.audit_log.record(
            asker.guild_id, LazyText("log-quota", {"member": f"<@{asker.user_id}>", "change": change})
        )
        await send_ephemeral(interaction, translate(change.key, asker.locale, **change.values))

    @quota.command()
    async def show(self, interaction: discord.Interaction[Any]) -> None:
        """Every rule of this server, what the owner allows, and who has used what since the first."""
        asker = require_manager(interaction)
        await defer(interaction)
        lines = await self._rules_in_lines(asker)
        used = await self._bot.report_store.month(asker.guild_id, await self._bot.timezone(asker.guild_id))
        rules = _embed("\n".join(lines))
        lines = [total_line(used, asker.locale)]
        lines += [member_line(summary, asker.locale) for summary in used[:_MEMBERS_SHOWN]]
        if len(used) > _MEMBERS_SHOWN:
            lines.append(translate("report-more", asker.locale, count=len(used) - _MEMBERS_SHOWN))
        await edit_response(interaction, embeds=[rules, _embed("\n".join(lines))])

    @quota.command()
    async def export(
        self, interaction: discord.Interaction[Any], months_ago: app_commands.Range[int, 0, _MONTHS] = 0
    ) -> None:
        """A table of everybody who has used something in a month, by default the present one."""
        asker = require_manager(interaction)
        await defer(interaction)
        zone = await self._bot.timezone(asker.guild_id)
        used = await self._bot.report_store.month(asker.guild_id, zone, months_ago=months_ago)
        file = await asyncio.to_thread(table, used)
        await edit_response(interaction, embed=_embed(total_line(used, asker.locale)), attachments=[file])

    @quota.command()
    async def report(self, interaction: discord.Interaction[Any]) -> None:
        """The last 30 days and who spent most, as a picture and as a table."""
        asker = require_manager(interaction)
        await defer(interaction)
        zone = await self._bot.timezone(asker.guild_id)
        day_boundaries = last_days(datetime.now(UTC), zone, DAYS)
        days = await self._bot.report_store.days(asker.guild_id, day_boundaries)
        used = await asyncio.to_thread(aggregate_by_member, chain.from_iterable(days))
        lines = [total_line(used, asker.locale)]
        lines += [member_line(summary, asker.locale) for summary in used[:TOP]]
        shown = _embed("\n".join(lines))
        named = await self._named(used[:TOP])
        # Off the event loop: a large server's month is a quarter of a million rows.
        drawn = await asyncio.to_thread(chart, days, day_boundaries, zone, named, asker.locale)
        files = [
            await asyncio.to_thread(table_of_days, days, day_boundaries, zone),
            await asyncio.to_thread(table, used),
        ]
        try:
            png = io.BytesIO(await self._bot.charts.render(drawn))
        except ChartError as error:
            _log.warning("/quota report goes without a picture: %s", error)
        else:
            files.append(discord.File(png, "report.png", description=alt_text(drawn, asker.locale)))
        await edit_response(interaction, embed=shown, attachments=files)

    async def _rules_in_lines(self, asker: Requester) -> list[str]:
        rules = await self._quotas.rules(asker.guild_id)
        owners = self._quotas.owners
        everybody, pool = rules.get(EVERYONE, owners.default), rules.get(POOL, owners.pool)
        key = "quota-show-everybody" if EVERYONE in rules else "quota-show-default"
        lines = [
            translate(key, asker.locale, quota=describe_quotas(everybody)),
            translate("quota-show-pool", asker.locale, quota=describe_quotas(pool)),
        ]
        others = [target for target in rules if target.kind in {TargetKind.ROLE, TargetKind.MEMBER}]
        lines += [
            translate(
                "quota-show-target", asker.locale, who=mention(other), quota=describe_quotas(rules[other])
            )
            for other in others[:_RULES_SHOWN]
        ]
        if len(others) > _RULES_SHOWN:
            lines.append(translate("quota-show-more", asker.locale, count=len(others) - _RULES_SHOWN))
        lines.append(translate("quota-show-ceiling", asker.locale, quota=describe_quotas(owners.ceiling)))
        if owners.pool_ceiling:
            quota = describe_quotas(owners.pool_ceiling)
            lines.append(translate("quota-show-pool-ceiling", asker.locale, quota=quota))
        return lines

    async def _named(self, summaries: Sequence[UsageSummary]) -> list[Member]:
        """What members call themselves, as far as Discord tells; a picture shows no mentions."""
        members: list[Member] = []
        for summary in summaries:
            name = str(summary.user_id)
            with suppress(discord.HTTPException, *DISCORD_NETWORK_ERRORS):
                user = self._bot.get_user(summary.user_id) or await self._bot.fetch_user(summary.user_id)
                name = user.display_name
            members.append(Member(name, summary.spent))
        return members


def _embed(text: str) -> discord.Embed:
    return discord.Embed(description=text, colour=discord.Colour.blurple())


def _target(interaction: discord.Interaction[Any], who: discord.User | discord.Role | None) -> Target:
    if who is None or who.id == interaction.guild_id:  # the role of that id is @everyone
        return EVERYONE
    return Target(TargetKind.ROLE if isinstance(who, discord.Role) else TargetKind.MEMBER, who.id)
