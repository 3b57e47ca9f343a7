"""/jobs: waiting, running and uncollected jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.accounts import check_accounts
from tests.e2e.environment import open_environment

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Member, Message


async def listed(person: Member) -> Message:
    """Return the ephemeral response to /jobs."""
    message = await (await person.command("jobs")).response()
    assert message.is_ephemeral
    return message


async def test_images_of_a_deleted_message_can_be_collected(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        env.runcomfy.hold()
        env.alice.takes_direct_messages = False
        message = await env.imagine(prompt="a lost fox", num_images=2, resolution="0.5K")
        await env.runcomfy.until(lambda: env.runcomfy.requests)
        env.mia.delete(message)
        env.runcomfy.release()
        await env.wait_until_idle()
        assert env.charged_images(env.alice) == 2
        listing = await listed(env.alice)
        assert "Ready to collect" in listing.text
        assert "a lost fox" in listing.text
        env.discord.inject_fault("callback", 404, {"code": 10062, "message": "Unknown interaction"})
        await env.alice.press(listing, "Get images 1")  # a failed response leaves the button usable
        await env.discord.until(lambda: "did not arrive" in env.log)
        await env.wait_until_idle()
        assert env.charged_images(env.alice) == 2
        listing = await listed(env.alice)
        fetched = await (await env.alice.press(listing, "Get images 1")).response()
        await env.wait_for_text(fetched, "✅", "collected")
        assert len(fetched.files) == 2
        assert f"/{message.id})" in fetched.text  # the list that has the button is private
        await env.wait_until_idle()
        assert env.charged_images(env.alice) == 2
        assert len(env.runcomfy.submits) == 1
        assert "nothing in progress here" in (await listed(env.alice)).text
        check_accounts(env)


async def test_images_of_a_deleted_message_arrive_by_direct_message(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        env.runcomfy.hold()
        message = await env.imagine(prompt="a lost fox", num_images=2, resolution="0.5K")
        await env.runcomfy.until(lambda: env.runcomfy.requests)
        env.mia.delete(message)
        env.runcomfy.release()
        await env.wait_until_idle()
        (direct,) = env.alice.direct_messages.messages
        assert len(direct.files) == 2
        assert "✅" in direct.text
        assert not direct.components
        assert env.charged_images(env.alice) == 2
        assert not env.discord.channel.messages


async def test_waiting_job_can_be_cancelled_from_another_channel(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        env.runcomfy.hold()
        message = await env.imagine(prompt="a patient fox")
        await env.wait_for_text(message, "In queue, #")
        elsewhere = env.discord.guild.add_channel("elsewhere")
        listing = await (await env.alice.command("jobs", channel=elsewhere)).response()
        assert "1. 🕒 In queue" in listing.text
        press = await env.alice.press(listing, "Cancel 1")
        await env.wait_for_text(message, "Canceled")
        await env.discord.until(
            lambda: any(each.is_ephemeral and "Canceled" in each.text for each in press.messages)
        )
        assert env.charged_images(env.alice) == 0


async def test_list_follows_the_queue_until_all_is_done(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, MAX_JOBS="2") as env:
        env.runcomfy.hold()
        for prompt in ("first", "second", "third"):
            await env.wait_for_text(await env.imagine(prompt=prompt), "In queue, #")
        listing = await listed(env.alice)
        places = [f"{number}. 🕒 In queue, #{number} " for number in (1, 2, 3)]
        assert [place in listing.text for place in places] == [True] * 3
        assert list(listing.buttons) == ["Cancel 1", "Cancel 2", "Cancel 3"]

        env.runcomfy.start_next()
        await env.wait_for_text(listing, "1. 🎨 Generating", "2. 🕒 In queue, #1 ", "3. 🕒 In queue, #2 ")
        assert list(listing.buttons) == ["Cancel 2", "Cancel 3"]  # a running request can't be canceled
        await env.alice.press(listing, "Cancel 3")
        await env.discord.until(lambda: "third" not in listing.text)
        env.runcomfy.release()
        await env.wait_for_text(listing, "nothing in progress here")
        assert list(listing.buttons) == ["Refresh"]

        env.runcomfy.hold()
        await env.imagine(prompt="fourth")
        assert "fourth" not in listing.text
        await env.alice.press(listing, "Refresh")
        await env.wait_for_text(listing, "fourth")
        env.runcomfy.release()
        await env.wait_for_text(listing, "nothing in progress here")


async def test_jobs_of_others_are_inaccessible(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        env.runcomfy.hold()
        message = await env.imagine(prompt="a private fox")
        await env.wait_for_text(message, "In queue, #")
        assert "private" not in (await listed(env.bob)).text
        (job,) = env.rows()
        elsewhere = env.discord.guild.add_channel("elsewhere")
        for action in ("cancel", "fetch", "reroll"):
            forged = await env.bob.send_raw(
                custom_id=f"job:{action}:v1:{job['job_id']}", message=message, channel=elsewhere
            )
            refusal = await forged.response()
            assert refusal.is_ephemeral
            assert "can't find that request" in refusal.text
        assert len(env.rows()) == 1
