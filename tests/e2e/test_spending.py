"""Limits under load, refunds, and jobs during database trouble."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from playground.discord.command_input import slash_data
from playground.runcomfy import edit_json, respond
from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.environment import REPEATS, button_labels, open_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.discord import Interaction, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Environment]:
    """An environment with default limits and a RunComfy that finishes at once."""
    async with open_environment(tmp_path_factory.mktemp("environment"), runcomfy={"seconds": 0}) as env:
        env.discord.response_seconds = 10  # for fifty at once
        yield env


async def ask(person: Member, **options: Any) -> Interaction:
    return await person.command("imagine", **{"prompt": "a fox", "resolution": "0.5K", **options})


async def sorted_out(presses: list[Interaction]) -> tuple[list[Message], list[Message]]:
    """Return the messages of jobs and those of refusals."""
    messages = await asyncio.gather(*(press.response() for press in presses))
    return [each for each in messages if not each.is_ephemeral], [
        each for each in messages if each.is_ephemeral
    ]


async def test_fifty_concurrent_jobs_stay_within_the_limit(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    message = await env.wait_for_text(await (await ask(ben)).response(), "✅")
    presses = [await each for _ in range(25) for each in (ask(anna), anna.press(message, "Re-roll"))]
    jobs, refusals = await sorted_out(presses)
    assert (len(jobs), len(refusals)) == (13, 37)  # of 0.75 credits each
    for refusal in refusals:
        assert re.search(r"\b10 credits", refusal.text)
        assert "0.25 left" in refusal.text
        assert re.search(r"<t:\d+:R>", refusal.text)
    for job in jobs:
        await env.wait_for_text(job, "✅")
    await env.wait_until_idle()
    assert env.charged_images(anna) == 13
    assert "9.75 of 10 credits used, 0.25 left" in await env.reply_to(anna, "usage")
    check_accounts(env)


async def test_fifty_concurrent_jobs_of_three_images_leave_one_credit(env: Environment) -> None:
    anna = env.new_member()
    jobs, refusals = await sorted_out([await ask(anna, num_images=3) for _ in range(50)])
    assert (len(jobs), len(refusals)) == (4, 46)
    assert all("1 left" in refusal.text for refusal in refusals)
    for job in jobs:
        await env.wait_for_text(job, "✅")
    assert delivered(await env.wait_for_text(await (await ask(anna)).response(), "✅")) == 1
    await env.wait_until_idle()
    check_accounts(env)


async def test_failed_job_is_refunded(env: Environment) -> None:
    anna = env.new_member()
    message = await (await ask(anna, prompt="refuse this", num_images=4)).response()
    await env.wait_for_text(message, "⚠️", "You weren't charged")
    assert "0 of 10 credits used, 10 left" in await env.reply_to(anna, "usage")


async def test_cancelled_job_is_refunded(env: Environment) -> None:
    anna = env.new_member()
    env.runcomfy.hold()
    message = await (await ask(anna, num_images=4)).response()
    assert "3 of 10 credits used, 7 left" in await env.reply_to(anna, "usage")
    await anna.press(message, "Cancel")
    await env.wait_for_text(message, "Canceled")
    env.runcomfy.release()
    assert "0 of 10 credits used, 10 left" in await env.reply_to(anna, "usage")


async def test_missing_images_of_partial_result_are_refunded(env: Environment) -> None:
    anna = env.new_member()
    env.runcomfy.inject_fault("result", edit_json(lambda body: body["output"]["images"].pop()))
    message = await (await ask(anna, num_images=4)).response()
    await env.wait_for_text(message, "✅", "3 of 4")
    await env.wait_until_idle()
    assert "2.25 of 10 credits used, 7.75 left" in await env.reply_to(anna, "usage")
    assert delivered(message) == 3
    check_accounts(env)


async def test_undownloadable_images_stay_charged_until_collected(env: Environment) -> None:
    anna = env.new_member()
    env.runcomfy.inject_fault("file", respond(404))
    message = await (await ask(anna, num_images=2)).response()
    await env.wait_for_text(message, "✅", "1 of 2")
    await env.wait_until_idle()
    usage = await env.reply_to(anna, "usage")
    assert "1.5 of 10 credits used, 8.5 left" in usage
    assert "1 image is waiting to be collected (0.75 credits)" in usage
    check_accounts(env)
    row = env.job(message)
    assert (row["refunded"], row["budget_refunded"]) == (0, 0)  # RunComfy made both
    assert "Press Get images for 1 more" in message.text
    assert button_labels(message) == [*REPEATS, "Get images", "Info", "Delete"]


async def test_missing_images_can_be_collected_later(env: Environment) -> None:
    anna = env.new_member()
    env.runcomfy.inject_fault("file", respond(404))
    message = await env.wait_for_text(await (await ask(anna, num_images=2)).response(), "✅", "1 of 2")
    await env.wait_until_idle()
    listing = await (await anna.command("jobs")).response()
    assert "Ready to collect" in listing.text
    fetched = await (await anna.press(message, "Get images")).response()
    await env.wait_for_text(fetched, "✅", "collected")
    await env.wait_until_idle()
    assert (delivered(message), delivered(fetched)) == (1, 2)
    assert button_labels(fetched) == [*REPEATS, "Download", "Info", "Delete"]
    usage = await env.reply_to(anna, "usage")
    assert "1.5 of 10 credits used, 8.5 left" in usage
    assert "collected" not in usage
    assert len(env.submits_for(message)) == 1
    check_accounts(env)


async def test_locked_database_is_reported_and_free(env: Environment) -> None:
    anna = env.new_member()
    message = await env.wait_for_text(await (await ask(anna)).response(), "✅")
    await env.wait_until_idle()
    submits = len(env.runcomfy.submits)
    with closing(sqlite3.connect(env.folder / "data" / "bot.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        refusals = [await (await ask(anna)).response()]
        refusals.append(await (await anna.press(message, "Re-roll")).response())
        for refusal in refusals:
            assert refusal.is_ephemeral
            assert "busy" in refusal.text
        other.execute("rollback")
    assert len(env.runcomfy.submits) == submits
    assert env.charged_images(anna) == 1


async def test_concurrent_jobs_with_locked_database(env: Environment) -> None:
    """Each gets a response within Discord's three seconds."""
    people = [env.new_member() for _ in range(5)]
    with closing(sqlite3.connect(env.folder / "data" / "bot.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        presses = [await ask(person) for person in people]
        answers = await asyncio.gather(*(press.response() for press in presses), return_exceptions=True)
        other.execute("rollback")
    assert [each for each in answers if isinstance(each, BaseException)] == []
    assert [env.charged_images(person) for person in people] == [0] * 5


async def test_rule_for_absent_member(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Discord accepts any user id; a user who has left the server comes without a member."""
    async with open_environment(tmp_path_factory.mktemp("gone")) as env:
        options = {"limit": 5, "per": "day", "who": env.alice}
        data = slash_data("quota set", options, env.mia, env.discord.channel)
        del data["resolved"]["members"][env.alice.id]
        gone = await env.mia.send_interaction(2, data, env.discord.channel).response()
        assert gone.is_ephemeral
        assert "Something went wrong" not in gone.text
        assert env.rows("select * from rules where kind = 'everybody'") == []
