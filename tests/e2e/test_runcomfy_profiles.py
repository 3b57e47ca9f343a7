"""RunComfy's two ways to say no: by error codes, as documented, and by HTTP statuses alone."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.e2e.accounts import check_accounts
from tests.e2e.orders import delivers, fails
from tests.e2e.world import open_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.world import World

PROFILES = pytest.mark.parametrize("profile", ["docs", "http"])


@asynccontextmanager
async def opened(folder: Path, profile: str) -> AsyncIterator[World]:
    """A world whose RunComfy says no like this, in which everybody's account is right in the end."""
    async with open_world(folder, runcomfy={"seconds": 0, "profile": profile}) as world:
        yield world
        await world.settled()
        check_accounts(world)


def errors(world: World) -> list[str]:
    return [line for line in world.log.splitlines() if " ERROR " in line]


@PROFILES
async def test_a_revoked_token(tmp_path: Path, profile: str) -> None:
    async with opened(tmp_path, profile) as world:
        good, world.settings["RUNCOMFY_TOKEN"] = world.settings["RUNCOMFY_TOKEN"], "revoked"
        await world.restart()
        for _ in range(2):
            await fails(world, "owner")
        assert not world.runcomfy.orders
        [error] = errors(world)
        assert "RUNCOMFY_TOKEN" in error
        assert "revoked" not in world.log
        world.settings["RUNCOMFY_TOKEN"] = good
        await world.restart()
        await delivers(world)


@PROFILES
async def test_a_token_that_is_revoked_while_it_paints(tmp_path: Path, profile: str) -> None:
    async with opened(tmp_path, profile) as world:
        world.runcomfy.hold()
        message = await world.queued(world.alice)
        await world.kill()
        good, world.settings["RUNCOMFY_TOKEN"] = world.settings["RUNCOMFY_TOKEN"], "revoked"
        await world.start()
        await world.ends(message, "owner", "Your images might still be ready")
        assert (await world.ended(message))["refunded"] == 0
        assert world.used(world.alice) == 1
        assert len(world.posts(message)) == 1
        world.settings["RUNCOMFY_TOKEN"] = good


@PROFILES
async def test_no_balance_and_no_such_model(tmp_path: Path, profile: str) -> None:
    async with opened(tmp_path, profile) as world:
        for kind in ("balance", "model"):
            world.runcomfy.fail("submit", world.runcomfy.refusal(kind))
            await fails(world, "owner")
        assert "balance" in errors(world)[0]
        assert len(errors(world)) == 2
        assert not world.runcomfy.orders
        await delivers(world)


@PROFILES
async def test_what_the_model_does_not_take(tmp_path: Path, profile: str) -> None:
    async with opened(tmp_path, profile) as world:
        world.runcomfy.fail("submit", world.runcomfy.refusal("input"))
        await fails(world, "refused this prompt or its options")
        await fails(world, "refused this prompt", prompt="please refuse this")
        assert errors(world) == []


@PROFILES
async def test_requests_that_are_gone_or_another_accounts(tmp_path: Path, profile: str) -> None:
    async with opened(tmp_path, profile) as world:
        for route in ("status", "result"):
            world.runcomfy.fail(route, world.runcomfy.refusal("request"), times=None)
            await fails(world, "no longer knows this order")
            world.runcomfy.mend(route)
        # Without a code, 403 may mean the token as well, so that the owner is told.
        world.runcomfy.fail("status", world.runcomfy.refusal("foreign"), times=None)
        if profile == "docs":
            await fails(world, "no longer knows this order")
        else:
            await world.ends(
                await world.imagine(resolution="0.5K"), "owner", "Your images might still be ready"
            )


@PROFILES
async def test_requests_that_expire_while_nobody_looks(tmp_path: Path, profile: str) -> None:
    async with opened(tmp_path, profile) as world:
        world.runcomfy.hold()
        away, cancelled = await world.queued(world.alice), await world.queued(world.bob)
        await world.kill()
        world.runcomfy.orders.pop(world.job(away)["request_id"])
        await world.start()
        await world.ends(away, "no longer knows this order", "Nothing was charged")
        world.runcomfy.orders.pop(world.job(cancelled)["request_id"])
        await world.bob.press(cancelled, "Cancel")
        await world.ends(cancelled, "no longer knows this order", "Nothing was charged")
        assert (world.used(world.alice), world.used(world.bob)) == (0, 0)
        assert len(world.posts(away)) == len(world.posts(cancelled)) == 1
