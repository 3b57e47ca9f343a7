"""RunComfy's two ways to report errors: documented error codes, and HTTP statuses alone."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.e2e.accounts import check_accounts
from tests.e2e.environment import open_environment
from tests.e2e.outcomes import expect_delivered, expect_failed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.environment import Environment

PROFILES = pytest.mark.parametrize("profile", ["docs", "http"])


@asynccontextmanager
async def opened(folder: Path, profile: str) -> AsyncIterator[Environment]:
    """Open an environment whose RunComfy reports errors in one way; check all charges at the end."""
    async with open_environment(folder, runcomfy={"seconds": 0, "profile": profile}) as env:
        yield env
        await env.wait_until_idle()
        check_accounts(env)


def errors(env: Environment) -> list[str]:
    return [line for line in env.log.splitlines() if " ERROR " in line]


@PROFILES
async def test_revoked_token(tmp_path: Path, profile: str) -> None:
    async with opened(tmp_path, profile) as env:
        good, env.settings["RUNCOMFY_TOKEN"] = env.settings["RUNCOMFY_TOKEN"], "revoked"
        await env.restart()
        for _ in range(2):
            await expect_failed(env, "owner")
        assert not env.runcomfy.requests
        [error] = errors(env)
        assert "RUNCOMFY_TOKEN" in error
        assert "revoked" not in env.log
        env.settings["RUNCOMFY_TOKEN"] = good
        await env.restart()
        await expect_delivered(env)


@PROFILES
async def test_token_revoked_during_a_job(tmp_path: Path, profile: str) -> None:
    async with opened(tmp_path, profile) as env:
        env.runcomfy.hold()
        message = await env.queued(env.alice)
        await env.kill()
        good, env.settings["RUNCOMFY_TOKEN"] = env.settings["RUNCOMFY_TOKEN"], "revoked"
        await env.start()
        await env.wait_for_text(message, "owner", "Your images might be ready anyway")
        assert (await env.wait_for_end(message))["refunded"] == 0
        assert env.charged_images(env.alice) == 1
        assert len(env.submits_for(message)) == 1
        env.settings["RUNCOMFY_TOKEN"] = good


@PROFILES
async def test_no_balance_and_an_unknown_model(tmp_path: Path, profile: str) -> None:
    async with opened(tmp_path, profile) as env:
        for kind in ("balance", "model"):
            env.runcomfy.inject_fault("submit", env.runcomfy.error_fault(kind))
            await expect_failed(env, "owner")
        assert "balance" in errors(env)[0]
        assert len(errors(env)) == 2
        assert not env.runcomfy.requests
        await expect_delivered(env)


@PROFILES
async def test_rejected_inputs_are_reported(tmp_path: Path, profile: str) -> None:
    async with opened(tmp_path, profile) as env:
        env.runcomfy.inject_fault("submit", env.runcomfy.error_fault("input"))
        await expect_failed(env, "blocked this prompt")
        await expect_failed(env, "blocked this prompt", prompt="please refuse this")
        assert errors(env) == []


@PROFILES
async def test_requests_that_expired_or_belong_to_another_account(tmp_path: Path, profile: str) -> None:
    async with opened(tmp_path, profile) as env:
        for route in ("status", "result"):
            env.runcomfy.inject_fault(route, env.runcomfy.error_fault("request"), times=None)
            await expect_failed(env, "This request has expired")
            env.runcomfy.clear_faults(route)
        # Without a code, a 403 can also mean the token, so the owner is notified.
        env.runcomfy.inject_fault("status", env.runcomfy.error_fault("foreign"), times=None)
        if profile == "docs":
            await expect_failed(env, "This request has expired")
        else:
            await env.wait_for_text(
                await env.imagine(resolution="0.5K"), "owner", "Your images might be ready anyway"
            )


@PROFILES
async def test_requests_that_expire_during_downtime(tmp_path: Path, profile: str) -> None:
    async with opened(tmp_path, profile) as env:
        env.runcomfy.hold()
        away, cancelled = await env.queued(env.alice), await env.queued(env.bob)
        await env.kill()
        env.runcomfy.requests.pop(env.job(away)["request_id"])
        await env.start()
        await env.wait_for_text(away, "This request has expired", "You weren't charged")
        env.runcomfy.requests.pop(env.job(cancelled)["request_id"])
        await env.bob.press(cancelled, "Cancel")
        await env.wait_for_text(cancelled, "This request has expired", "You weren't charged")
        assert (env.charged_images(env.alice), env.charged_images(env.bob)) == (0, 0)
        assert len(env.submits_for(away)) == len(env.submits_for(cancelled)) == 1
