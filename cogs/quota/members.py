"""Members with what they used: their names, and the limits that apply to them now."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import discord

from bot.discord.client import ImagineBot
from bot.discord.errors import DISCORD_ERRORS
from bot.domain.quota import Quotas, Target, TargetKind, effective_rule
from bot.storage.reports import UsageSummary

_MEMBERS_PER_QUERY = 100
_QUERY_SECONDS = 5
_FETCHED = 10


@dataclass(frozen=True, kw_only=True)
class MemberUsage:
    """What a member used, and the limit that applies to them now."""

    usage: UsageSummary
    name: str
    """The name that the server shows; the id if it is unknown."""
    account: str
    """The unique name of the account, in ASCII; empty if it is unknown."""
    target: Target
    """The target whose rule decides."""
    quotas: Quotas


async def with_members(bot: ImagineBot, guild_id: int, used: Sequence[UsageSummary]) -> list[MemberUsage]:
    """Add names and limits; of those who left the server, only the first ten get their names.

    Those who have deleted their data, and so have no id, are left out.
    """
    used = [each for each in used if each.user_id]
    members = await _query_members(bot, guild_id, [each.user_id for each in used])
    rules, default = await bot.quota_store.rules(guild_id), bot.quota_store.owners.member
    found = []
    for place, usage in enumerate(used):
        member = members.get(usage.user_id)
        role_ids = [role.id for role in member.roles] if member else _last_role(usage)
        target, quotas = effective_rule(rules, usage.user_id, role_ids, default)
        user = member or (await _fetch_user(bot, usage.user_id) if place < _FETCHED else None)
        name, account = (user.display_name, user.name) if user else (str(usage.user_id), "")
        found.append(MemberUsage(usage=usage, name=name, account=account, target=target, quotas=quotas))
    return found


async def _query_members(
    bot: ImagineBot, guild_id: int, user_ids: Sequence[int]
) -> dict[int, discord.Member]:
    """Return the members with these ids; some are missing if the gateway doesn't answer in time."""
    guild, found = bot.get_guild(guild_id), dict[int, discord.Member]()
    if guild is None:
        return found
    with suppress(discord.ClientException, *DISCORD_ERRORS):
        async with asyncio.timeout(_QUERY_SECONDS):
            for first in range(0, len(user_ids), _MEMBERS_PER_QUERY):
                ids = list(user_ids[first : first + _MEMBERS_PER_QUERY])
                members = await guild.query_members(user_ids=ids, limit=len(ids), cache=False)
                found |= {member.id: member for member in members}
    return found


async def _fetch_user(bot: ImagineBot, user_id: int) -> discord.User | None:
    with suppress(*DISCORD_ERRORS):
        return await bot.fetch_user(user_id)
    return None


def _last_role(usage: UsageSummary) -> list[int]:
    """Return the role whose limit applied to the last job, for a member whose roles are unknown."""
    kind, _, role_id = usage.applied_limits.partition(" ")[0].partition(":")
    return [int(role_id)] if kind == TargetKind.ROLE else []
