"""An error at any point between the reservation and the task: the job continues, or is refunded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
import pytest

from bot.discord import first_response
from bot.discord.client import ImagineBot
from bot.discord.views import job_embed
from bot.discord.views.job_buttons import JobButton
from bot.jobs.runner import JobRunner
from bot.jobs.service import JobService
from bot.storage.jobs import JobStore
from tests.discord.small_environment import small_environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.discord.small_environment import SmallEnvironment


class UnforeseenError(Exception):
    """A bug."""


@pytest.fixture
async def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    async with small_environment(tmp_path, monkeypatch) as env:
        yield env


def break_once(
    env: SmallEnvironment, patch: pytest.MonkeyPatch, owner: Any, name: str, *, is_after: bool = False
) -> list[str]:
    """Make the next call of a function raise, before it does anything or, if late, afterwards."""
    whole, broken = getattr(owner, name), list[str]()

    def fail() -> None:
        broken.append(name)
        env.discord.notify()

    def sync(*args: Any, **kwargs: Any) -> Any:
        if broken:
            return whole(*args, **kwargs)
        fail()
        if is_after:
            whole(*args, **kwargs)
        raise UnforeseenError

    async def later(*args: Any, **kwargs: Any) -> Any:
        if broken:
            return await whole(*args, **kwargs)
        fail()
        if is_after:
            await whole(*args, **kwargs)
        raise UnforeseenError

    is_async = name in {"send_message", "abandon", "fetch_message", "end"}
    patch.setattr(owner, name, later if is_async else sync)
    return broken


POINTS: list[tuple[Any, str, bool]] = [
    (job_embed, "embed", False),
    (first_response, "job_view", False),
    (discord.InteractionResponse, "send_message", False),
    (discord.InteractionResponse, "send_message", True),
    (JobService, "confirm", False),
    (JobService, "confirm", True),
    (JobRunner, "start", False),
]
WHERE_THE_RESPONSE_IS_LOST: list[tuple[Any, str, bool]] = [
    (ImagineBot, "interaction_webhook", False),
    (discord.Webhook, "fetch_message", False),
    (JobButton, "belongs_to", False),
]
WHERE_IT_IS_REFUSED: list[tuple[Any, str, bool]] = [
    (JobService, "abandon", False),
    (JobService, "abandon", True),
    (JobStore, "end", False),
    (JobStore, "end", True),
]


async def check(env: SmallEnvironment, broken: list[str]) -> None:
    """Check that each job ended, and that delivered images alone are charged."""
    await env.discord.until(lambda: broken)
    rows = await env.settled()
    assert rows
    for row in rows:
        assert row["ended_at"], row
        delivered = row["image_count"] - row["refunded"]
        assert (delivered > 0) == (row["status"] == "succeeded"), row
    assert len(env.runcomfy.submits) <= len(rows)


@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point[1]}{'-late' * point[2]}")
async def test_error_in_a_new_job(
    env: SmallEnvironment, monkeypatch: pytest.MonkeyPatch, point: tuple[Any, str, bool]
) -> None:
    broken = break_once(env, monkeypatch, point[0], point[1], is_after=point[2])
    await env.discord.members["alice"].command("imagine", prompt="a fox", resolution="0.5K")
    await check(env, broken)


async def test_error_while_counting_a_new_job(env: SmallEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = break_once(env, monkeypatch, env.runner.context.tracker.metrics.reserved_credits, "inc")
    await env.discord.members["alice"].command("imagine", prompt="a fox", resolution="0.5K")
    await check(env, broken)


@pytest.mark.parametrize("point", WHERE_THE_RESPONSE_IS_LOST, ids=lambda point: point[1])
async def test_error_after_a_lost_response(
    env: SmallEnvironment, monkeypatch: pytest.MonkeyPatch, point: tuple[Any, str, bool]
) -> None:
    broken = break_once(env, monkeypatch, point[0], point[1], is_after=point[2])
    env.discord.inject_fault("callback", 200, "", is_after=True)
    await env.discord.members["alice"].command("imagine", prompt="a fox", resolution="0.5K")
    await check(env, broken)


@pytest.mark.parametrize("point", WHERE_IT_IS_REFUSED, ids=lambda point: f"{point[1]}{'-late' * point[2]}")
async def test_error_after_a_rejected_response(
    env: SmallEnvironment, monkeypatch: pytest.MonkeyPatch, point: tuple[Any, str, bool]
) -> None:
    broken = break_once(env, monkeypatch, point[0], point[1], is_after=point[2])
    env.discord.inject_fault("callback", 403, {"code": 50001, "message": "Missing Access"})
    await env.discord.members["alice"].command("imagine", prompt="a fox", resolution="0.5K")
    await check(env, broken)


@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point[1]}{'-late' * point[2]}")
async def test_error_in_a_refetch(
    env: SmallEnvironment, monkeypatch: pytest.MonkeyPatch, point: tuple[Any, str, bool]
) -> None:
    alice = env.discord.members["alice"]
    refusal = {"code": 50007, "message": "Cannot send messages to this user"}
    env.discord.inject_fault("edit_followup", 403, {"code": 50001, "message": "Missing Access"}, times=9)
    env.discord.inject_fault("create_dm", 403, refusal)
    message = await (await alice.command("imagine", prompt="a fox", resolution="0.5K")).response()
    await env.settled()
    env.discord.clear_faults("edit_followup")
    listing = await (await alice.command("jobs")).response()
    (fetch,) = (name for name in listing.buttons if name.startswith("Get"))
    broken = break_once(env, monkeypatch, point[0], point[1], is_after=point[2])
    await alice.press(listing, fetch)
    await env.discord.until(lambda: broken)
    (row,) = await env.settled()
    assert row["ended_at"], row
    assert len(env.runcomfy.submits) == 1
    assert message
