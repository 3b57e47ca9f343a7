"""The quotas of servers and members, with grants, resets and usage."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, TypeAlias

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
    by_period,
    effective_rule,
    visible_limits,
)
from bot.storage import ledger
from bot.storage.columns import from_centicredits, from_epoch_ms, to_centicredits, to_epoch_ms
from bot.storage.database import Store
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime, tzinfo
    from decimal import Decimal

    from bot.storage.database import Connection, Database, Row

_queries = load_queries("quotas")
LONGEST_WINDOW = timedelta(days=32)
"""How long a job can count against a limit: a month, plus the offset between time zones."""
Context: TypeAlias = "defaultdict[str, list[Row]]"
"""What decides about a job: a server's settings, rules and adjustments and a model's prices, by `source`."""


class QuotaStore(Store):
    """Rules, grants and resets of each server, and the owner's limits."""

    def __init__(self, database: Database, owners: Limits) -> None:
        super().__init__(database)
        self.owners = owners

    async def limits(
        self, guild_id: int, user_id: int, role_ids: Collection[int] = (), zone: tzinfo = UTC
    ) -> Limits:
        """Return every limit that applies now to a member with these roles."""
        now = self._database.clock.now()
        rows = await self._database.read(lambda connection: read_context(connection, guild_id, user_id, now))
        return self.limits_from_context(rows, user_id, role_ids, zone)

    def limits_from_context(
        self, rows: Context, user_id: int, role_ids: Collection[int], zone: tzinfo
    ) -> Limits:
        """Return the limits of the member whom `read_context` was called for."""
        rules = _rules(rows["rule"])
        target, quotas = effective_rule(rules, user_id, role_ids, self.owners.member)
        roles = (Target(TargetKind.ROLE, role_id) for role_id in role_ids)
        own = {EVERYONE, Target(TargetKind.MEMBER, user_id), *roles}
        adjustments = [
            (from_epoch_ms(row["made_at"]), from_centicredits(row["credits"]), row["start_over"])
            for row in rows["adjustment"]
            if Target(TargetKind(row["kind"]), row["target_id"]) in own
        ]
        return replace(
            self.owners,
            target=target,
            member=quotas,
            pool=rules.get(POOL, self.owners.pool),
            grants=tuple((at, credits) for at, credits, _ in adjustments if credits),
            reset_at=max((at for at, _, start_over in adjustments if start_over), default=None),
            zone=zone,
        )

    async def usage(self, guild_id: int, user_id: int | None, limits: Limits) -> list[Usage]:
        """Return what a member, or for None the whole server, has used of each limit that applies now."""
        now = self._database.clock.now()
        if user_id is None:
            own, windows, scope = limits.pool, limits.pool_windows(now), ledger.pool(guild_id)
        else:
            own, windows, scope = limits.member, limits.member_windows(now), ledger.MEMBER
        spans = [(scope, window.starts_at, window.resets_at) for window in windows]
        amounts = await self._database.read(
            lambda connection: ledger.used(connection, spans, guild_id, user_id)
        )
        used = [Usage(window, from_centicredits(each)) for window, each in zip(windows, amounts, strict=True)]
        return visible_limits(used[: len(own)], used[len(own) :])

    async def uncollected(self, guild_id: int, user_id: int) -> tuple[int, Decimal]:
        """Return how many images a member is charged for and can still collect, and their credits."""
        row = await self._read(_queries.uncollected_of_member, guild_id=guild_id, user_id=user_id)
        return row["images"], from_centicredits(row["credits"])

    async def rules(self, guild_id: int) -> dict[Target, Quotas]:
        """Return every rule of a server."""
        return _rules(await self._read(_queries.rules, guild_id=guild_id))

    async def set_rule(self, guild_id: int, target: Target, quota: Quota, *, set_by: int) -> None:
        """Set a target's quota for one period; those for other periods stay."""
        values = _target_columns(guild_id, target) | {"per": quota.per, "credits": quota.limit}
        values |= {"set_by": set_by, "set_at": to_epoch_ms(self._database.clock.now())}
        await self._write(_queries.set_rule, **values)

    async def clear_rules(self, guild_id: int, target: Target, per: Period | None = None) -> bool:
        """Remove a target's quota for a period, or all of its quotas; False if there was none."""
        values = _target_columns(guild_id, target) | {"per": per}
        return await self._applies(_queries.clear_rules, **values)

    async def grant(
        self,
        guild_id: int,
        target: Target,
        credits: Decimal,
        *,
        start_over: bool = False,
        made_by: int,
        interaction_id: int,
    ) -> bool:
        """Grant a member, each member with a role, or everyone extra credits; False for a replay.

        `start_over` also restarts their windows with nothing used.
        """
        values = _target_columns(guild_id, target) | {"credits": to_centicredits(credits)}
        values |= {"start_over": int(start_over), "made_by": made_by, "interaction_id": interaction_id}
        values |= {"made_at": to_epoch_ms(self._database.clock.now())}
        return await self._applies(_queries.adjust, **values)


async def read_context(
    connection: Connection, guild_id: int, user_id: int, now: datetime, *, model_id: str = ""
) -> Context:
    """Read all that decides about a member's job; part of the caller's unit of work."""
    since = to_epoch_ms(now - LONGEST_WINDOW)  # older grants and resets no longer count
    values = {"guild_id": guild_id, "user_id": user_id, "model_id": model_id, "adjusted_since": since}
    rows: Context = defaultdict(list)
    for row in await _queries.context(connection, **values):
        rows[row["source"]].append(row)
    return rows


def _target_columns(guild_id: int, target: Target) -> dict[str, str | int | None]:
    return {"guild_id": guild_id, "kind": target.kind, "target_id": target.id}


def _rules(rows: Iterable[Row]) -> dict[Target, Quotas]:
    found: defaultdict[Target, list[Quota]] = defaultdict(list)
    for row in rows:
        target = Target(TargetKind(row["kind"]), row["target_id"])
        found[target].append(Quota(row["credits"], Period(row["per"])))
    return {target: by_period(quotas) for target, quotas in found.items()}
