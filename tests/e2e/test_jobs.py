"""/jobs: what waits, what paints, and what never arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.accounts import check_accounts
from tests.e2e.world import open_world

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Message, Person


async def listed(person: Person) -> Message:
    """What /jobs answers, to this person alone."""
    message = await (await person.command("jobs")).answered()
    assert message.is_ephemeral
    return message


async def test_images_whose_message_was_deleted_can_be_collected(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"seconds": 0}) as world:
        world.runcomfy.hold()
        world.alice.takes_direct_messages = False
        message = await world.imagine(prompt="a lost fox", num_images=2, resolution="0.5K")
        await world.runcomfy.until(lambda: world.runcomfy.orders)
        world.mia.delete(message)
        world.runcomfy.release()
        await world.settled()
        assert world.used(world.alice) == 2
        listing = await listed(world.alice)
        assert "Waiting to be collected" in listing.text
        assert "a lost fox" in listing.text
        world.discord.fail("callback", 404, {"code": 10062, "message": "Unknown interaction"})
        await world.alice.press(listing, "Fetch 1")  # an answer that nobody sees does not use it up
        await world.discord.until(lambda: "did not arrive" in world.log)
        await world.settled()
        assert world.used(world.alice) == 2
        listing = await listed(world.alice)
        fetched = await (await world.alice.press(listing, "Fetch 1")).answered()
        await world.ends(fetched, "✅ 2 images, collected")
        assert len(fetched.attachments) == 2
        await world.settled()
        assert world.used(world.alice) == 2
        assert len(world.runcomfy.submits) == 1
        assert "no unfinished jobs" in (await listed(world.alice)).text
        check_accounts(world)


async def test_images_whose_message_was_deleted_come_directly(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"seconds": 0}) as world:
        world.runcomfy.hold()
        message = await world.imagine(prompt="a lost fox", num_images=2, resolution="0.5K")
        await world.runcomfy.until(lambda: world.runcomfy.orders)
        world.mia.delete(message)
        world.runcomfy.release()
        await world.settled()
        (direct,) = world.alice.direct_messages.messages
        assert len(direct.attachments) == 2
        assert "✅ 2 images" in direct.text
        assert not direct.components
        assert world.used(world.alice) == 2
        assert not world.discord.channel.messages


async def test_a_waiting_job_can_be_cancelled_from_another_channel(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"seconds": 0}) as world:
        world.runcomfy.hold()
        message = await world.imagine(prompt="a patient fox")
        await world.ends(message, "place")
        elsewhere = world.discord.guild.add_channel("elsewhere")
        listing = await (await world.alice.command("jobs", channel=elsewhere)).answered()
        assert "1. 🕒 Waiting" in listing.text
        press = await world.alice.press(listing, "Cancel 1")
        await world.ends(message, "cancelled")
        await world.discord.until(
            lambda: any(each.is_ephemeral and "is cancelled" in each.text for each in press.messages)
        )
        assert world.used(world.alice) == 0


async def test_nobody_sees_or_touches_the_jobs_of_others(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"seconds": 0}) as world:
        world.runcomfy.hold()
        message = await world.imagine(prompt="a private fox")
        await world.ends(message, "place")
        assert "private" not in (await listed(world.bob)).text
        (job,) = world.rows()
        elsewhere = world.discord.guild.add_channel("elsewhere")
        for verb in ("cancel", "fetch", "reroll"):
            forged = await world.bob.forge(
                custom_id=f"job:{verb}:v1:{job['job_id']}", message=message, channel=elsewhere
            )
            refusal = await forged.answered()
            assert refusal.is_ephemeral
            assert "no such job" in refusal.text
        assert len(world.rows()) == 1
