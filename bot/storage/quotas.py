"""The quotas of servers and members, with grants, resets and usage."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import partial
from typing import TYPE_CHECKING

from bot.domain.quota import (
    EVERYONE,
    POOL,
    Limits,
    Period,
    Quota,
    Quotas,
    Target,
    TargetKind,
    Usage,
    Window,
    by_period,
    effective_rule,
    visible_limits,
)
from bot.storage import ledger
from bot.storage.columns import from_centicredits, from_epoch_ms, to_centicredits, to_epoch_ms
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable
    from datetime import datetime, tzinfo
    from decimal import Decimal

    from bot.storage.database import Connection, Database

_queries = load_queries("quotas")
_LONGEST_WINDOW = timedelta(days=32)  # a month, plus the offset between time zones


@dataclass(frozen=True)
class OwnerQuotas:
    """The owner's limits, in credits."""

    default: Quotas = ()
    """A member's quota if no manager has set a rule."""
    ceiling: Quotas = ()
    """The most that a member can use, regardless of managers' rules."""
    pool: Quotas = ()
    """A server's pool if no manager has set one."""
    pool_ceiling: Quotas = ()
    """The most that a server's pool can be."""
    budget: Quotas = ()
    """The most that all servers together can use."""


class QuotaStore:
    """Rules, grants and resets of each server, and the owner's limits.

    A method that raises BusyError has changed nothing.
    """

    def __init__(self, database: Database, owners: OwnerQuotas) -> None:
        self._database = database
        self.owners = owners

    async def limits(
        self, guild_id: int, user_id: int, role_ids: Collection[int] = (), zone: tzinfo = UTC
    ) -> Limits:
        """Return every limit that applies now to a member with these roles."""
        since = adjusted_since(self._database.clock.now())
        values = {"guild_id": guild_id, "user_id": user_id, "since": since}

        async def work(connection: Connection) -> Limits:
            rules = await _queries.rules_for_member(connection, **values)
            adjustments = await _queries.adjustments_for_member(connection, **values)
            return self.limits_from_rows(rules, adjustments, user_id, role_ids, zone)

        return await self._database.read(work)

    def limits_from_rows(
        self,
        rule_rows: Iterable[sqlite3.Row],
        adjustment_rows: Iterable[sqlite3.Row],
        user_id: int,
        role_ids: Collection[int],
        zone: tzinfo,
    ) -> Limits:
        """Return the limits of a member from the rows of the server's rules and adjustments."""
        rules = _rules(rule_rows)
        target, quotas = effective_rule(rules, user_id, role_ids, self.owners.default)
        roles = (Target(TargetKind.ROLE, role_id) for role_id in role_ids)
        own = {EVERYONE, Target(TargetKind.MEMBER, user_id), *roles}
        adjustments = [
            (from_epoch_ms(row["made_at"]), row["credits"])
            for row in adjustment_rows
            if Target(TargetKind(row["kind"]), row["target_id"]) in own
        ]
        return Limits(
            target=target,
            member=quotas,
            ceiling=self.owners.ceiling,
            pool=rules.get(POOL, self.owners.pool),
            pool_ceiling=self.owners.pool_ceiling,
            budget=self.owners.budget,
            grants=tuple((at, from_centicredits(given)) for at, given in adjustments if given is not None),
            reset_at=max((at for at, given in adjustments if given is None), default=None),
            zone=zone,
        )

    async def usage(self, guild_id: int, user_id: int, limits: Limits) -> list[Usage]:
        """Return what the member has used of each limit that applies to them now."""
        now = self._database.clock.now()
        return await self._usage(limits.member_windows(now), limits.ceiling_windows(now), guild_id, user_id)

    async def usage_of_pool(self, guild_id: int, limits: Limits) -> list[Usage]:
        """Return what all members together have used of each limit of their server now."""
        now = self._database.clock.now()
        return await self._usage(limits.pool_windows(now), limits.pool_ceiling_windows(now), guild_id)

    async def uncollected(self, guild_id: int, user_id: int) -> tuple[int, Decimal]:
        """Return how many images a member is charged for and can still collect, and their credits."""
        row = await self._database.read(
            partial(_queries.uncollected_of_member, guild_id=guild_id, user_id=user_id)
        )
        return row["images"], from_centicredits(row["credits"])

    async def rules(self, guild_id: int) -> dict[Target, Quotas]:
        """Return every rule of a server."""
        return _rules(await self._database.read(partial(_queries.rules, guild_id=guild_id)))

    async def set_rule(self, guild_id: int, target: Target, quota: Quota, *, set_by: int) -> None:
        """Set a target's quota for one period; those for other periods stay."""
        values = _target_columns(guild_id, target) | {"per": quota.per, "credits": quota.limit}
        values |= {"set_by": set_by, "set_at": to_epoch_ms(self._database.clock.now())}
        await self._database.transaction(partial(_queries.set_rule, **values))

    async def clear_rules(self, guild_id: int, target: Target) -> bool:
        """Remove a target's quotas; False if it had none."""
        values = _target_columns(guild_id, target)
        count: int = await self._database.transaction(partial(_queries.clear_rules, **values))
        return count > 0

    async def grant(
        self, guild_id: int, target: Target, credits: Decimal, *, made_by: int, interaction_id: int
    ) -> bool:
        """Grant a member, each member with a role, or everyone credits on top of the current limits.

        Returns:
            False if the interaction was handled before; a replay grants nothing.
        """
        return await self._adjust(guild_id, target, to_centicredits(credits), made_by, interaction_id)

    async def reset(self, guild_id: int, target: Target, *, made_by: int, interaction_id: int) -> bool:
        """Restart the windows of a member, of each member with a role, or of everyone now.

        Returns:
            False if the interaction was handled before.
        """
        return await self._adjust(guild_id, target, None, made_by, interaction_id)

    async def _usage(
        self, own: list[Window], ceiling: list[Window], guild_id: int, user_id: int | None = None
    ) -> list[Usage]:
        used = await self._database.read(
            lambda connection: ledger.usage(connection, own + ceiling, guild_id, user_id)
        )
        return visible_limits(used[: len(own)], used[len(own) :])

    async def _adjust(
        self, guild_id: int, target: Target, given: int | None, made_by: int, interaction_id: int
    ) -> bool:
        values = _target_columns(guild_id, target) | {"credits": given, "made_by": made_by}
        values |= {"interaction_id": interaction_id, "made_at": to_epoch_ms(self._database.clock.now())}
        count: int = await self._database.transaction(partial(_queries.adjust, **values))
        return count > 0


def adjusted_since(now: datetime) -> int:
    """Return the time of the oldest grant or reset that can still count, in milliseconds since 1970."""
    return to_epoch_ms(now - _LONGEST_WINDOW)


def _target_columns(guild_id: int, target: Target) -> dict[str, str | int | None]:
    return {"guild_id": guild_id, "kind": target.kind, "target_id": target.id}


def _rules(rows: Iterable[sqlite3.Row]) -> dict[Target, Quotas]:
    found: defaultdict[Target, list[Quota]] = defaultdict(list)
    for row in rows:
        target = Target(TargetKind(row["kind"]), row["target_id"])
        found[target].append(Quota(row["credits"], Period(row["per"])))
    return {target: by_period(quotas) for target, quotas in found.items()}
